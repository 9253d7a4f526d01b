#include "proxy/session/move.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proxy/base/log.h"
#include "proxy/kube/status.h"
#include "proxy/net/headers.h"
#include "proxy/session/mover.h"

#define MOVED "ringside_moved_objects_total"
#define RELISTS "ringside_relists_total"

const struct metric moves_metrics[] = {
	[MOVES_STARTED] = { "ringside_moves_total", NULL, METRIC_COUNTER,
			    "Watches that came back from a former view and were "
			    "begun to be moved." },
	[MOVES_RELEASED] = { MOVED, "direction=\"released\"", METRIC_COUNTER,
			     "Objects that left or entered caches in moves." },
	[MOVES_ACQUIRED] = { MOVED, "direction=\"acquired\"", METRIC_COUNTER, NULL },
	[MOVES_DROPPED] = { "ringside_moves_dropped_frames_total", NULL, METRIC_COUNTER,
			    "Frames about acquired objects that their client had "
			    "been shown already." },
	[MOVES_SETTLED] = { "ringside_moves_settled_total", NULL, METRIC_COUNTER,
			    "Moves whose client has arrived in its new view." },
	[MOVES_PAUSED] = { "ringside_moves_paused_total", NULL, METRIC_COUNTER,
			   "Moves that ended early as the API server could not be "
			   "asked; their clients come back." },
	[MOVES_TOLD] = { "ringside_relists_told_total", NULL, METRIC_COUNTER,
			 "Watches of clients that do not see by a new list what has "
			 "left (nodiff) that were told so first." },
	[EXPIRED_DOUBTED] = { RELISTS, "reason=\"doubted\"", METRIC_COUNTER,
			      "Watches that were told in their stream to list anew, "
			      "by reason." },
	[EXPIRED_UNKNOWN] = { RELISTS, "reason=\"unknown\"", METRIC_COUNTER, NULL },
	[EXPIRED_ENCODING] = { RELISTS, "reason=\"encoding\"", METRIC_COUNTER, NULL },
	[EXPIRED_CLIENT] = { RELISTS, "reason=\"client\"", METRIC_COUNTER, NULL },
	[EXPIRED_GONE] = { RELISTS, "reason=\"gone\"", METRIC_COUNTER, NULL },
	[EXPIRED_REFUSED] = { RELISTS, "reason=\"refused\"", METRIC_COUNTER, NULL },
};

/* --- towards the exchange --- */

static bool has_room(const struct move *move)
{
	return move->out.len < MOVE_BATCH_BYTES;
}

/* Whether nothing is left but what the exchange can take. */
static bool is_at_end(const struct move *move)
{
	if (move->step == MOVE_FLOW)
		return move->is_done && move->status == 200 && move->out.len == 0;
	return move->step == MOVE_OVER;
}

/* Any event may close the transfer: then the move is left alone. */
static void move_tell(struct move *move)
{
	if (!move->is_closed && move->is_head_ready && !move->is_head_told) {
		move->is_head_told = true;
		move->events->on_head(move->arg, &move->head);
	}
	/* Also without bytes: what is asked about the move may have changed. */
	if (!move->is_closed && move->is_head_told)
		move->events->on_bytes(move->arg);
	if (!move->is_closed && is_at_end(move) && !move->is_end_told) {
		move->is_end_told = true;
		move->events->on_end(move->arg, move->result, &move->err);
	}
}

static void move_work(struct move *move)
{
	while (!move->is_closed && has_room(move)) {
		bool is_list = move->step == MOVE_RELEASE || move->step == MOVE_ACQUIRE;
		bool is_watch = move->step == MOVE_SETTLE || move->step == MOVE_FLOW;

		if (!(is_list && move_list_work(move)) &&
		    !(is_watch && move_watch_work(move)))
			break;
	}
	move_tell(move);
}

/* Keeps the move while it works: the exchange may close its transfer meanwhile. */
static void move_run(void *arg)
{
	struct move *move = arg;

	move->refs++;
	move_work(move);
	move_unref(move);
}

void move_head(struct move *move, const struct upstream_head *like)
{
	static const char *const changed[] = { "content-type", "content-length",
					       "content-encoding" };
	struct header *headers;

	if (move->is_head_ready)
		return;
	headers =
		arena_alloc(move->arena, (like->headers_n + 1) * sizeof(struct header));
	move->head = (struct upstream_head){ .status = 200,
					     .phrase = SLICE_LITERAL("OK"),
					     .headers = headers,
					     .content_length = -1 };
	for (size_t i = 0; i < like->headers_n; i++) {
		bool is_changed = false;

		for (int k = 0; k < 3; k++)
			is_changed |=
				slice_is_nocase(like->headers[i].name, changed[k]);
		if (is_changed)
			continue;
		headers[move->head.headers_n].name =
			arena_copy(move->arena, like->headers[i].name);
		headers[move->head.headers_n++].value =
			arena_copy(move->arena, like->headers[i].value);
	}
	headers[move->head.headers_n++] = (struct header){
		SLICE_LITERAL("content-type"),
		slice_of(encoding_content_type(move->encoding, true)),
	};
	move->is_head_ready = true;
}

/* --- ends --- */

void move_part_close(struct move *move)
{
	if (move->transfer != NULL)
		transfer_close(move->upstream, move->transfer);
	move->transfer = NULL;
	if (move->has_reader)
		list_reader_finish(&move->reader);
	move->has_reader = false;
}

void move_over(struct move *move, enum upstream_result result)
{
	move_part_close(move);
	move->step = MOVE_OVER;
	move->result = result;
	loop_task_start(move->loop, &move->work);
}

void move_expire(struct move *move, int reason, const char *message)
{
	static const struct upstream_head none = { .status = 200 };
	const struct status status = { .code = 410,
				       .reason = "Expired",
				       .message = message };

	move->plan.values[reason]++;
	log_info("session", "a watch cannot be moved and is told to list anew",
		 log_slice("resource", move->plan.resource->resource),
		 log_text("reason", message), log_int("status", move->status));
	if (!move->is_head_ready)
		move->encoding = encoding_of_accept(headers_get(
			move->request.headers, move->request.headers_n, "accept"));
	if (status_write_event(&move->out, move->encoding, &status) != 0)
		buf_clear(&move->out);
	move_head(move, &none);
	move_over(move, UPSTREAM_COMPLETE);
}

void move_pause(struct move *move)
{
	enum upstream_result result = UPSTREAM_COMPLETE;

	move->plan.values[MOVES_PAUSED]++;
	log_info("session", "a move waits until its client comes back",
		 log_slice("resource", move->plan.resource->resource),
		 log_int("status", move->status),
		 log_text("error", move->part_err.text));
	if (!move->is_head_ready) {
		/* Nothing was said yet: the exchange answers 503. */
		err_set(&move->err, -EIO, "%s",
			move->part_err.text[0] ? move->part_err.text
					       : "the API server is not ready");
		move_over(move, UPSTREAM_UNREACHABLE);
		return;
	}
	/*
	 * Behind frames about what it kept its client does not stand at r any more: it
	 * would be told them again. It stands in doubt.
	 */
	if (move->position == move->plan.position)
		move_bookmark(move, move->plan.position);
	/* Without an event, a clean end would say that there was nothing to say. */
	if (!move->has_events)
		result = UPSTREAM_BROKEN;
	move_over(move, result);
}

void move_bookmark(struct move *move, uint64_t position)
{
	char version[24];
	const struct event_item of = { .kind = move->kind,
				       .api_version = move->api_version,
				       .version = version };

	snprintf(version, sizeof(version), "%" PRIu64, position);
	if (!move->plan.allows_bookmarks || move->kind[0] == '\0')
		return;
	if (event_write_bookmark(&move->out, move->encoding, &of) == 0)
		move->has_events = true;
}

/* --- towards the API server --- */

static void on_head(void *arg, const struct upstream_head *head)
{
	struct move *move = arg;
	enum kube_encoding encoding = encoding_of_content_type(
		headers_get(head->headers, head->headers_n, "content-type"));

	move->status = head->status;
	if (head->status != 200)
		return; /* what it means is decided at its end */
	if ((encoding != KUBE_JSON && encoding != KUBE_PROTOBUF) ||
	    (move->is_head_ready && encoding != move->encoding)) {
		move_expire(move, EXPIRED_ENCODING,
			    "no events can be made of the API server's encoding; list "
			    "again");
		return;
	}
	move->encoding = encoding;
	if (move->step == MOVE_RELEASE || move->step == MOVE_ACQUIRE) {
		list_reader_init(&move->reader, encoding);
		move->has_reader = true;
	} else {
		frame_init(&move->scanner, encoding);
		buf_clear(&move->frame);
	}
	move_head(move, head);
	move_run(move);
}

static void on_bytes(void *arg)
{
	move_run(arg);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct move *move = arg;

	move->is_done = true;
	move->part_result = result;
	if (result != UPSTREAM_COMPLETE)
		move->part_err = *err;
	move_run(move);
}

static const struct upstream_events events = {
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

static bool is_accept(const struct header *field)
{
	return slice_is_nocase(field->name, "accept");
}

void move_request(struct move *move, struct slice target, const char *accept,
		  int64_t timeout_ms)
{
	struct upstream_request request = move->request;
	struct header *headers =
		arena_alloc(move->arena, (request.headers_n + 1) * sizeof(*headers));

	move_part_close(move);
	request.headers_n = 0;
	for (size_t i = 0; i < move->request.headers_n; i++)
		if (accept == NULL || !is_accept(&move->request.headers[i]))
			headers[request.headers_n++] = move->request.headers[i];
	if (accept != NULL && accept[0] != '\0')
		headers[request.headers_n++] =
			(struct header){ SLICE_LITERAL("Accept"), slice_of(accept) };
	request.headers = headers;
	request.target = target;
	request.timeout_ms = timeout_ms;
	move->status = 0;
	move->is_done = false;
	move->part_err.text[0] = '\0';
	move->transfer = transfer_start(move->upstream, &request, &events, move);
}

/* --- the way --- */

static const char *const relist_reasons[MOVES_METRICS_N] = {
	[EXPIRED_DOUBTED] = "the position was given in a move; list again",
	[EXPIRED_UNKNOWN] = "the position is of no view that is known; list again",
	[EXPIRED_CLIENT] = "the client goes on from another position than its last "
			   "event's; list again",
	[EXPIRED_GONE] = "the API server has forgotten the position; list again",
};

/* Where nothing is to be done in a step, the next one. */
static enum move_step next_step(const struct move *move, enum move_step step)
{
	const struct move_plan *plan = &move->plan;

	if (step == MOVE_RELEASE && bucket_set_count(&plan->released) == 0)
		step = MOVE_ACQUIRE;
	if (step == MOVE_ACQUIRE && plan->stands_here)
		step = MOVE_FLOW;
	if (step == MOVE_ACQUIRE && bucket_set_count(&plan->acquired) == 0)
		step = MOVE_SETTLE;
	return step;
}

void move_enter(struct move *move, enum move_step step)
{
	step = next_step(move, step);
	if (step > MOVE_RELEASE && !move->has_released) {
		move->has_released = true;
		move->release_left = move->out.len;
	}
	if (step > MOVE_RELEASE && move->plan.relists != 0) {
		move_expire(move, move->plan.relists,
			    relist_reasons[move->plan.relists]);
		return;
	}
	if (step > MOVE_ACQUIRE && move->step <= MOVE_ACQUIRE)
		move->acquire_left = move->out.len;
	move->step = step;
	move->is_settled |= step == MOVE_FLOW;
	if (step == MOVE_RELEASE || step == MOVE_ACQUIRE)
		move_list_start(move);
	else
		move_watch_start(move);
}

static struct move *move_of(const struct transfer *transfer)
{
	return (struct move *)(void *)(uintptr_t)transfer;
}

static struct transfer *way_start(struct upstream *super,
				  const struct upstream_request *request,
				  const struct upstream_events *to, void *arg)
{
	struct move *move = (struct move *)super;

	assert(move->events == NULL && "a move is one answer");
	move->refs++;
	move->request = *request;
	move->events = to;
	move->arg = arg;
	move->plan.values[move->plan.relists != 0 || move->plan.stands_here
				  ? MOVES_TOLD
				  : MOVES_STARTED]++;
	move_enter(move, MOVE_RELEASE);
	return (struct transfer *)(void *)move;
}

static struct slice way_peek(const struct transfer *transfer)
{
	const struct move *move = move_of(transfer);

	if (move->out.len > 0 || move->step != MOVE_FLOW || move->status != 200)
		return buf_slice(&move->out);
	return transfer_peek(move->upstream, move->transfer);
}

static void way_take(struct transfer *transfer, size_t n)
{
	struct move *move = move_of(transfer);

	if (n == 0)
		return;
	if (move->out.len == 0) {
		transfer_take(move->upstream, move->transfer, n);
		return;
	}
	buf_consume(&move->out, n);
	move->release_left -= n < move->release_left ? n : move->release_left;
	move->acquire_left -= n < move->acquire_left ? n : move->acquire_left;
	if (has_room(move))
		loop_task_start(move->loop, &move->work);
}

static void way_close(struct transfer *transfer)
{
	struct move *move = move_of(transfer);

	move_stop(move);
	move_unref(move);
}

static const struct upstream_backend way = {
	.name = "a move",
	.start = way_start,
	.peek = way_peek,
	.take = way_take,
	.close = way_close,
};

static void on_again(void *arg)
{
	move_watch_start(arg);
}

struct move *move_create(struct loop *loop, struct upstream *upstream,
			 const struct move_plan *plan)
{
	struct move *move = calloc(1, sizeof(*move));

	if (move == NULL || getrandom(move->hash_key, sizeof(move->hash_key), 0) !=
				    sizeof(move->hash_key))
		abort();
	move->super.backend = &way;
	move->refs = 1;
	move->loop = loop;
	move->upstream = upstream;
	move->plan = *plan;
	move->position = plan->position;
	move->newcomers =
		(struct newcomers){ .acquired = plan->acquired, .floor = plan->floor };
	move->arena = arena_create();
	snprintf(move->version, sizeof(move->version), "%" PRIu64, plan->position);
	buf_init(&move->out, MOVE_BYTES_MAX);
	buf_init(&move->frame, MOVE_BYTES_MAX);
	loop_task_init(&move->work, move_run, move);
	loop_timer_init(&move->again, on_again, move);
	return move;
}

void move_unref(struct move *move)
{
	if (move == NULL || --move->refs > 0)
		return;
	buf_finish(&move->out);
	buf_finish(&move->frame);
	newcomers_forget(&move->newcomers);
	arena_destroy(move->arena);
	free(move);
}

void move_stop(struct move *move)
{
	move->is_closed = true;
	move->step = MOVE_OVER;
	loop_task_stop(&move->work);
	loop_timer_stop(&move->again);
	move_part_close(move);
}

struct upstream *move_way(struct move *move)
{
	return &move->super;
}

bool move_is_released(const struct move *move)
{
	return move->step > MOVE_RELEASE && move->release_left == 0;
}

bool move_releases(const struct move *move)
{
	return bucket_set_count(&move->plan.released) > 0;
}

bool move_is_waiting(const struct move *move)
{
	return move->out.len > 0;
}

bool move_has_told(const struct move *move)
{
	return move->has_released && move->release_left == 0;
}

bool move_is_acquired(const struct move *move)
{
	return move->step > MOVE_ACQUIRE && move->acquire_left == 0;
}

bool move_is_settled(const struct move *move)
{
	return move->is_settled && move->out.len == 0;
}
