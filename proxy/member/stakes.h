/*
 * The real locks of `locks`, held for the ring: reads and writes them as
 * proxy/ring/stake decides, one call a lock at a time, and says until when this member
 * may rest on them. Every member does, each by its own evidence; the coordinator
 * renews.
 */
#ifndef RINGSIDE_MEMBER_STAKES_H
#define RINGSIDE_MEMBER_STAKES_H

#include "proxy/member/lease_call.h"
#include "proxy/ring/stake.h"

struct stakes;

/* on_change: what they say may be another thing now. Nothing is asked yet. */
struct stakes *stakes_create(struct member_context *context,
			     void (*on_change)(void *arg), void *arg);
/* Calls under way may still have their effect. */
void stakes_destroy(struct stakes *stakes);

/* is_wanted: this member could serve, but for the locks. */
void stakes_think(struct stakes *stakes, bool is_wanted, bool is_in_charge);

/*
 * No member of the ring writes any more: whoever waits for the locks is to have them
 * now. stakes_are_given_up says when that is done.
 */
void stakes_give_up(struct stakes *stakes);
bool stakes_are_given_up(const struct stakes *stakes);

/* Until when nobody else can hold any of them; INT64_MAX: there are none. */
int64_t stakes_until_ms(const struct stakes *stakes);

/*
 * Whether one is held by a replica that runs without Ringside, or was, and is not the
 * ring's yet.
 */
bool stakes_are_foreign(const struct stakes *stakes);

/* Whether all were the ring's before. */
bool stakes_were_held(const struct stakes *stakes);

/* For /ring; borrowed until the next return to the loop. */
struct stake_report {
	const struct ring_lock *lock;
	struct slice holder;
	const char *state; /* "held", "foreign", "free", "unknown" */
};

/* Into out, of SPEC_LOCKS_MAX; how many. */
int stakes_report(const struct stakes *stakes, struct stake_report *out);

#endif
