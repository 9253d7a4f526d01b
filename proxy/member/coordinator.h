/*
 * The coordinator's work, done while this member sits in the seat: errands about
 * the Leases of others, the plan, its publication, the labeller. What to do is
 * decided in proxy/ring/coordination; this gathers changes, writes the ConfigMap
 * with its resourceVersion as precondition, and sees to it that a refused write
 * is followed by a read.
 */
#ifndef RINGSIDE_MEMBER_COORDINATOR_H
#define RINGSIDE_MEMBER_COORDINATOR_H

#include "proxy/member/errands.h"
#include "proxy/member/follower.h"
#include "proxy/member/labeller.h"

struct coordinator;

/*
 * labeller: as for labeller_create; on_labelled is ours. metrics learns what
 * labellers count.
 */
struct coordinator *coordinator_create(struct member_context *context,
				       struct peers *peers, struct follower *follower,
				       const struct labeller_env *labeller,
				       struct metrics *metrics);
void coordinator_destroy(struct coordinator *coordinator);

/* What to call whenever something changed: think again. */
void coordinator_on_change(struct coordinator *coordinator,
			   void (*on_change)(void *arg), void *arg);

/* The context's configuration has changed. */
void coordinator_reload(struct coordinator *coordinator);

/* Fills in what the coordinator knows: replaced, labelled. c->known must be set. */
void coordinator_report(struct coordinator *coordinator, struct coordination *c);

/* Decides and acts. is_in_charge: seated, with the right, and agreed. */
void coordinator_think(struct coordinator *coordinator, const struct coordination *c,
		       bool is_in_charge);

#endif
