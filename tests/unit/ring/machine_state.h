/*
 * The state of the machine, and what its parts ask of each other. machine.c has the
 * members and the oracle, machine_coordinator.c the coordinators.
 */
#ifndef RINGSIDE_UNIT_RING_MACHINE_STATE_H
#define RINGSIDE_UNIT_RING_MACHINE_STATE_H

#include "proxy/ring/changeover.h"
#include "tests/unit/ring/machine.h"
#include "tests/unit/ring/random.h"

#define MEMBERS 3
#define COORDINATORS 2
#define BUCKETS 3
#define LIVES 200 /* of one member */
#define KEPT 8    /* versions of the assignment that somebody may still see */

struct member {
	bool is_up;
	int life;     /* of its process: its incarnation */
	bool is_ours; /* its Lease bears this life, as far as it knows */
	bool is_leaving;
	int seen; /* the version of the assignment that it knows */
	struct changeover changeover;
	bool follows[RESOURCE_ROLES_N];
	bool has_right; /* by its own clock; a seal comes after its end alone */
	bool asks_right;
	/* A write that was let pass: to a bucket, or -1. */
	int write;
	int write_life;
	bool has_answer; /* false: its connection broke, it may still arrive */
	uint64_t told;   /* acknowledged on its Lease */
	int lease_life;
	bool is_sealed;
	bool is_deleted; /* by somebody: for others it counts as unchanged */
};

struct machine {
	struct random random;
	enum mutant mutant;
	int64_t now_ms;
	struct assignment versions[KEPT];
	int newest; /* its slot is newest % KEPT */
	struct member members[MEMBERS];
	/* What each coordinator believes: of the assignment, of Leases. */
	struct {
		int seen;
		uint64_t told[MEMBERS];
		int lease_life[MEMBERS];
		bool is_sealed[MEMBERS];
		struct assignment plan;
		int planned_on; /* the version that a write under way replaces; 0: none
				 */
	} coordinators[COORDINATORS];
	const char *broken; /* the invariant, once it is */
};

extern struct machine machine;

struct slice identity(int member, int life);
int roll(int n);

/* A version of the assignment, and the oldest that somebody may still see. */
struct assignment *version(int number);
int oldest(void);

/* One step of a coordinator. */
void coordinator_act(int c);

#endif
