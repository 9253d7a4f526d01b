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
 * Assigns every bucket to one of the active members. A member keeps what it has
 * (what it is given, where a handover is under way) up to its share: B/n, and one
 * more for B%n members: those who hold more, then those who receive buckets
 * anyway. The rest goes where there is room. So a newcomer takes exactly what a
 * lost member had. active: identities, n >= 0; with n == 0 all become nobody's.
 * Writes owner indexes (into active, or -1) for each bucket to out (room for B).
 */
void plan_assign(const struct assignment *now, const struct slice *active, int n,
		 int *out);

#endif
