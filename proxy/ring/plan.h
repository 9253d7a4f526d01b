/*
 * Who shall own which bucket: sticky, balanced to within one bucket, with the
 * fewest moves. Pure: same input, same answer, on every member.
 */
#ifndef RINGSIDE_RING_PLAN_H
#define RINGSIDE_RING_PLAN_H

#include "proxy/ring/assignment.h"

/*
 * The active set: of the candidates (identities, alive and agreeing, in order
 * of seniority), the ones that are active already stay, then the seniors join
 * until `shards` are active; the last in order go when there are too many.
 * Writes indexes into candidates to active (room for n); how many.
 */
int plan_active(const struct assignment *now, const struct slice *candidates, int n,
		int shards, int *active);

/*
 * Assigns every bucket to one of the active members: a member keeps what it has
 * up to its fair share (B/n, the first B%n members in order of what they hold
 * one more), the rest goes where there is room. active: identities, n >= 0; with
 * n == 0 owners that are not `dead` stay, others become nobody's. Writes owner
 * indexes (into active, or -1) for each bucket to out (room for B).
 */
void plan_assign(const struct assignment *now, const struct slice *active, int n,
		 int *out);

#endif
