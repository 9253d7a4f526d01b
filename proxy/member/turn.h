/*
 * Our part in handovers: carries out what proxy/ring/changeover decides. It hands
 * over to whoever shows and sends (through views), and tells on our Lease what is
 * released.
 */
#ifndef RINGSIDE_MEMBER_TURN_H
#define RINGSIDE_MEMBER_TURN_H

#include "proxy/member/keeper.h"
#include "proxy/ring/changeover.h"
#include "proxy/ring/ring.h"

/* What proxy/session and proxy/net do for it; all may be NULL in tests. */
struct turn_views {
	/* Whether views of the role are what the current ring shows. */
	bool (*follow)(void *arg, enum resource_role role);
	/* Whether a client may lack owned objects that it is shown. */
	bool (*lack)(void *arg);
	/* Cuts writes to these buckets that have no answer. */
	void (*reset_writes)(void *arg, const struct bucket_set *buckets);
	void *arg;
};

struct turn {
	struct member_context *context;
	struct keeper *keeper;
	struct ring_holder *ring;
	struct turn_views views;
	struct changeover changeover;
	struct loop_timer timer;
};

/* on_time: it is time for turn_step. What it works with outlives it. */
void turn_init(struct turn *turn, void (*on_time)(void *arg), void *arg);
void turn_finish(struct turn *turn);

/*
 * What follows from now: turn->changeover. Of facts the caller sets known, identity
 * (under which buckets are ours, "" while none can be), is_serving and is_barred. The
 * ring that shows it is to be published before the next step.
 */
void turn_step(struct turn *turn, struct changeover_facts facts);

#endif
