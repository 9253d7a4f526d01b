/*
 * The past of a resource's views: which view a WATCH that comes back was made from,
 * by its position alone (design, section 6). Floors ascend, and each is above every
 * position that was given out before it; so a position at or above a view's floor,
 * and below the next one's, was given out under that view, and its client holds
 * that view's objects as they were then. Such a client can be moved. Pure.
 *
 * But a client that is being moved is given positions of the new view, and versions
 * of acquired objects, below the new floor. So the positions that clients of one key
 * (path, selectors, encoding, program) were given in a move are noted, and are no
 * proof of anything from then on: their client has to list again. Nor are the versions
 * of objects that a WATCH without a position begins with.
 */
#ifndef RINGSIDE_RING_PAST_H
#define RINGSIDE_RING_PAST_H

#include "proxy/base/marks.h"
#include "proxy/ring/view.h"

#define PAST_VIEWS_MAX 8
/* 9 bytes each, and as much again at worst; with more, all are in doubt. */
#define DOUBT_POSITIONS_MAX (256u * 1024)

struct past {
	struct view views[PAST_VIEWS_MAX]; /* oldest first */
	int views_n;
};

/*
 * `next` follows `former`. Where its floor cannot be told from the positions that
 * were given out before, nothing of the past can be.
 */
void past_add(struct past *past, const struct view *former, const struct view *next);

/*
 * What clients of one key were given that says nothing about what they hold. All zero:
 * nothing.
 */
struct doubt {
	uint64_t floor; /* of the view that they were moved to last; 0: never */
	uint64_t lost; /* who stands below it may have been moved, to no view that is */
	struct marks seen; /* from `lost` up to the floor */
	bool is_full;      /* more than can be noted */
	uint64_t seeded;   /* the newest object that a WATCH began with */
	/*
	 * Of clients that do not see by a new list what has left: they may hold what
	 * the view with this floor showed, and all views since. 0: anything.
	 */
	uint64_t held_since;
	bool has_held; /* held_since is known */
	/* What left by this floor was sent to one that stood there; 0: nothing was. */
	uint64_t told_floor, told_at;
	int told_times; /* from there, in a row */
};

void doubt_finish(struct doubt *doubt);

/* A client is moved to the view with that floor. Before it is given anything. */
void doubt_begin(struct doubt *doubt, uint64_t floor);

/* It is about to be given this position, which may be below the floor. */
void doubt_note(struct doubt *doubt, uint64_t position);

/*
 * A WATCH without a position sends the state of things first, in no order: it is about
 * to send an object of this version, and its client may come back from there.
 */
void doubt_seed(struct doubt *doubt, uint64_t version);

/* The first position that it says nothing about, and none above it. */
uint64_t doubt_certain_from(const struct doubt *doubt);

/*
 * A client of the key is about to be shown the view with that floor, which is told of
 * the first one alone; 0: one that was there before.
 */
void doubt_hold(struct doubt *doubt, uint64_t floor);

/*
 * What left by the floor was sent to a client that stood at a position, which it bears.
 * That it was read is known once the client comes back from another one, or again and
 * again from there: some try a position once more that they were told is gone.
 */
#define DOUBT_TOLD_MAX 8

void doubt_told(struct doubt *doubt, uint64_t floor, uint64_t position);
void doubt_returns(struct doubt *doubt, uint64_t position);

/*
 * What a client of the key may hold at most, by now; doubt: NULL where nothing is
 * known. All buckets, if a view that it may have been shown has been forgotten.
 */
struct bucket_set past_held(const struct past *past, const struct view *current,
			    const struct doubt *doubt, int buckets);

/* Whether it says anything about positions at or above this one. */
bool doubt_is_about(const struct doubt *doubt, uint64_t oldest);

/*
 * Where a WATCH's position stands. doubt: of its key; NULL: none was moved. *former
 * (of VIEW_STANDS_FORMER) lies in the past.
 */
enum view_standing past_judge(const struct past *past, const struct view *current,
			      const struct doubt *doubt, uint64_t position,
			      const struct view **former);

#endif
