#include "tests/unit/net/place.h"

#include <fcntl.h>
#include <stdio.h>

#include "proxy/base/log.h"

void place_open(struct place *place)
{
	struct err err = { "" };

	*place = (struct place){ .loop = loop_create() };
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_DEBUG);
	peer_server_open(&place->server, place->loop);
	snprintf(place->url, sizeof(place->url), "http://127.0.0.1:%d",
		 place->server.port);
	place->cluster.server = place->url;
	ck_assert_int_eq(upstream_curl_create(&place->upstream, place->loop,
					      &place->cluster, 5000, &err),
			 0);
}

void place_close(struct place *place)
{
	upstream_destroy(place->upstream);
	peer_server_close(&place->server);
	loop_destroy(place->loop);
}

static bool may_send(void *arg)
{
	struct seen *seen = arg;

	seen->asked++;
	return !seen->is_refusing;
}

static void on_head(void *arg, const struct upstream_head *head)
{
	struct seen *seen = arg;
	int n = snprintf(seen->head, sizeof(seen->head), "%d %.*s", head->status,
			 SLICE_ARGS(head->phrase));

	for (size_t i = 0; i < head->headers_n; i++)
		n += snprintf(seen->head + n, sizeof(seen->head) - (size_t)n,
			      "|%.*s: %.*s", SLICE_ARGS(head->headers[i].name),
			      SLICE_ARGS(head->headers[i].value));
	seen->content_length = head->content_length;
	seen->heads++;
}

static void on_bytes(void *arg)
{
	struct seen *seen = arg;
	struct slice bytes = transfer_peek(seen->upstream, seen->transfer);

	if (seen->is_hoarding)
		return;
	ck_assert_int_eq(buf_append(&seen->body, bytes), 0);
	transfer_take(seen->upstream, seen->transfer, bytes.len);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct seen *seen = arg;

	ck_assert((result == UPSTREAM_COMPLETE) == (err->text[0] == '\0'));
	seen->result = result;
	seen->ends++;
}

static const struct upstream_events events = { may_send, on_head, on_bytes, on_end };

void start(struct place *place, struct seen *seen,
	   const struct upstream_request *request)
{
	*seen = (struct seen){ .upstream = place->upstream };
	buf_init(&seen->body, 16 << 20);
	seen->transfer = transfer_start(place->upstream, request, &events, seen);
}

void finish(struct seen *seen)
{
	transfer_close(seen->upstream, seen->transfer);
	buf_finish(&seen->body);
}

const struct upstream_request get = {
	.method = SLICE_LITERAL("GET"),
	.target = SLICE_LITERAL("/a"),
	.is_safe = true,
};
const struct upstream_request post = {
	.method = SLICE_LITERAL("POST"),
	.target = SLICE_LITERAL("/b"),
	.body = SLICE_LITERAL("body"),
	.has_body = true,
};
