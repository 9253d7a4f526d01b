#include "proxy/net/api.h"

#include <errno.h>
#include <stdlib.h>

#include "proxy/kube/encoding.h"

#define HEADERS_MAX 4

struct api_call {
	const struct api *api;
	struct transfer *transfer;
	struct arena *arena; /* the request */
	struct buf body;
	int status;
	bool is_json;
	bool is_answered;
	int64_t sent_ms;
	int64_t retry_after_ms;
	void (*on_answer)(void *arg, const struct api_answer *answer);
	void *arg;
};

static void call_free(struct api_call *call)
{
	transfer_close(call->api->upstream, call->transfer);
	buf_finish(&call->body);
	arena_destroy(call->arena);
	free(call);
}

static bool on_may_send(void *arg)
{
	struct api_call *call = arg;

	call->sent_ms = loop_now_ms(call->api->loop);
	return true;
}

static void on_head(void *arg, const struct upstream_head *head)
{
	struct api_call *call = arg;
	uint64_t seconds;

	call->status = head->status;
	for (size_t i = 0; i < head->headers_n; i++) {
		const struct header *field = &head->headers[i];

		if (slice_is_nocase(field->name, "content-type"))
			call->is_json = encoding_of_content_type(field->value) ==
					KUBE_JSON;
		if (slice_is_nocase(field->name, "retry-after") &&
		    slice_to_u64(field->value, &seconds) == 0 && seconds <= 3600)
			call->retry_after_ms = (int64_t)seconds * 1000;
	}
}

static void on_bytes(void *arg)
{
	struct api_call *call = arg;
	struct upstream *upstream = call->api->upstream;
	struct slice bytes = transfer_peek(upstream, call->transfer);

	/* One that does not fit is found too large at the end: len stays at cap. */
	if (buf_append(&call->body, bytes) != 0)
		call->body.cap = call->body.len;
	transfer_take(upstream, call->transfer, bytes.len);
}

static bool is_too_large(const struct api_call *call)
{
	return call->body.cap < API_ANSWER_BYTES_MAX;
}

/* Fills in what the body says: the tree, and for a refusal its Status message. */
static void answer_read(struct api_answer *answer, const struct api_call *call)
{
	struct json *json;
	struct err err;

	if (call->is_json && call->body.len > 0 &&
	    json_parse(&json, answer->arena, buf_slice(&call->body), NULL, &err) == 0)
		answer->json = json;
	if (answer->status >= 200 && answer->status < 300) {
		if (answer->json == NULL && call->body.len > 0)
			err_set(&answer->err, -EINVAL, "the answer is not JSON");
		return;
	}
	err_set(&answer->err, -EIO, "HTTP %d: %.*s", answer->status,
		SLICE_ARGS(json_text(answer->json, "message")));
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct api_call *call = arg;
	struct api_answer answer = { .result = result,
				     .sent_ms = call->sent_ms,
				     .retry_after_ms = call->retry_after_ms };

	answer.arena = arena_create();
	if (result != UPSTREAM_COMPLETE) {
		answer.err = *err;
	} else if (is_too_large(call)) {
		answer.result = UPSTREAM_BROKEN;
		err_set(&answer.err, -EMSGSIZE, "the answer is above %d bytes",
			API_ANSWER_BYTES_MAX);
	} else {
		answer.status = call->status;
		answer_read(&answer, call);
	}
	call->is_answered = true;
	call->on_answer(call->arg, &answer);
	arena_destroy(answer.arena);
	call_free(call);
}

static const struct upstream_events events = {
	.may_send = on_may_send,
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

struct api_call *api_start(const struct api *api, const struct api_request *request,
			   void (*on_answer)(void *arg,
					     const struct api_answer *answer),
			   void *arg)
{
	struct api_call *call = calloc(1, sizeof(*call));
	struct header headers[HEADERS_MAX];
	struct upstream_request out = {
		.headers = headers,
		.identity = UPSTREAM_AS_MEMBER,
		.is_safe = slice_is(slice_of(request->method), "GET"),
		.has_body = request->body.len > 0,
		.timeout_ms = request->timeout_ms > 0 ? request->timeout_ms
						      : API_TIMEOUT_MS,
	};
	const char *accept = request->accept != NULL ? request->accept : API_JSON;

	if (call == NULL)
		abort();
	call->api = api;
	call->on_answer = on_answer;
	call->arg = arg;
	call->arena = arena_create();
	buf_init(&call->body, API_ANSWER_BYTES_MAX);
	headers[out.headers_n++] =
		(struct header){ SLICE_LITERAL("Accept"), slice_of(accept) };
	headers[out.headers_n++] = (struct header){ SLICE_LITERAL("User-Agent"),
						    slice_of(api->user_agent) };
	if (request->content_type != NULL)
		headers[out.headers_n++] =
			(struct header){ SLICE_LITERAL("Content-Type"),
					 slice_of(request->content_type) };
	out.method = arena_copy(call->arena, slice_of(request->method));
	out.target = arena_copy(call->arena, slice_of(request->target));
	out.body = arena_copy(call->arena, request->body);
	call->transfer = transfer_start(api->upstream, &out, &events, call);
	return call;
}

void api_cancel(struct api_call *call)
{
	/* From inside its own answer: on_end frees it. */
	if (call != NULL && !call->is_answered)
		call_free(call);
}
