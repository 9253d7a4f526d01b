/*
 * Handover as a machine: members, two coordinators and an API server, whose
 * decisions are those of proxy/ring/handover and proxy/ring/changeover. In random
 * histories everybody may be slow, see old versions, crash and come back, or stop as it
 * should; Leases are deleted by hands; writes arrive late. An oracle looks at each
 * step. A mutant leaves one rule out.
 */
#ifndef RINGSIDE_UNIT_RING_MACHINE_H
#define RINGSIDE_UNIT_RING_MACHINE_H

#include <stdint.h>

enum mutant {
	MUTANT_NONE,
	MUTANT_NO_FENCE,        /* a bucket is written to while it is released */
	MUTANT_NO_DRAIN,        /* writes in flight are not waited for */
	MUTANT_BROKEN_IS_OVER,  /* a write without an answer is not waited for */
	MUTANT_NO_ACK,          /* nobody is asked */
	MUTANT_ANY_ACK,         /* an acknowledgement of whatever epoch will do */
	MUTANT_NO_PRECONDITION, /* the assignment is written over a newer one */
	MUTANT_NO_SEAL,         /* silence alone is death */
	MUTANT_OLD_LIFE_OWNS,   /* an owner is named without its incarnation */
	MUTANT_REJOIN_AT_ONCE,  /* a new incarnation does not wait for old writes */
	MUTANT_TAKE_AT_ONCE,    /* a process takes the Lease of its id at once */
	MUTANT_STOP_UNFENCED,   /* who is told to end writes on */
	MUTANT_STOP_UNDRAINED,  /* ... and does not wait for its writes */
	MUTANTS_N,
};

extern const char *const mutants[MUTANTS_N];

/* What all runs did together. */
struct machine_counts {
	uint64_t steps;
	uint64_t writes;    /* that the fence let pass */
	uint64_t handovers; /* that came to their end */
};

extern struct machine_counts machine_counts;

/* The invariant that a history breaks, or NULL. */
const char *machine_run(uint64_t seed, enum mutant mutant, int steps);

/* As few steps of the same history as break it. */
int machine_shrink(uint64_t seed, enum mutant mutant);

#endif
