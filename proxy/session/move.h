/*
 * A move: what a WATCH is answered with whose client was shown other buckets when
 * it stood at its position r (design, section 6). To the exchange it is a way
 * upstream like any other, of which one transfer is started. Behind it are several:
 *
 *	RELEASE --> ACQUIRE --> SETTLE --> FLOW
 *	   `--> 410    `--------------------^
 *
 * RELEASE  what left, listed at exactly r, page by page: DELETED events at r
 * ACQUIRE  what came, listed at exactly F, the floor: ADDED events with the objects'
 *          own versions, and a BOOKMARK at r behind each batch of them
 * SETTLE   the WATCH of the new view from r, without the frames about what came that
 *          are not newer than F, until one is at or above F; it is asked for with a
 *          short time-out, as the API server sends a BOOKMARK before that is over
 * FLOW     the WATCH from there, untouched
 *
 * Nothing that is kept is listed again. A client that does not see by a new list what
 * has left is told so before it is told to list anew, and at its first WATCH after it
 * listed anew by itself (`relists`, `stands_here`): RELEASE alone. Before it is told to
 * list anew what left is listed as it is now, too, or alone if r is forgotten: r does
 * not say what it holds, which may have been made since.
 *
 * What cannot be done ends the answer: with an
 * ERROR event (410) where the client must list anew; cleanly, behind a BOOKMARK at r,
 * where it may come back; behind events of the WATCH, after some tries, without one.
 * Memory: one batch and the largest object.
 */
#ifndef RINGSIDE_SESSION_MOVE_H
#define RINGSIDE_SESSION_MOVE_H

#include "proxy/base/metric.h"
#include "proxy/kube/encoding.h"
#include "proxy/net/loop.h"
#include "proxy/net/upstream.h"
#include "proxy/ring/past.h"
#include "proxy/ring/spec.h"

enum {
	MOVES_STARTED,
	MOVES_RELEASED,   /* objects: DELETED events */
	MOVES_ACQUIRED,   /* objects: ADDED events */
	MOVES_DROPPED,    /* frames about acquired objects not newer than the floor */
	MOVES_SETTLED,    /* moves whose client stands in its new view */
	MOVES_PAUSED,     /* ended cleanly, as the API server could not be asked */
	MOVES_TOLD,       /* watches that were told what left, and no more */
	EXPIRED_DOUBTED,  /* 410, by reason: a move was not completed */
	EXPIRED_UNKNOWN,  /* the position is of no view that is known */
	EXPIRED_ENCODING, /* Table, CBOR: no events can be made */
	EXPIRED_CLIENT,   /* a client that resumes by its own rules */
	EXPIRED_GONE,     /* the API server has forgotten the position */
	EXPIRED_REFUSED,  /* it refuses the lists of the move, or they make no sense */
	MOVES_METRICS_N,
};

extern const struct metric moves_metrics[];

/* Slices, doubt and values outlive the move; spec and resource, too. */
struct move_plan {
	const struct ring_spec *spec;
	const struct ring_resource *resource;
	struct bucket_set released;
	struct bucket_set acquired;
	uint64_t position; /* r */
	uint64_t floor;    /* F */
	struct doubt *
		doubt; /* positions that are given out are noted in it; NULL: none is */
	int64_t *values; /* MOVES_METRICS_N of them, counted up */
	struct slice path;
	struct slice label_selector, field_selector; /* the client's own */
	bool allows_bookmarks;
	/* Not 0: EXPIRED_*, why its client lists anew once it has been told what left.
	 */
	int relists;
	bool stands_here; /* r is a position of this view: only what left is told */
	bool lacks_diff;  /* its client does not see by a new list what has left */
};

struct move;

/* Shared (ref): one reference is the caller's, one its transfer's. */
struct move *move_create(struct loop *loop, struct upstream *upstream,
			 const struct move_plan *plan);
void move_unref(struct move *move);

/* The answer is over: nothing more is asked for, made or noted. */
void move_stop(struct move *move);

/*
 * The way upstream to start the transfer of the client's WATCH on: once. Its target
 * has the selector of the new view, and position r.
 */
struct upstream *move_way(struct move *move);

/*
 * Whether the events about what left, those about what came, too, have been taken out
 * of the transfer, and whether its client stands in its new view once what was taken
 * has reached it.
 */
bool move_is_released(const struct move *move);
bool move_is_acquired(const struct move *move);
bool move_is_settled(const struct move *move);

/* Whether anything leaves; whether something waits for its client to take it. */
bool move_releases(const struct move *move);
bool move_is_waiting(const struct move *move);

/* The first of those above, and told whole: the answer did not end before. */
bool move_has_told(const struct move *move);

/* Whether a WATCH with that Accept can be moved. */
bool move_is_possible(struct slice accept);

#endif
