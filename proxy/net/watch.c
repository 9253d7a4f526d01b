#include "proxy/net/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What a refusal may say. */
#define REFUSAL_BYTES_MAX (16 * 1024)
/* A frame above this is rare: its memory is given back. */
#define FRAME_BYTES_KEPT (64 * 1024)
/* Told as a position that is gone: only a LIST leads past such an event. */
#define UNREADABLE 410

struct watch {
	const struct api *api;
	const struct watch_listener *listener;
	void *arg;
	struct arena *arena; /* the request */
	struct transfer *transfer;
	struct buf frame; /* the line that has begun; of a refusal, the body */
	struct loop_task resume;
	struct loop_timer silence;
	int64_t silence_ms;
	int64_t heard_ms; /* when bytes came last */
	struct api_answer end;
	bool is_paused;
	bool is_complete; /* the transfer has ended; bytes may still wait */
	bool is_over;     /* `end` stands and is to be told */
};

/* --- the end: marked where it is found, told where nothing follows --- */

/* code: an HTTP status, or 0 when the stream makes no sense. */
static void watch_fail(struct watch *watch, int code, const char *reason)
{
	watch->is_over = true;
	watch->end.status = code;
	if (code == 0)
		watch->end.result = UPSTREAM_BROKEN;
	err_set(&watch->end.err, -EIO, "%s", reason);
}

/* The body of a refusal is a Status with a message for a person. */
static void watch_refuse(struct watch *watch)
{
	struct arena *arena = arena_create();
	struct json *json = NULL;
	struct err err;

	if (json_parse(&json, arena, buf_slice(&watch->frame), NULL, &err) < 0)
		json = NULL;
	watch->is_over = true;
	err_set(&watch->end.err, -EIO, "HTTP %d: %.*s", watch->end.status,
		SLICE_ARGS(json_text(json, "message")));
	arena_destroy(arena);
}

/* Every byte was read, and no more will come. */
static void watch_finish(struct watch *watch)
{
	watch->is_over = true;
	if (watch->end.result != UPSTREAM_COMPLETE)
		watch->end.status = 0;
	else if (watch->end.status != 200)
		watch_refuse(watch);
	else if (watch->frame.len > 0)
		watch_fail(watch, 0, "the stream ended inside an event");
}

/* --- frames --- */

static void error_read(struct watch *watch, const struct watch_event *event)
{
	int code = event->code >= 400 && event->code < 600 ? (int)event->code : 500;
	char text[256];

	snprintf(text, sizeof(text), "ERROR event %d: %.*s", code,
		 SLICE_ARGS(json_text(event->object, "message")));
	watch_fail(watch, code, text);
}

/* The line in watch->frame is complete. */
static void frame_tell(struct watch *watch)
{
	static const char *const keep[] = { "type", "object", NULL };
	struct arena *arena = arena_create();
	struct watch_event event;
	struct json *json;
	struct err err;

	if (json_parse(&json, arena, buf_slice(&watch->frame), keep, &err) < 0 ||
	    watch_event_of_json(&event, json, &err) < 0)
		watch_fail(watch, UNREADABLE, err.text);
	else if (event.type == WATCH_ERROR)
		error_read(watch, &event);
	else
		watch->is_paused = !watch->listener->on_event(watch->arg, &event);
	arena_destroy(arena);
	if (watch->frame.size > FRAME_BYTES_KEPT)
		buf_finish(&watch->frame);
	buf_clear(&watch->frame);
}

/* Reads to the end of a line, or of the bytes; how many it read. */
static size_t frame_gather(struct watch *watch, struct slice bytes)
{
	ptrdiff_t end = slice_find(bytes, '\n');
	size_t n = end < 0 ? bytes.len : (size_t)end;

	if (buf_append(&watch->frame, slice_make(bytes.data, n)) < 0)
		watch_fail(watch, UNREADABLE, "an event is too large");
	else if (end >= 0 && watch->frame.len > 0)
		frame_tell(watch);
	return end < 0 ? n : n + 1;
}

static void frames_read(struct watch *watch)
{
	struct slice bytes = transfer_peek(watch->api->upstream, watch->transfer);
	size_t used = 0;

	while (!watch->is_over && !watch->is_paused && used < bytes.len)
		used += frame_gather(watch, slice_from(bytes, used));
	transfer_take(watch->api->upstream, watch->transfer, used);
}

static void refusal_read(struct watch *watch)
{
	struct slice bytes = transfer_peek(watch->api->upstream, watch->transfer);

	if (watch->frame.len + bytes.len <= REFUSAL_BYTES_MAX)
		(void)buf_append(&watch->frame, bytes);
	transfer_take(watch->api->upstream, watch->transfer, bytes.len);
}

static bool has_bytes(const struct watch *watch)
{
	return transfer_peek(watch->api->upstream, watch->transfer).len > 0;
}

static void watch_run(void *arg)
{
	struct watch *watch = arg;

	if (watch->end.status == 200)
		frames_read(watch);
	else
		refusal_read(watch);
	if (!watch->is_over && !watch->is_paused && watch->is_complete &&
	    !has_bytes(watch))
		watch_finish(watch);
	if (watch->is_over)
		watch->listener->on_end(watch->arg, &watch->end);
}

/* --- what the transfer tells --- */

static void on_head(void *arg, const struct upstream_head *head)
{
	struct watch *watch = arg;
	uint64_t seconds;

	watch->end.status = head->status;
	for (size_t i = 0; i < head->headers_n; i++)
		if (slice_is_nocase(head->headers[i].name, "retry-after") &&
		    slice_to_u64(head->headers[i].value, &seconds) == 0 &&
		    seconds <= 3600)
			watch->end.retry_after_ms = (int64_t)seconds * 1000;
}

static void on_bytes(void *arg)
{
	struct watch *watch = arg;

	watch->heard_ms = loop_now_ms(watch->api->loop);
	if (!watch->is_paused && !watch->is_over)
		watch_run(watch);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct watch *watch = arg;

	watch->is_complete = true;
	watch->end.result = result;
	if (result != UPSTREAM_COMPLETE)
		watch->end.err = *err;
	if (!watch->is_paused && !watch->is_over)
		watch_run(watch);
}

static const struct upstream_events transfer_events = {
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

/* While we do not read, silence says nothing. */
static void on_silence(void *arg)
{
	struct watch *watch = arg;
	int64_t quiet_ms = loop_now_ms(watch->api->loop) - watch->heard_ms;

	if (watch->is_over || watch->is_complete)
		return;
	if (watch->is_paused)
		quiet_ms = 0;
	if (quiet_ms < watch->silence_ms) {
		loop_timer_start(watch->api->loop, &watch->silence,
				 watch->silence_ms - quiet_ms);
		return;
	}
	watch_fail(watch, 0, "not a byte for too long, not even a bookmark");
	watch->listener->on_end(watch->arg, &watch->end);
}

/* --- opening and closing --- */

static void transfer_begin(struct watch *watch, const struct watch_request *request)
{
	struct header *headers = arena_alloc(watch->arena, 2 * sizeof(*headers));
	struct upstream_request out = {
		.method = SLICE_LITERAL("GET"),
		.target = arena_copy(watch->arena, slice_of(request->target)),
		.headers = headers,
		.headers_n = 2,
		.is_safe = true,
		.identity = UPSTREAM_AS_MEMBER,
	};

	headers[0].name = SLICE_LITERAL("Accept");
	headers[0].value = arena_copy(watch->arena, slice_of(request->accept));
	headers[1].name = SLICE_LITERAL("User-Agent");
	headers[1].value = slice_of(watch->api->user_agent);
	watch->transfer =
		transfer_start(watch->api->upstream, &out, &transfer_events, watch);
}

struct watch *watch_open(const struct api *api, const struct watch_request *request,
			 const struct watch_listener *listener, void *arg)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL)
		abort();
	watch->api = api;
	watch->listener = listener;
	watch->arg = arg;
	watch->arena = arena_create();
	buf_init(&watch->frame, request->frame_bytes_max);
	loop_task_init(&watch->resume, watch_run, watch);
	loop_timer_init(&watch->silence, on_silence, watch);
	watch->heard_ms = loop_now_ms(api->loop);
	watch->silence_ms = request->silence_ms > 0 ? request->silence_ms
						    : WATCH_SILENCE_MS;
	loop_timer_start(api->loop, &watch->silence, watch->silence_ms);
	transfer_begin(watch, request);
	return watch;
}

void watch_resume(struct watch *watch)
{
	if (!watch->is_paused)
		return;
	watch->is_paused = false;
	watch->heard_ms = loop_now_ms(watch->api->loop);
	loop_task_start(watch->api->loop, &watch->resume);
}

void watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	loop_task_stop(&watch->resume);
	loop_timer_stop(&watch->silence);
	transfer_close(watch->api->upstream, watch->transfer);
	buf_finish(&watch->frame);
	arena_destroy(watch->arena);
	free(watch);
}
