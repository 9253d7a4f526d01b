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
 * proof of anything from then on. Notes may be mistaken in one direction: a position
 * may seem to be one of them that is not, and its client has to list again.
 */
#ifndef RINGSIDE_RING_PAST_H
#define RINGSIDE_RING_PAST_H

#include "proxy/ring/view.h"

#define PAST_VIEWS_MAX 8
#define DOUBT_BITS (32 * 1024)

struct past {
	struct view views[PAST_VIEWS_MAX]; /* oldest first */
	int views_n;
};

/*
 * `next` follows `former`. Where its floor cannot be told from the positions that
 * were given out before, nothing of the past can be.
 */
void past_add(struct past *past, const struct view *former, const struct view *next);

/* What clients of one key were given below a floor, in moves to that floor's view. */
struct doubt {
	uint64_t floor; /* of the view that they were moved to last; 0: never */
	uint64_t lost; /* who stands below it may have been moved, to no view that is */
	uint64_t seen[DOUBT_BITS / 64];
};

/* A client is moved to the view with that floor. Before it is given anything. */
void doubt_begin(struct doubt *doubt, uint64_t floor);

/* It is about to be given this position, which may be below the floor. */
void doubt_note(struct doubt *doubt, uint64_t position);

/*
 * Where a WATCH's position stands. doubt: of its key; NULL: none was moved. *former
 * (of VIEW_STANDS_FORMER) lies in the past.
 */
enum view_standing past_judge(const struct past *past, const struct view *current,
			      const struct doubt *doubt, uint64_t position,
			      const struct view **former);

#endif
