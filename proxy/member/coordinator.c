#include "proxy/member/coordinator.h"

#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/member/publication.h"

/* Changes that come together make one epoch. */
#define GATHER_MS 20

struct coordinator {
	struct member_context *context;
	struct errands *errands;
	struct follower *follower;
	struct publication publication;
	struct labeller_env labeller_env;
	struct labeller *labeller;
	int64_t labeller_values[LABELLER_METRICS_N];
	uint32_t labelled; /* first passes that we have seen end */
	struct loop_timer timer;
	int64_t publish_ms; /* our clock, when a plan is to be published; 0: none is */
	void (*on_change)(void *arg);
	void *arg;
};

static void coordinator_changed(void *arg)
{
	struct coordinator *coordinator = arg;

	if (coordinator->on_change)
		coordinator->on_change(coordinator->arg);
}

void coordinator_on_change(struct coordinator *coordinator,
			   void (*on_change)(void *arg), void *arg)
{
	coordinator->on_change = on_change;
	coordinator->arg = arg;
}

void coordinator_report(struct coordinator *coordinator, struct coordination *c)
{
	errands_report(coordinator->errands, c);
	c->labelled = coordinator->labelled;
	c->tried_epoch = coordinator->publication.epoch;
}

/* --- the labeller --- */

static void coordinator_on_labelled(void *arg, int resource)
{
	struct coordinator *coordinator = arg;

	coordinator->labelled |= UINT32_C(1) << resource;
	coordinator_changed(coordinator);
}

static void coordinator_stop(struct coordinator *coordinator)
{
	labeller_destroy(coordinator->labeller);
	coordinator->labeller = NULL;
	coordinator->labelled = 0;
	coordinator->publish_ms = 0;
	loop_timer_stop(&coordinator->timer);
}

static void coordinator_start_labeller(struct coordinator *coordinator,
				       const struct coordination *c)
{
	/* Labels follow from what members agreed on: not before that is published. */
	if (coordinator->labeller || c->known->epoch == 0)
		return;
	coordinator->labeller =
		labeller_create(&coordinator->labeller_env, c->known->labelled);
	labeller_count_into(coordinator->labeller, coordinator->labeller_values);
}

/* --- the plan --- */

/*
 * When to publish what was planned: at once what heals; after a moment what can
 * wait for more of its kind. The very first assignment waits for members to
 * come, so that buckets do not move right after.
 */
static int64_t coordinator_delay_ms(const struct coordinator *coordinator,
				    const struct coordination *c)
{
	struct slice candidates[ROSTER_PEERS_MAX];

	if (coordination_has_orphans(c))
		return 0;
	if (c->known->epoch == 0 &&
	    coordination_candidates(c, candidates) < coordination_shards(c))
		return coordinator->context->conf.lease_renew_ms;
	/* Who takes from several members changes its views once. */
	return coordination_awaits(c) ? coordinator->context->conf.handover_batch_ms
				      : GATHER_MS;
}

static void coordinator_publish(struct coordinator *coordinator,
				const struct coordination *c,
				const struct assignment *next)
{
	int64_t at_ms = c->now_ms + coordinator_delay_ms(coordinator, c);

	if (coordinator->publish_ms == 0 || at_ms < coordinator->publish_ms)
		coordinator->publish_ms = at_ms;
	if (c->now_ms < coordinator->publish_ms) {
		loop_timer_start(coordinator->context->loop, &coordinator->timer,
				 coordinator->publish_ms - c->now_ms);
		return;
	}
	coordinator->publish_ms = 0;
	publication_start(&coordinator->publication, c->known, next);
}

void coordinator_think(struct coordinator *coordinator, const struct coordination *c,
		       bool is_in_charge)
{
	struct assignment next;

	if (!is_in_charge) {
		coordinator_stop(coordinator);
		return;
	}
	coordinator_start_labeller(coordinator, c);
	errands_run(coordinator->errands, c);
	if (publication_is_busy(&coordinator->publication))
		return;
	loop_timer_stop(&coordinator->timer);
	if (coordination_plan(c, &next) == PLAN_PUBLISH)
		coordinator_publish(coordinator, c, &next);
	else
		coordinator->publish_ms = 0;
}

/* --- life --- */

struct coordinator *coordinator_create(struct member_context *context,
				       struct peers *peers, struct follower *follower,
				       const struct labeller_env *labeller,
				       struct metrics *metrics)
{
	struct coordinator *coordinator = calloc(1, sizeof(*coordinator));

	if (!coordinator)
		abort();
	coordinator->context = context;
	coordinator->follower = follower;
	coordinator->errands =
		errands_create(context, peers, coordinator_changed, coordinator);
	coordinator->labeller_env = *labeller;
	coordinator->labeller_env.on_labelled = coordinator_on_labelled;
	coordinator->labeller_env.arg = coordinator;
	loop_timer_init(&coordinator->timer, coordinator_changed, coordinator);
	publication_init(&coordinator->publication, context, follower,
			 coordinator_changed, coordinator);
	metrics_add(metrics, labeller_metrics, coordinator->labeller_values,
		    LABELLER_METRICS_N);
	return coordinator;
}

void coordinator_reload(struct coordinator *coordinator)
{
	if (coordinator->labeller)
		labeller_reload(coordinator->labeller, &coordinator->context->conf);
}

void coordinator_destroy(struct coordinator *coordinator)
{
	coordinator_stop(coordinator);
	publication_finish(&coordinator->publication);
	errands_destroy(coordinator->errands);
	free(coordinator);
}
