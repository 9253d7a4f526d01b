/*
 * SETTLE and FLOW: the WATCH of the new view.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "proxy/base/siphash.h"
#include "proxy/session/mover.h"

/* The API server sends a BOOKMARK about 1 s before (k8s.io/apiserver, cacher). */
#define SETTLE_SECONDS "4"
#define SETTLE_TIMEOUT_MS 15000
/* What has been told already need not be told again if it goes on soon. */
#define TRIES_MAX 4
#define AGAIN_MS 50
#define TARGET_BYTES_MAX (64u * 1024)

static struct slice write_target(struct move *move)
{
	struct slice target = move->request.target;
	ptrdiff_t mark = slice_find(target, '?');
	char position[24];
	struct query *query;
	struct buf text;

	mark = mark < 0 ? (ptrdiff_t)target.len : mark;
	query = query_parse(move->arena, slice_from(target, (size_t)mark < target.len
								    ? (size_t)mark + 1
								    : target.len));
	snprintf(position, sizeof(position), "%" PRIu64, move->position);
	query_set(query, "resourceVersion",
		  arena_copy(move->arena, slice_of(position)));
	if (move->step == MOVE_SETTLE) {
		query_set(query, "timeoutSeconds", SLICE_LITERAL(SETTLE_SECONDS));
		query_set(query, "allowWatchBookmarks", SLICE_LITERAL("true"));
	}
	buf_init(&text, target.len + TARGET_BYTES_MAX);
	/* The target was as long already; the rest is a few bytes. */
	(void)buf_append(&text, slice_make(target.data, (size_t)mark));
	(void)buf_append_text(&text, "?");
	(void)query_write(query, &text);
	target = arena_copy(move->arena, buf_slice(&text));
	buf_finish(&text);
	return target;
}

void move_watch_start(struct move *move)
{
	bool is_flow = move->step == MOVE_FLOW;

	move_request(move, write_target(move), NULL,
		     is_flow ? move->request.timeout_ms : SETTLE_TIMEOUT_MS);
}

/* --- frames --- */

uint64_t move_object(const struct move *move, const struct event_head *head)
{
	return siphash(move->hash_key, slice_of(head->object));
}

/* Whether its client has been shown already what the frame says; -ENOSPC. */
static int is_stale(struct move *move, const struct event_head *head)
{
	const struct newcomer_event event = {
		.type = head->type,
		.version = head->version,
		.object = move_object(move, head),
		.bucket = head->has_label ? bucket_of_label(slice_of(head->label),
							    move->plan.spec->buckets)
					  : BUCKET_NONE,
	};

	return newcomers_leave_out(&move->newcomers, &event);
}

/* At or above F; what that frame says, its client may know already. */
static void settle(struct move *move, bool is_told)
{
	if (!is_told)
		move_bookmark(move, move->position);
	move->is_settled = true;
	move->plan.values[MOVES_SETTLED]++;
	newcomers_forget(&move->newcomers);
	move_enter(move, MOVE_FLOW);
}

/* 1: it was left out. */
static int pass_frame(struct move *move, const struct event_head *head)
{
	bool is_bookmark = head->type == WATCH_BOOKMARK;
	bool is_event = !is_bookmark && head->type != WATCH_ERROR;
	int rc = is_event ? is_stale(move, head) : 0;

	if (head->type != WATCH_ERROR)
		move->position = head->version;
	if (is_bookmark && !move->plan.allows_bookmarks)
		return 1;
	move->plan.values[MOVES_DROPPED] += rc == 1;
	if (rc != 0)
		return rc;
	/* At F or above it, its client has arrived. */
	if (head->version < move->plan.floor)
		doubt_note(move->plan.doubt, head->version);
	move->has_events = true;
	move->tries = 0;
	return buf_append(&move->out, buf_slice(&move->frame));
}

static int end_frame(struct move *move)
{
	struct event_head head;
	struct err err;
	int rc = event_read(&head, move->encoding, buf_slice(&move->frame),
			    move->plan.spec->label, &err);

	if (rc == 0)
		rc = pass_frame(move, &head);
	buf_clear(&move->frame);
	if (rc < 0)
		return rc;
	if (head.type == WATCH_ERROR) {
		move->plan.values[EXPIRED_GONE]++;
		move_over(move, UPSTREAM_COMPLETE);
	} else if (head.version >= move->plan.floor) {
		settle(move, rc == 0);
	}
	return 0;
}

/* --- the watch --- */

static void watch_end(struct move *move)
{
	bool is_well = move->part_result == UPSTREAM_COMPLETE && move->status == 200;

	if (is_well) {
		move_watch_start(move); /* the API server lags: once more */
	} else if (++move->tries < TRIES_MAX) {
		move_part_close(move);
		loop_timer_start(move->loop, &move->again, AGAIN_MS << move->tries);
	} else {
		move_pause(move);
	}
}

static bool settle_work(struct move *move)
{
	struct slice bytes = { 0 };
	struct err err;
	size_t n;
	int rc = 0;

	if (move->transfer == NULL)
		return false; /* it waits */
	bytes = transfer_peek(move->upstream, move->transfer);
	n = bytes.len;
	if (bytes.len == 0) {
		if (move->is_done)
			watch_end(move);
		return false;
	}
	if (move->status == 200)
		rc = frame_scan(&move->scanner, bytes, &n, &err);
	if (rc >= 0 && move->status == 200 &&
	    buf_append(&move->frame, slice_make(bytes.data, n)) != 0)
		rc = -EMSGSIZE;
	if (rc >= 0)
		transfer_take(move->upstream, move->transfer, n);
	if (rc == 1)
		rc = end_frame(move);
	if (rc < 0)
		move_expire(move, EXPIRED_REFUSED,
			    "the API server's watch cannot be read; list again");
	return rc >= 0;
}

/* Frames pass by themselves; what is no stream of frames does not. */
static void flow_work(struct move *move)
{
	if (move->is_done)
		move->result = move->part_result;
	if (move->is_done && move->status != 200)
		move_over(move, UPSTREAM_COMPLETE);
}

bool move_watch_work(struct move *move)
{
	if (move->step == MOVE_SETTLE)
		return settle_work(move);
	flow_work(move);
	return false;
}
