#include "proxy/net/reflector.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/kube/query.h"
#include "proxy/net/backoff.h"
#include "proxy/net/watch.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 10000
/* A watch that lived this long was a success, even if nothing happened. */
#define WATCH_LIVED_MS 10000
/* One that ended cleanly before this, and told nothing, is a failure: no spin. */
#define WATCH_SHORT_MS 1000
/* Between this and twice of it, so that watches do not all end together. */
#define WATCH_SECONDS 300

#define LIST_TIMEOUT_MS 30000
#define LIST_LIMIT 500
#define LIST_LIMIT_MIN 10

/* Tokens and positions are the API server's, and short. */
#define TOKEN_BYTES_MAX (16 * 1024)
/* Room for selectors that name all buckets and a token, escaped. */
#define TARGET_BYTES_MAX (128 * 1024)

/* What happens when the reflector goes on. */
enum step {
	STEP_LIST,  /* from the first page */
	STEP_PAGE,  /* the page that `token` names */
	STEP_WATCH, /* from `position` */
	STEP_READ,  /* the watch that is open reads on */
};

struct reflector {
	const struct api *api;
	struct reflector_events events;
	void *arg;
	struct arena *arena;
	const char *base; /* "<path>?<selectors>" */
	bool metadata_only;
	bool streams_list;
	int limit_max;

	enum step next;
	bool is_paused;
	struct loop_task go_on;
	struct loop_timer again;
	struct backoff backoff;

	struct api_call *page;
	int limit;           /* of a page; smaller after one that did not come */
	struct buf token;    /* `continue` */
	struct buf position; /* resourceVersion of the LIST, then of the last event */

	struct watch *watch;
	int64_t opened_ms;
	bool has_heard;  /* this watch told something */
	bool is_listing; /* it has not told yet what there was when it began */
};

/* --- going on: at once, when there is room again, or after a while --- */

static void reflector_go_on(struct reflector *reflector, enum step next)
{
	reflector->next = next;
	reflector->is_paused = reflector->events.has_room != NULL &&
			       !reflector->events.has_room(reflector->arg);
	if (!reflector->is_paused)
		loop_task_start(reflector->api->loop, &reflector->go_on);
}

static void reflector_fail(struct reflector *reflector, enum step next,
			   const struct api_answer *answer)
{
	int64_t delay_ms = backoff_next_ms(&reflector->backoff, backoff_random());

	if (delay_ms < answer->retry_after_ms)
		delay_ms = answer->retry_after_ms;
	reflector->next = next;
	loop_timer_start(reflector->api->loop, &reflector->again, delay_ms);
	if (reflector->events.on_failure != NULL)
		reflector->events.on_failure(reflector->arg, answer);
}

/* A position that makes no sense (400), whose type came anew (404), or is old. */
static bool is_position_lost(int status)
{
	return status == 400 || status == 404 || status == 410;
}

/* Replaces what is kept. False, and empty, when it is longer than any of them. */
static bool keep(struct buf *kept, struct slice text)
{
	buf_clear(kept);
	return buf_append(kept, text) == 0;
}

static void reflector_unwatch(struct reflector *reflector)
{
	watch_close(reflector->watch);
	reflector->watch = NULL;
}

/* --- targets: "<path>?a=b&c=d&" --- */

static void target_add(struct buf *target, const char *key, struct slice value)
{
	int rc = buf_printf(target, "%s=", key);

	if (rc == 0)
		rc = query_escape(target, value);
	if (rc == 0)
		rc = buf_append_text(target, "&");
	assert(rc == 0 && "the bounds of all parts add up to less than the target's");
	(void)rc;
}

static void target_add_number(struct buf *target, const char *key, int value)
{
	char digits[16];

	snprintf(digits, sizeof(digits), "%d", value);
	target_add(target, key, slice_of(digits));
}

static void target_begin(const struct reflector *reflector, struct buf *target)
{
	buf_init(target, TARGET_BYTES_MAX);
	(void)buf_append_text(target, reflector->base);
}

/* A text until the buffer is finished; the last "&" becomes its NUL. */
static const char *target_end(struct buf *target)
{
	target->data[target->len - 1] = '\0';
	return target->data;
}

/* --- LIST --- */

static void list_fail(struct reflector *reflector, const struct api_answer *answer)
{
	/* No answer: too large, or too slow. Smaller pages are neither. */
	if (answer->status == 0 && reflector->limit > LIST_LIMIT_MIN)
		reflector->limit /= 2;
	if (is_position_lost(answer->status) || reflector->token.len == 0)
		reflector_fail(reflector, STEP_LIST, answer);
	else
		reflector_fail(reflector, STEP_PAGE, answer);
}

static void page_tell(struct reflector *reflector, const struct list_head *page)
{
	for (const struct json *item = page->items->first; item; item = item->next)
		reflector->events.on_object(reflector->arg, item);
	if (page->continue_token.len > 0) {
		reflector_go_on(reflector, STEP_PAGE);
		return;
	}
	reflector->limit = reflector->limit_max;
	if (reflector->events.on_synced != NULL)
		reflector->events.on_synced(reflector->arg);
	reflector_go_on(reflector, STEP_WATCH);
}

/* The page, if it is one that leads on, or has the position to watch from. */
static bool page_read(struct reflector *reflector, struct list_head *page,
		      const struct api_answer *answer, struct err *err)
{
	if (list_of_json(page, answer->json, err) < 0)
		return false;
	if (keep(&reflector->token, page->continue_token) &&
	    keep(&reflector->position, page->resource_version))
		return true;
	err_set(err, -EMSGSIZE,
		"a resourceVersion of %zu bytes, a continue token of %zu",
		page->resource_version.len, page->continue_token.len);
	return false;
}

static void on_page(void *arg, const struct api_answer *answer)
{
	struct reflector *reflector = arg;
	struct api_answer nonsense = { .status = answer->status };
	struct list_head page;

	reflector->page = NULL;
	if (!api_is_success(answer)) {
		list_fail(reflector, answer);
	} else if (page_read(reflector, &page, answer, &nonsense.err)) {
		page_tell(reflector, &page);
	} else {
		buf_clear(&reflector->token);
		list_fail(reflector, &nonsense);
	}
}

static void page_ask(struct reflector *reflector)
{
	struct buf target;
	struct api_request request = {
		.method = "GET",
		.accept = reflector->metadata_only ? API_METADATA_LIST : API_JSON,
		.timeout_ms = LIST_TIMEOUT_MS,
	};

	target_begin(reflector, &target);
	target_add_number(&target, "limit", reflector->limit);
	if (reflector->token.len > 0)
		target_add(&target, "continue", buf_slice(&reflector->token));
	request.target = target_end(&target);
	reflector->page = api_start(reflector->api, &request, on_page, reflector);
	buf_finish(&target);
}

/* --- WATCH --- */

/* Whether it is the BOOKMARK behind what there was; the key is an annotation's. */
static bool ends_list(const struct watch_event *event)
{
	const struct json *notes = json_at(event->object, "metadata.annotations");

	return json_get(notes, "k8s.io/initial-events-end") != NULL;
}

/*
 * What there is comes in no order of its versions: there is no position before its end.
 * True: the watch is of use no more, its API server does not know how to list in it.
 */
static bool list_event(struct reflector *reflector, const struct watch_event *event)
{
	if (event->type != WATCH_BOOKMARK)
		return false;
	if (!ends_list(event)) {
		reflector->streams_list = false;
		return true;
	}
	reflector->is_listing = false;
	if (reflector->events.on_synced != NULL)
		reflector->events.on_synced(reflector->arg);
	return false;
}

static bool on_event(void *arg, const struct watch_event *event)
{
	struct reflector *reflector = arg;

	reflector->has_heard = true;
	backoff_reset(&reflector->backoff);
	if (event->type == WATCH_DELETED)
		reflector->events.on_gone(reflector->arg, event->object);
	else if (event->type != WATCH_BOOKMARK)
		reflector->events.on_object(reflector->arg, event->object);
	if (reflector->is_listing && list_event(reflector, event)) {
		reflector_go_on(reflector, STEP_LIST);
		return false;
	}
	if (!reflector->is_listing && event->resource_version.len > 0)
		(void)keep(&reflector->position, event->resource_version);
	reflector->next = STEP_READ;
	reflector->is_paused = reflector->events.has_room != NULL &&
			       !reflector->events.has_room(reflector->arg);
	return !reflector->is_paused;
}

/* An answer that says so, or an end before the BOOKMARK. */
static bool knows_no_such_watch(const struct api_answer *end)
{
	return end->status == 200 ||
	       (end->status >= 400 && end->status < 500 && end->status != 401 &&
		end->status != 410 && end->status != 429);
}

/* The watch that was to list is over before it has. */
static void stream_end(struct reflector *reflector, const struct api_answer *end)
{
	if (knows_no_such_watch(end)) {
		reflector->streams_list = false;
		reflector_go_on(reflector, STEP_LIST);
	} else {
		reflector_fail(reflector, STEP_LIST, end);
	}
}

static void on_watch_end(void *arg, const struct api_answer *end)
{
	struct reflector *reflector = arg;
	int64_t lived_ms = loop_now_ms(reflector->api->loop) - reflector->opened_ms;
	bool is_clean = end->status == 200;
	struct api_answer answer = *end;

	/* The answer outlives the watch that it is part of. */
	reflector_unwatch(reflector);
	if (reflector->is_listing) {
		stream_end(reflector, &answer);
		return;
	}
	if (lived_ms >= WATCH_LIVED_MS)
		backoff_reset(&reflector->backoff);
	if (is_clean && (reflector->has_heard || lived_ms >= WATCH_SHORT_MS)) {
		reflector_go_on(reflector, STEP_WATCH);
		return;
	}
	if (is_clean)
		err_set(&answer.err, -EIO, "the watch ended as soon as it began");
	reflector_fail(reflector,
		       is_position_lost(answer.status) ? STEP_LIST : STEP_WATCH,
		       &answer);
}

static const struct watch_listener listener = {
	.on_event = on_event,
	.on_end = on_watch_end,
};

static void watch_begin(struct reflector *reflector)
{
	struct buf target;
	struct watch_request request = {
		.accept = reflector->metadata_only ? API_METADATA : API_JSON,
		.frame_bytes_max = REFLECTOR_FRAME_BYTES_MAX,
	};

	target_begin(reflector, &target);
	target_add(&target, "watch", slice_of("true"));
	target_add(&target, "allowWatchBookmarks", slice_of("true"));
	if (reflector->is_listing) {
		target_add(&target, "sendInitialEvents", slice_of("true"));
		target_add(&target, "resourceVersionMatch", slice_of("NotOlderThan"));
	} else {
		target_add(&target, "resourceVersion", buf_slice(&reflector->position));
	}
	target_add_number(&target, "timeoutSeconds",
			  WATCH_SECONDS + (int)(backoff_random() % WATCH_SECONDS));
	request.target = target_end(&target);
	reflector->has_heard = false;
	reflector->opened_ms = loop_now_ms(reflector->api->loop);
	reflector->watch = watch_open(reflector->api, &request, &listener, reflector);
	buf_finish(&target);
}

/* --- the whole --- */

static void list_begin(struct reflector *reflector)
{
	reflector_unwatch(reflector);
	buf_clear(&reflector->token);
	reflector->is_listing = reflector->streams_list;
	if (reflector->events.on_list != NULL)
		reflector->events.on_list(reflector->arg);
	if (reflector->is_listing)
		watch_begin(reflector);
	else
		page_ask(reflector);
}

static void reflector_run(void *arg)
{
	struct reflector *reflector = arg;

	switch (reflector->next) {
	case STEP_LIST:
		list_begin(reflector);
		break;
	case STEP_PAGE:
		page_ask(reflector);
		break;
	case STEP_WATCH:
		watch_begin(reflector);
		break;
	case STEP_READ:
		watch_resume(reflector->watch);
		break;
	}
}

void reflector_resume(struct reflector *reflector)
{
	if (!reflector->is_paused)
		return;
	reflector->is_paused = false;
	loop_task_start(reflector->api->loop, &reflector->go_on);
}

static const char *base_write(const struct reflector *reflector,
			      const struct reflector_source *source)
{
	struct buf base;
	const char *text;
	int rc;

	buf_init(&base, TARGET_BYTES_MAX / 2);
	rc = buf_printf(&base, "%s?", source->path);
	assert(rc == 0 && "a path is a few names");
	(void)rc;
	if (source->selector != NULL)
		target_add(&base, "labelSelector", slice_of(source->selector));
	if (source->fields != NULL)
		target_add(&base, "fieldSelector", slice_of(source->fields));
	text = arena_text(reflector->arena, buf_slice(&base));
	buf_finish(&base);
	return text;
}

struct reflector *reflector_create(const struct api *api,
				   const struct reflector_source *source,
				   const struct reflector_events *events, void *arg)
{
	struct reflector *reflector = calloc(1, sizeof(*reflector));

	if (reflector == NULL)
		abort();
	reflector->api = api;
	reflector->events = *events;
	reflector->arg = arg;
	reflector->arena = arena_create();
	reflector->base = base_write(reflector, source);
	reflector->metadata_only = source->metadata_only;
	reflector->streams_list = source->streams_list;
	reflector->limit_max = source->limit > 0 ? source->limit : LIST_LIMIT;
	reflector->limit = reflector->limit_max;
	buf_init(&reflector->token, TOKEN_BYTES_MAX);
	buf_init(&reflector->position, TOKEN_BYTES_MAX);
	backoff_init(&reflector->backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
	loop_task_init(&reflector->go_on, reflector_run, reflector);
	loop_timer_init(&reflector->again, reflector_run, reflector);
	reflector->next = STEP_LIST;
	loop_task_start(api->loop, &reflector->go_on);
	return reflector;
}

void reflector_destroy(struct reflector *reflector)
{
	if (reflector == NULL)
		return;
	loop_task_stop(&reflector->go_on);
	loop_timer_stop(&reflector->again);
	api_cancel(reflector->page);
	reflector_unwatch(reflector);
	buf_finish(&reflector->token);
	buf_finish(&reflector->position);
	arena_destroy(reflector->arena);
	free(reflector);
}
