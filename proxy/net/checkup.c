#include "proxy/net/checkup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/log.h"
#include "proxy/net/upstream.h"

/* In the time that the controller may be silent it is asked so often. */
#define TRIES 5
#define PERIOD_MIN_MS 200
#define PERIOD_MAX_MS 10000

struct checkup {
	struct loop *loop;
	struct vitals *vitals;
	struct cluster cluster; /* the controller, as upstream knows API servers */
	struct upstream *upstream;
	char *url, *server;
	struct slice target;       /* in url */
	struct transfer *transfer; /* NULL: none under way */
	int status;                /* of its answer; 0: there is none yet */
	struct loop_timer timer;
	int64_t silence_ms;
	bool is_told; /* whether it is healthy has been logged */
	bool is_healthy;
};

/* --- the URL --- */

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '#')
			return false;
	return true;
}

bool health_url_split(struct health_url *out, const char *url)
{
	static const char *const schemes[] = { "http", "https" };
	struct slice rest;
	ptrdiff_t colon;
	size_t end;

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);

		if (strncmp(url, schemes[i], len) != 0 ||
		    strncmp(url + len, "://", 3) != 0)
			continue;
		rest = slice_of(url + len + 3);
		end = strcspn(rest.data, "/");
		colon = -1;
		for (size_t at = 0; at < end; at++)
			if (rest.data[at] == ':')
				colon = (ptrdiff_t)at;
		out->scheme = slice_of(schemes[i]);
		out->address = slice_make(rest.data, end);
		out->target = end < rest.len ? slice_from(rest, end)
					     : SLICE_LITERAL("/");
		return is_plain(rest) && colon > 0 && (size_t)colon + 1 < end &&
		       slice_find(out->address, '@') < 0 &&
		       slice_find(out->address, '?') < 0;
	}
	return false;
}

/* --- asking --- */

static int64_t period_ms(const struct checkup *checkup)
{
	int64_t period = checkup->silence_ms / TRIES;

	if (period > PERIOD_MAX_MS)
		return PERIOD_MAX_MS;
	return period < PERIOD_MIN_MS ? PERIOD_MIN_MS : period;
}

static void note(struct checkup *checkup, bool is_healthy, const char *why)
{
	if (is_healthy)
		checkup->vitals->healthy_ms = loop_now_ms(checkup->loop);
	if (checkup->is_told && checkup->is_healthy == is_healthy)
		return;
	checkup->is_told = true;
	checkup->is_healthy = is_healthy;
	if (is_healthy)
		log_info("checkup", "our controller's health URL gives a good answer");
	else
		log_warn("checkup", "our controller's health URL gives no good answer",
			 log_text("reason", why));
}

static void on_head(void *arg, const struct upstream_head *head)
{
	struct checkup *checkup = arg;

	checkup->status = head->status;
}

/* What it says besides is for people. */
static void on_bytes(void *arg)
{
	struct checkup *checkup = arg;

	transfer_take(checkup->upstream, checkup->transfer,
		      transfer_peek(checkup->upstream, checkup->transfer).len);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct checkup *checkup = arg;
	bool is_good = checkup->status >= 200 && checkup->status < 400;
	char text[32];

	snprintf(text, sizeof(text), "HTTP %d", checkup->status);
	note(checkup, result == UPSTREAM_COMPLETE && is_good,
	     result == UPSTREAM_COMPLETE ? text : err->text);
	transfer_close(checkup->upstream, checkup->transfer);
	checkup->transfer = NULL;
}

static const struct upstream_events events = {
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

static void ask(void *arg)
{
	static const struct header headers[] = {
		{ SLICE_LITERAL("Accept"), SLICE_LITERAL("*/*") },
		{ SLICE_LITERAL("User-Agent"), SLICE_LITERAL("ringside-checkup") },
	};
	struct checkup *checkup = arg;
	const struct upstream_request request = {
		.method = SLICE_LITERAL("GET"),
		.target = checkup->target,
		.headers = headers,
		.headers_n = sizeof(headers) / sizeof(headers[0]),
		.is_safe = true,
		.timeout_ms = period_ms(checkup) * 3 / 4,
	};

	loop_timer_start(checkup->loop, &checkup->timer, period_ms(checkup));
	if (checkup->transfer != NULL)
		return;
	checkup->status = 0;
	checkup->transfer =
		transfer_start(checkup->upstream, &request, &events, checkup);
}

/* --- life --- */

void checkup_reload(struct checkup *checkup, int64_t silence_ms)
{
	if (checkup == NULL || checkup->silence_ms == silence_ms)
		return;
	checkup->silence_ms = silence_ms;
	if (silence_ms > 0)
		loop_timer_start(checkup->loop, &checkup->timer, 0);
	else
		loop_timer_stop(&checkup->timer);
}

int checkup_create(struct checkup **out, struct loop *loop, struct vitals *vitals,
		   const char *url, struct err *err)
{
	struct checkup *checkup = calloc(1, sizeof(*checkup));
	struct health_url parts;
	int rc = 0;

	if (checkup == NULL)
		abort();
	*checkup = (struct checkup){ .loop = loop, .vitals = vitals };
	loop_timer_init(&checkup->timer, ask, checkup);
	checkup->url = strdup(url);
	if (checkup->url == NULL)
		abort();
	if (!health_url_split(&parts, checkup->url)) {
		rc = err_set(err, -EINVAL, "controller.health: not a URL with a port");
	} else {
		if (asprintf(&checkup->server, "%.*s://%.*s", SLICE_ARGS(parts.scheme),
			     SLICE_ARGS(parts.address)) < 0)
			abort();
		checkup->target = parts.target;
		checkup->cluster.server = checkup->server;
		checkup->cluster.is_insecure = true;
		rc = upstream_curl_create(&checkup->upstream, loop, &checkup->cluster,
					  PERIOD_MAX_MS, err);
	}
	if (rc != 0) {
		checkup_destroy(checkup);
		return rc;
	}
	vitals->has_health = true;
	*out = checkup;
	return 0;
}

void checkup_destroy(struct checkup *checkup)
{
	if (checkup == NULL)
		return;
	loop_timer_stop(&checkup->timer);
	if (checkup->transfer != NULL)
		transfer_close(checkup->upstream, checkup->transfer);
	if (checkup->upstream != NULL)
		upstream_destroy(checkup->upstream);
	free(checkup->server);
	free(checkup->url);
	free(checkup);
}
