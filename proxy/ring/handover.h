/*
 * How a bucket changes hands (design, section 5, "Handover of a bucket"), on the
 * coordinator's side: from the assignment that stands, and who shall have what,
 * to the one that may follow. Pure; changeover.h is the member's side.
 *
 *	at rest (A, A)  -> (A, B)	B is announced as target
 *	(A, B)          -> (B, B)	A has acknowledged this change, or is gone
 *	(A, B)          -> (A, C)	another shall have it, B is gone for instance
 *	(A, B)          -> (A, A)	A shall keep it: what it releases, it acquires
 *	A gone, nobody  -> (B, B)	at once
 *
 * Each change of a bucket gets a `since` of its own, the epoch that tells of it: an
 * acknowledgement of an earlier epoch says nothing about it.
 */
#ifndef RINGSIDE_RING_HANDOVER_H
#define RINGSIDE_RING_HANDOVER_H

#include "proxy/ring/assignment.h"

/* Who shall have what, and what is known of who is named in the assignment. */
struct handover_plan {
	const struct slice *active; /* identities */
	int active_n;
	const int *want; /* for each bucket an index into active, or -1: nobody */
	/*
	 * For each of the assignment's members. Facts that stay true for ever:
	 * its Lease was ended or released or bears another incarnation; the highest
	 * epoch that it acknowledged on a Lease that bears this very incarnation.
	 */
	const bool *is_gone;
	const uint64_t *acknowledged;
};

/*
 * The next assignment, its epoch one higher. Owners that stand but are not active
 * stay among its members until nothing names them. Slices are shared with the
 * inputs; out may be now. False, and *out untouched, when nothing would change.
 */
bool handover_next(struct assignment *out, const struct assignment *now,
		   const struct handover_plan *plan);

/* Whether the owner of a bucket under way has let go of it. */
bool handover_is_acknowledged(const struct assigned_bucket *bucket,
			      const struct handover_plan *plan);

#endif
