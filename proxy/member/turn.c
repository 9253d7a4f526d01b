#include "proxy/member/turn.h"

#include "proxy/base/log.h"

/* How often we look whether writes have been answered. */
#define TURN_TICK_MS 10

void turn_init(struct turn *turn, void (*on_time)(void *arg), void *arg)
{
	loop_timer_init(&turn->timer, on_time, arg);
}

void turn_finish(struct turn *turn)
{
	loop_timer_stop(&turn->timer);
}

static bool turn_follows(const struct turn *turn, enum resource_role role)
{
	return !turn->views.follow || turn->views.follow(turn->views.arg, role);
}

static bool turn_clients_lack(const struct turn *turn)
{
	return turn->views.lack && turn->views.lack(turn->views.arg);
}

/* Writes of a process whose incarnation we adopted are not known to us. */
static int64_t turn_writes_over_ms(const struct turn *turn)
{
	int64_t ours_ms =
		inflight_over_ms(&turn->ring->inflight, &turn->changeover.releasing);
	int64_t former_ms = keeper_former_over_ms(turn->keeper);

	return ours_ms > former_ms ? ours_ms : former_ms;
}

static bool is_any_under_way(const struct assignment *known)
{
	for (int b = 0; b < known->buckets; b++)
		if (known->bucket[b].owner != known->bucket[b].target)
			return true;
	return false;
}

/* Before the Lease is ours it may be a predecessor's, who has released nothing. */
static void turn_acknowledge(struct turn *turn, const struct assignment *known,
			     bool is_ours, bool is_awaited)
{
	if (known->epoch > 0 && (is_ours || !is_any_under_way(known)))
		keeper_acknowledge(turn->keeper, turn->changeover.acknowledged,
				   is_awaited);
}

static void turn_log(const struct bucket_set *before, const struct changeover *after)
{
	if (bucket_set_is_equal(before, &after->releasing))
		return;
	log_info("handover",
		 bucket_set_is_empty(&after->releasing) ? "nothing more to release"
							: "releasing buckets",
		 log_int("buckets", bucket_set_count(&after->releasing)),
		 log_int("acknowledged", (int64_t)after->acknowledged));
}

static void turn_reset_writes(struct turn *turn)
{
	const struct bucket_set *buckets = &turn->changeover.releasing;

	if (!turn->changeover.resets || !turn->views.reset_writes ||
	    inflight_over_ms(&turn->ring->inflight, buckets) != INT64_MAX)
		return;
	log_warn("handover",
		 "writes to buckets that are to be released stay unanswered; they "
		 "are cut, and waited for until they cannot arrive any more",
		 log_int("buckets", bucket_set_count(buckets)));
	turn->views.reset_writes(turn->views.arg, buckets);
}

void turn_step(struct turn *turn, struct changeover_facts facts)
{
	const struct member_conf *conf = &turn->context->conf;
	const struct changeover_times times = {
		.quiet_ms = conf->handover_quiet_ms,
		.settle_ms = conf->handover_settle_ms,
		.drain_timeout_ms = conf->handover_drain_timeout_ms,
	};
	struct bucket_set releasing = turn->changeover.releasing;
	int64_t wait_ms;

	facts.follows[RESOURCE_MAIN] = turn_follows(turn, RESOURCE_MAIN);
	facts.follows[RESOURCE_OWNED] = turn_follows(turn, RESOURCE_OWNED);
	facts.clients_lack = turn_clients_lack(turn);
	facts.writes_over_ms = turn_writes_over_ms(turn);
	facts.now_ms = loop_now_ms(turn->context->loop);
	facts.times = &times;
	changeover_step(&turn->changeover, &facts);
	turn_log(&releasing, &turn->changeover);
	turn_reset_writes(turn);
	turn_acknowledge(
		turn, facts.known, facts.identity.len > 0,
		!bucket_set_is_within(&releasing, &turn->changeover.releasing));
	if (turn->changeover.wake_ms == INT64_MAX &&
	    bucket_set_is_empty(&turn->changeover.releasing)) {
		loop_timer_stop(&turn->timer);
		return;
	}
	wait_ms = turn->changeover.wake_ms - facts.now_ms;
	/* That a write was answered is told to nobody. */
	if (!bucket_set_is_empty(&turn->changeover.releasing) && wait_ms > TURN_TICK_MS)
		wait_ms = TURN_TICK_MS;
	loop_timer_start(turn->context->loop, &turn->timer, wait_ms);
}
