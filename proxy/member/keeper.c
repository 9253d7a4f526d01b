#include "proxy/member/keeper.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/member/barrier.h"
#include "proxy/member/right.h"
#include "proxy/ring/claim.h"

/* How often a drain looks whether writes are over. */
#define DRAIN_TICK_MS 20

struct keeper {
	struct member_context *context;
	const struct inflight *inflight;
	const struct keeper_events *events;
	void *arg;
	enum keeper_state state;
	struct claimer claimer;
	struct lease_copy own; /* as last stored */
	struct api_call *call;
	struct loop_timer timer; /* the next step of the state */
	struct right right;
	struct loop_task refuse_task; /* answers barriers that cannot be had */
	int64_t adopted_ms; /* when a predecessor's incarnation was adopted; or 0 */
	int64_t drained_ms; /* when our writes are over at the latest */
	uint64_t acknowledged;
	struct barriers barriers;
	const char *reason;
	bool is_untold;     /* the Lease is to tell something now */
	bool is_unattended; /* our controller is silent */
	bool is_releasing;
	bool deletes;
	void (*on_left)(void *arg);
	void *left_arg;
};

static void keeper_act(struct keeper *keeper);

/* --- what others ask --- */

enum keeper_state keeper_state(const struct keeper *keeper)
{
	return keeper->state;
}

struct slice keeper_identity(const struct keeper *keeper)
{
	if (keeper->state != KEEPER_HOLDING && keeper->state != KEEPER_CHECKING)
		return slice_of(NULL);
	return keeper->own.lease.holder;
}

bool keeper_had_former(const struct keeper *keeper)
{
	return keeper->claimer.lock.had_former;
}

bool keeper_holds_lock(const struct keeper *keeper)
{
	return lock_has_recorded(&keeper->claimer.lock, keeper_identity(keeper));
}

int64_t keeper_right_until_ms(const struct keeper *keeper)
{
	return right_until_ms(&keeper->right);
}

bool keeper_has_right(const struct keeper *keeper)
{
	return right_is_held(&keeper->right);
}

int64_t keeper_contact_ms(const struct keeper *keeper)
{
	return keeper->right.contact_ms;
}

const char *keeper_reason(const struct keeper *keeper)
{
	return keeper->reason;
}

uint64_t keeper_told_epoch(const struct keeper *keeper)
{
	return keeper->claimer.told_epoch;
}

/* --- barriers --- */

static void keeper_refuse_barriers(void *arg)
{
	struct keeper *keeper = arg;

	barriers_refuse(&keeper->barriers);
}

void keeper_write_barrier(struct keeper *keeper,
			  void (*done)(void *arg, uint64_t version), void *arg)
{
	barriers_add(&keeper->barriers, done, arg);
	if (keeper->state != KEEPER_HOLDING && keeper->state != KEEPER_CHECKING)
		loop_task_start(keeper->context->loop, &keeper->refuse_task);
	else if (!keeper->call)
		keeper_act(keeper);
}

static void keeper_on_right(void *arg)
{
	struct keeper *keeper = arg;

	keeper->events->on_change(keeper->arg);
}

/* --- writing --- */

static void keeper_wait(struct keeper *keeper, int64_t delay_ms)
{
	loop_timer_start(keeper->context->loop, &keeper->timer, delay_ms);
}

int64_t keeper_former_over_ms(const struct keeper *keeper)
{
	if (keeper->adopted_ms == 0)
		return 0;
	return keeper->adopted_ms + keeper->context->conf.lease_duration_ms;
}

static bool keeper_may_release(const struct keeper *keeper)
{
	return keeper->is_releasing &&
	       loop_now_ms(keeper->context->loop) >= keeper_former_over_ms(keeper);
}

/* When our Lease is to be written next. */
static void keeper_schedule(struct keeper *keeper)
{
	const struct member_context *context = keeper->context;
	int64_t at_ms = keeper->right.sent_ms + context->conf.lease_renew_ms;

	if (keeper->is_releasing && keeper_former_over_ms(keeper) < at_ms)
		at_ms = keeper_former_over_ms(keeper);
	if (barriers_are_waiting(&keeper->barriers) || keeper->is_untold)
		at_ms = 0;
	keeper_wait(keeper, at_ms - loop_now_ms(context->loop));
}

/* The last thing that a keeper does. */
static void keeper_leave(struct keeper *keeper)
{
	keeper->state = KEEPER_LEFT;
	claimer_stop(&keeper->claimer);
	loop_timer_stop(&keeper->timer);
	barriers_refuse(&keeper->barriers);
	right_end(&keeper->right);
	keeper->on_left(keeper->left_arg);
}

static void keeper_on_deleted(void *arg, const struct api_answer *answer)
{
	struct keeper *keeper = arg;
	struct err err;

	keeper->call = NULL;
	if (lease_call_outcome(keeper->context, LEASE_DELETE, answer, NULL, &err) ==
	    LEASE_FAILED)
		log_info("keeper",
			 "our Lease stays, released; a coordinator deletes it",
			 log_text("error", err.text));
	keeper_leave(keeper);
}

static void keeper_on_released(struct keeper *keeper)
{
	log_info("keeper", "released our Lease",
		 log_slice("identity", keeper->own.lease.holder));
	if (keeper->deletes)
		keeper->call = lease_call(keeper->context, LEASE_DELETE,
					  &keeper->own.lease, keeper_on_deleted,
					  keeper);
	else
		keeper_leave(keeper);
}

static void keeper_on_stored(struct keeper *keeper, const struct lease *lease,
			     int64_t sent_ms)
{
	uint64_t version = 0;

	lease_copy_set(&keeper->own, lease);
	(void)slice_to_u64(lease->resource_version, &version);
	keeper->context->values[MEMBER_RENEWALS]++;
	keeper->events->on_stored(keeper->arg, &keeper->own.lease);
	if (lease_is_over(lease)) {
		keeper_on_released(keeper);
		return;
	}
	log_debug("keeper", "renewed", log_slice("version", lease->resource_version));
	right_extend(&keeper->right, sent_ms);
	keeper_schedule(keeper);
	barriers_answer(&keeper->barriers, version);
	keeper->events->on_tick(keeper->arg);
}

static void keeper_on_failed(struct keeper *keeper, const struct err *err)
{
	struct member_context *context = keeper->context;

	context->values[MEMBER_RENEWAL_FAILURES]++;
	if (keeper->right.contact_ms != INT64_MAX)
		log_warn("keeper", "could not renew our Lease; trying until it is done",
			 log_int("right_ms", right_until_ms(&keeper->right) -
						     loop_now_ms(context->loop)),
			 log_text("error", err->text));
	barriers_answer(&keeper->barriers, 0);
	keeper_wait(keeper, member_retry_ms(context));
	right_lose_contact(&keeper->right);
}

static void keeper_on_written(void *arg, const struct api_answer *answer)
{
	struct keeper *keeper = arg;
	struct lease lease = { 0 };
	struct err err;

	keeper->call = NULL;
	switch (lease_call_outcome(keeper->context, LEASE_UPDATE, answer, &lease,
				   &err)) {
	case LEASE_OK:
		keeper_on_stored(keeper, &lease, answer->sent_ms);
		return;
	case LEASE_ABSENT:
	case LEASE_CONFLICT:
		log_info("keeper", "our renewal was refused; reading what stands there",
			 log_text("lease", keeper->context->lease_name),
			 log_text("answer", err.text));
		/* They are answered by the write that follows, or refused with it. */
		barriers_return(&keeper->barriers);
		keeper->state = KEEPER_CHECKING;
		keeper_act(keeper);
		return;
	case LEASE_FAILED:
		keeper_on_failed(keeper, &err);
		return;
	}
}

static void keeper_write(struct keeper *keeper)
{
	struct member_context *context = keeper->context;
	struct lease lease = keeper->own.lease;
	char now[CLOCK_WALL_BYTES], epoch[24];

	clock_wall_text(now);
	snprintf(epoch, sizeof(epoch), "%" PRIu64, keeper->acknowledged);
	lease.duration_s = member_lease_seconds(context);
	lease.renew_time = slice_of(now);
	lease.settings = slice_of(context->settings);
	lease.acknowledged = slice_of(keeper->acknowledged > 0 ? epoch : NULL);
	lease.controller =
		slice_of(keeper->is_unattended ? LEASE_CONTROLLER_SILENT : NULL);
	if (keeper_may_release(keeper))
		lease.state = SLICE_LITERAL(LEASE_STATE_RELEASED);
	keeper->is_untold = false;
	barriers_send(&keeper->barriers);
	keeper->call =
		lease_call(context, LEASE_UPDATE, &lease, keeper_on_written, keeper);
}

/* --- taken from us? --- */

static void keeper_lose(struct keeper *keeper, const char *message)
{
	struct member_context *context = keeper->context;

	log_error("keeper", message, log_slice("identity", keeper->own.lease.holder));
	context->values[MEMBER_REJOINS]++;
	keeper->state = KEEPER_DRAINING;
	keeper->reason = "its Lease was ended; it joins again";
	keeper->drained_ms = right_over_ms(&keeper->right);
	barriers_refuse(&keeper->barriers);
	right_end(&keeper->right);
	keeper_act(keeper);
}

static void keeper_on_standing(struct keeper *keeper, enum claim_standing standing,
			       const struct lease *lease)
{
	if (standing == STANDING_OURS) {
		/* No renewal: when that write was sent is not known any more. */
		lease_copy_set(&keeper->own, lease);
		keeper->state = KEEPER_HOLDING;
		keeper_act(keeper);
	} else if (standing == STANDING_SEALED && keeper->is_releasing &&
		   slice_is(lease->state, LEASE_STATE_RELEASED)) {
		lease_copy_set(&keeper->own, lease);
		keeper_on_released(keeper);
	} else {
		keeper_lose(keeper, claim_standing_text(standing));
	}
}

static void keeper_on_read(void *arg, const struct api_answer *answer)
{
	struct keeper *keeper = arg;
	struct lease lease = { 0 };
	struct err err;
	enum lease_outcome outcome;
	struct claim_question question = {
		.ring = keeper->context->spec->ring,
		.member = slice_of(keeper->context->conf.id),
		.proven = keeper->own.lease.holder,
	};

	keeper->call = NULL;
	outcome = lease_call_outcome(keeper->context, LEASE_GET, answer, &lease, &err);
	if (outcome != LEASE_OK && outcome != LEASE_ABSENT) {
		keeper_on_failed(keeper, &err);
		return;
	}
	if (outcome == LEASE_OK) {
		question.lease = &lease;
		keeper->events->on_stored(keeper->arg, &lease);
	}
	keeper_on_standing(keeper, claim_check(&question), &lease);
}

static void keeper_read(struct keeper *keeper)
{
	keeper->call = lease_call(keeper->context, LEASE_GET, &keeper->own.lease,
				  keeper_on_read, keeper);
}

static void keeper_drain(struct keeper *keeper)
{
	int64_t now_ms = loop_now_ms(keeper->context->loop);

	if (keeper->is_releasing) {
		keeper_leave(keeper);
		return;
	}
	if (now_ms < inflight_all_over_ms(keeper->inflight) &&
	    now_ms < keeper->drained_ms) {
		keeper_wait(keeper, DRAIN_TICK_MS);
		return;
	}
	keeper->state = KEEPER_CLAIMING;
	claimer_start(&keeper->claimer, slice_of(NULL));
}

/* The next step of the state. */
static void keeper_act(struct keeper *keeper)
{
	loop_timer_stop(&keeper->timer);
	switch (keeper->state) {
	case KEEPER_HOLDING:
		assert(!keeper->call && "one write at a time");
		keeper_write(keeper);
		return;
	case KEEPER_CHECKING:
		keeper_read(keeper);
		return;
	case KEEPER_DRAINING:
		keeper_drain(keeper);
		return;
	case KEEPER_CLAIMING:
		/* A claim under way is waited for, or it would live on for a while. */
		if (keeper->is_releasing && !claimer_is_writing(&keeper->claimer))
			keeper_leave(keeper);
		else if (keeper->is_releasing)
			keeper_wait(keeper, DRAIN_TICK_MS);
		return;
	case KEEPER_LEFT:
		return;
	}
}

static void keeper_on_timer(void *arg)
{
	keeper_act(arg);
}

/* --- the claimer's events --- */

static void keeper_on_claimed(void *arg, const struct lease *lease, int64_t sent_ms,
			      bool is_adopted)
{
	struct keeper *keeper = arg;

	keeper->state = KEEPER_HOLDING;
	keeper->reason = "";
	keeper->adopted_ms = is_adopted ? loop_now_ms(keeper->context->loop) : 0;
	keeper_on_stored(keeper, lease, sent_ms);
}

static void keeper_on_waiting(void *arg, const char *reason)
{
	struct keeper *keeper = arg;

	keeper->reason = reason;
	keeper->events->on_change(keeper->arg);
}

static const struct claimer_events claimer_events = {
	.on_claimed = keeper_on_claimed,
	.on_waiting = keeper_on_waiting,
};

/* --- life --- */

void keeper_poke(struct keeper *keeper, const struct lease *lease)
{
	bool is_taken = lease_is_over(lease) ||
			!slice_eq(lease->holder, keeper->own.lease.holder);

	if (keeper->state == KEEPER_CLAIMING && lease_is_over(lease))
		claimer_poke(&keeper->claimer);
	/* Somebody else wrote it: why wait until our renewal is refused. */
	if (keeper->state == KEEPER_HOLDING && !keeper->call && is_taken &&
	    lease_is_newer(lease, &keeper->own.lease)) {
		keeper->state = KEEPER_CHECKING;
		keeper_act(keeper);
	}
}

void keeper_acknowledge(struct keeper *keeper, uint64_t epoch, bool is_awaited)
{
	if (epoch <= keeper->acknowledged)
		return;
	keeper->is_untold |= (is_awaited || keeper->acknowledged == 0) &&
			     keeper->state != KEEPER_CLAIMING;
	keeper->acknowledged = epoch;
	keeper->claimer.acknowledged = epoch;
	if (keeper->is_untold && keeper->state == KEEPER_HOLDING && !keeper->call)
		keeper_schedule(keeper);
}

void keeper_set_unattended(struct keeper *keeper, bool is_unattended)
{
	keeper->is_unattended = is_unattended;
	keeper->is_untold |= keeper->state != KEEPER_CLAIMING;
	if (keeper->state == KEEPER_HOLDING && !keeper->call)
		keeper_schedule(keeper);
}

void keeper_release(struct keeper *keeper, bool deletes, void (*on_left)(void *arg),
		    void *arg)
{
	keeper->is_releasing = true;
	keeper->deletes = deletes;
	keeper->on_left = on_left;
	keeper->left_arg = arg;
	if (keeper->state == KEEPER_CLAIMING || keeper->state == KEEPER_DRAINING)
		keeper_wait(keeper, 0);
	else if (!keeper->call)
		keeper_schedule(keeper);
}

struct keeper *keeper_create(struct member_context *context,
			     const struct inflight *inflight,
			     const struct keeper_events *events, void *arg)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		abort();
	*keeper = (struct keeper){ .context = context,
				   .inflight = inflight,
				   .events = events,
				   .arg = arg,
				   .reason = "its Lease is not claimed yet" };
	barriers_init(&keeper->barriers);
	loop_timer_init(&keeper->timer, keeper_on_timer, keeper);
	right_init(&keeper->right, context, keeper_on_right, keeper);
	loop_task_init(&keeper->refuse_task, keeper_refuse_barriers, keeper);
	claimer_init(&keeper->claimer, context, &claimer_events, keeper);
	return keeper;
}

void keeper_start(struct keeper *keeper, struct slice named)
{
	claimer_start(&keeper->claimer, named);
}

void keeper_destroy(struct keeper *keeper)
{
	loop_timer_stop(&keeper->timer);
	right_finish(&keeper->right);
	loop_task_stop(&keeper->refuse_task);
	api_cancel(keeper->call);
	claimer_finish(&keeper->claimer);
	barriers_refuse(&keeper->barriers);
	lease_copy_clear(&keeper->own);
	free(keeper);
}
