/*
 * The inside of a move, for its files: move.c (the way upstream that it is, its
 * steps and its ends), move_list.c (RELEASE, ACQUIRE), move_watch.c (SETTLE, FLOW).
 */
#ifndef RINGSIDE_SESSION_MOVER_H
#define RINGSIDE_SESSION_MOVER_H

#include "proxy/base/arena.h"
#include "proxy/kube/event.h"
#include "proxy/kube/frame.h"
#include "proxy/kube/list_reader.h"
#include "proxy/kube/query.h"
#include "proxy/ring/newcomers.h"
#include "proxy/session/move.h"

/* Above this no more events are made, until some have been taken. */
#define MOVE_BATCH_BYTES (64u * 1024)
/* One event more than a batch: an item, and what goes around it. */
#define MOVE_BYTES_MAX (LIST_ITEM_BYTES_MAX + 4u * MOVE_BATCH_BYTES)

enum move_step {
	MOVE_RELEASE,
	MOVE_ACQUIRE,
	MOVE_SETTLE,
	MOVE_FLOW,
	MOVE_OVER, /* what is in `out` is the last */
};

struct move {
	struct upstream super;
	int refs;
	struct loop *loop;
	struct upstream *upstream;
	struct move_plan plan;
	enum move_step step;
	struct arena *arena;

	/* The exchange's side. */
	struct upstream_request request;
	const struct upstream_events *events;
	void *arg;
	struct upstream_head head;
	struct buf out; /* frames that wait to be taken */
	bool is_head_ready;
	bool is_head_told;
	bool is_end_told;
	bool is_closed;
	bool has_events;     /* some were made */
	bool has_released;   /* all about what left were */
	bool is_present;     /* what left is listed as it is now, not at r */
	size_t release_left; /* of `out`: up to the last event about what left */
	size_t acquire_left; /* the same, about what came */
	enum upstream_result result;
	struct err err;

	/* The API server's side: one transfer at a time. */
	struct transfer *transfer;
	struct loop_task work;
	struct loop_timer again; /* the watch is asked for once more */
	int tries;               /* in vain, in a row */
	int status;              /* of its answer; 0: no head yet */
	bool is_done;
	enum upstream_result part_result;
	struct err part_err;

	enum kube_encoding encoding;
	struct list_reader reader;
	bool has_reader;
	size_t items_n, items_bytes; /* of the list, so far */
	struct buf frame;
	struct frame_scanner scanner;
	uint64_t position; /* of the watch */
	struct newcomers newcomers;
	uint64_t hash_key[2]; /* names come from outside */
	bool is_settled;
	char kind[128]; /* of the objects */
	char api_version[128];
	char version[24]; /* r, as text */
};

/* Starts a transfer with the client's headers; accept: NULL keeps the client's. */
void move_request(struct move *move, struct slice target, const char *accept,
		  int64_t timeout_ms);

/* The transfer that there is is over. */
void move_part_close(struct move *move);

/* Enters a step; the lists of nothing are passed over. */
void move_enter(struct move *move, enum move_step step);

/* Makes the answer's head, from the first of the API server's. */
void move_head(struct move *move, const struct upstream_head *like);

/*
 * Ends the answer: its client is to list anew, for a reason (EXPIRED_*); or may come
 * back, as the API server cannot be asked now.
 */
void move_expire(struct move *move, int reason, const char *message);
void move_pause(struct move *move);
/* What is made is the last. */
void move_over(struct move *move, enum upstream_result result);

/* Does what can be done with what has come. False: nothing. */
bool move_list_work(struct move *move);
bool move_watch_work(struct move *move);

/* Asks for the first page; for the watch. */
void move_list_start(struct move *move);
void move_watch_start(struct move *move);

/* What newcomers are known by: a hash of the name. */
uint64_t move_object(const struct move *move, const struct event_head *head);

/* Where the client allows it and the kind is known, a BOOKMARK there. */
void move_bookmark(struct move *move, uint64_t position);

#endif
