/*
 * Calls to the API server in memory (server.h): they take their time, get lost, or
 * lose their answer. It replaces proxy/net/api.c by defining the same functions.
 */
#ifndef RINGSIDE_UNIT_WORLD_CALLS_H
#define RINGSIDE_UNIT_WORLD_CALLS_H

#include <errno.h>

#include "proxy/net/api.h"
#include "tests/unit/member/world/server.h"

struct api_call {
	struct loop *loop;
	char *method;
	char *target;
	char *body;
	int64_t sent_ms;
	int64_t timeout_ms;
	int status;        /* 0: no answer */
	char *answer;      /* a body */
	bool is_cancelled; /* or answered: nobody listens */
	int refs;          /* listener, and events under way */
	void (*on_answer)(void *arg, const struct api_answer *answer);
	void *arg;
};

static inline void call_unref(void *arg)
{
	struct api_call *call = arg;

	if (--call->refs > 0)
		return;
	free(call->method);
	free(call->target);
	free(call->body);
	free(call->answer);
	free(call);
}

static inline void call_answer(struct api_call *call, int status)
{
	struct api_answer answer = { .status = status,
				     .result = status ? UPSTREAM_COMPLETE
						      : UPSTREAM_TIMEOUT,
				     .sent_ms = call->sent_ms };

	if (call->is_cancelled)
		return;
	call->is_cancelled = true;
	answer.arena = arena_create();
	if (status && call->answer)
		answer.json = json_read(answer.arena, call->answer);
	snprintf(answer.err.text, sizeof(answer.err.text), "HTTP %d", status);
	call->on_answer(call->arg, &answer);
	arena_destroy(answer.arena);
	call_unref(call);
}

static inline void call_on_timeout(void *arg)
{
	call_answer(arg, 0);
	call_unref(arg);
}

static inline void call_on_back(void *arg)
{
	struct api_call *call = arg;

	call_answer(call, call->status);
	call_unref(call);
}

/* The path of the object that a write of a body is about. */
static inline char *call_path(const struct api_call *call, const struct json *body)
{
	char *path = NULL;

	if (strcmp(call->method, "POST") != 0)
		return strdup(call->target);
	if (asprintf(&path, "%s/%.*s", call->target,
		     SLICE_ARGS(json_text(body, "metadata.name"))) < 0)
		abort();
	return path;
}

/* Whether the uid and version that a client demands are those that stand. */
static inline bool is_met(const struct stored *stored, struct slice uid,
			  struct slice version)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, stored->version);
	return (uid.len == 0 || slice_is(uid, stored->uid)) &&
	       (version.len == 0 || slice_is(version, text));
}

static inline int call_write(struct api_call *call, const struct json *body,
			     const char *path)
{
	struct stored *stored = server_find(path);
	bool is_delete = strcmp(call->method, "DELETE") == 0;
	const struct json *at =
		json_get(body, is_delete ? "preconditions" : "metadata");
	struct slice uid = json_text(at, "uid"),
		     version = json_text(at, "resourceVersion");

	if (strcmp(call->method, "POST") == 0) {
		if (stored)
			return 409;
		call->answer = strdup(server_put(path, body)->text);
		return 201;
	}
	/* An update creates a Lease that is not there, unless it says a uid. */
	if (!stored && (is_delete || !strstr(path, "/leases/")))
		return 404;
	if (!stored && uid.len > 0)
		return 409;
	if (stored && !is_met(stored, uid, version))
		return 409;
	world_server.writes++;
	if (is_delete)
		server_remove(stored);
	else
		call->answer = strdup(server_put(path, body)->text);
	return 200;
}

static inline int call_serve(struct api_call *call)
{
	struct arena *arena = arena_create();
	struct json *body = call->body[0] ? json_read(arena, call->body) : NULL;
	char *path = call_path(call, body);
	struct stored *stored = server_find(path);
	int status;

	if (strcmp(call->method, "GET") == 0) {
		status = stored ? 200 : 404;
		call->answer = stored ? strdup(stored->text) : NULL;
	} else {
		status = call_write(call, body, path);
	}
	free(path);
	arena_destroy(arena);
	return status;
}

static inline void call_on_there(void *arg)
{
	struct api_call *call = arg;

	if (!world_server.is_down) {
		bool is_refused = server_roll(100) < world_server.refused_percent;

		call->status = is_refused ? 503 : call_serve(call);
		if (server_roll(100) >= world_server.answer_lost_percent) {
			call->refs++;
			world_event_add(call->loop,
					1 + server_roll(world_server.latency_ms),
					call_on_back, call_unref, call);
		}
	}
	call_unref(call);
}

struct api_call *api_start(const struct api *api, const struct api_request *request,
			   void (*on_answer)(void *arg,
					     const struct api_answer *answer),
			   void *arg)
{
	struct api_call *call = calloc(1, sizeof(*call));
	int64_t there_ms = server_roll(world_server.latency_ms);

	call->loop = api->loop;
	call->method = strdup(request->method);
	call->target = strdup(request->target);
	call->body =
		strndup(request->body.len ? request->body.data : "", request->body.len);
	call->sent_ms = world_time.now_ms;
	call->timeout_ms = request->timeout_ms;
	call->on_answer = on_answer;
	call->arg = arg;
	call->refs = 2;
	world_event_add(call->loop, call->timeout_ms, call_on_timeout, call_unref,
			call);
	/* Late: it is stored when the client has long given up. */
	if (server_roll(100) < world_server.late_percent)
		there_ms += server_roll((int)(3 * call->timeout_ms));
	if (server_roll(100) >= world_server.lost_percent) {
		call->refs++;
		world_event_add(NULL, there_ms, call_on_there, call_unref, call);
	}
	return call;
}

void api_cancel(struct api_call *call)
{
	if (!call || call->is_cancelled)
		return;
	call->is_cancelled = true;
	call_unref(call);
}

#endif
