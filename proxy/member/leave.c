#include "proxy/member/leave.h"

#include "proxy/base/log.h"

/* How often we look whether writes are answered. */
#define LEAVE_TICK_MS 5
/* How long giving up the Leases may take once they are. */
#define LEAVE_RELEASE_MS 5000

static void leave_end(struct leave *leave)
{
	loop_timer_stop(&leave->timer);
	leave->parting.on_left(leave->parting.arg);
}

static void leave_on_released(void *arg)
{
	struct leave *leave = arg;

	leave->is_released = true;
}

/* Whether it succeeded or not: the Lease stands, and is ours. */
static void leave_on_renewed(void *arg, uint64_t version)
{
	(void)version;
	leave_on_released(arg);
}

static void leave_release(struct leave *leave)
{
	leave->is_releasing = true;
	leave->over_ms = loop_now_ms(leave->context->loop) + LEAVE_RELEASE_MS;
	if (leave->parting.keeps) {
		leave->keeps_locks = true;
		keeper_write_barrier(leave->keeper, leave_on_renewed, leave);
		return;
	}
	if (leave->is_last(leave->arg))
		stakes_give_up(leave->stakes);
	else
		leave->keeps_locks = true;
	/* The coordinator deletes what still names buckets, once it does not. */
	keeper_release(leave->keeper, !leave->is_named(leave->arg), leave_on_released,
		       leave);
}

static bool leave_is_done(const struct leave *leave)
{
	return leave->is_released && !election_is_held(leave->election) &&
	       (leave->keeps_locks || stakes_are_given_up(leave->stakes));
}

/* Nothing of ours can be written any more, and no client thinks that it could. */
static bool leave_may_release(const struct leave *leave, int64_t now_ms)
{
	if (now_ms < inflight_all_over_ms(leave->inflight))
		return false;
	return leave->parting.keeps || now_ms >= leave->drained_ms ||
	       leave->is_withdrawn(leave->arg);
}

static void leave_on_timer(void *arg)
{
	struct leave *leave = arg;
	int64_t now_ms = loop_now_ms(leave->context->loop);

	if (leave_is_done(leave)) {
		leave_end(leave);
		return;
	}
	if (!leave->is_releasing && leave_may_release(leave, now_ms))
		leave_release(leave);
	if (!leave->is_releasing && now_ms >= leave->drained_ms) {
		log_warn("member",
			 "leaving with writes unanswered; our Lease runs out by "
			 "itself, and our buckets wait for that",
			 log_int("writes", leave->inflight->total));
		leave_end(leave);
		return;
	}
	if (leave->is_releasing && now_ms >= leave->over_ms) {
		log_warn("member",
			 "leaving without an answer of the API server; our Lease "
			 "runs out by itself");
		leave_end(leave);
		return;
	}
	loop_timer_start(leave->context->loop, &leave->timer, LEAVE_TICK_MS);
}

void leave_init(struct leave *leave, struct member_context *context)
{
	*leave = (struct leave){ .context = context };
	loop_timer_init(&leave->timer, leave_on_timer, leave);
}

void leave_finish(struct leave *leave)
{
	loop_timer_stop(&leave->timer);
}

void leave_start(struct leave *leave, const struct membership_parting *parting)
{
	leave->has_begun = true;
	leave->parting = *parting;
	leave->drained_ms = loop_now_ms(leave->context->loop) + parting->timeout_ms;
	loop_timer_start(leave->context->loop, &leave->timer, 0);
}
