#include "proxy/member/claimer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proxy/base/log.h"
#include "proxy/ring/claim.h"

static void claimer_read(struct claimer *claimer);

/* --- writing --- */

/*
 * 32 random bits tell the lives of one member apart. An update whose answer was
 * lost is repeated as the same incarnation while nothing was stored since: then it
 * never was. Any other may have been stored, and ended, behind our back.
 */
static void attempt_make(struct claimer *claimer)
{
	struct slice version = claimer->seen.lease.resource_version;
	uint32_t incarnation;

	if (claimer->attempt[0] && version.len > 0 &&
	    slice_is(version, claimer->attempt_version))
		return;
	if (getrandom(&incarnation, sizeof(incarnation), 0) != sizeof(incarnation))
		abort();
	snprintf(claimer->attempt, sizeof(claimer->attempt), "%s/%08" PRIx32,
		 claimer->context->conf.id, incarnation);
	snprintf(claimer->attempt_version, sizeof(claimer->attempt_version), "%.*s",
		 SLICE_ARGS(version));
}

static void claimer_on_claimed(struct claimer *claimer, const struct lease *lease,
			       int64_t sent_ms)
{
	bool is_adopted = slice_is(lease->holder, claimer->lock.identity);
	struct err err;

	claimer->has_claimed = true;
	log_info("keeper",
		 is_adopted ? "adopted our predecessor's Lease: the lock file proves "
			      "that it is gone"
			    : "claimed our Lease",
		 log_text("lease", claimer->context->lease_name),
		 log_slice("identity", lease->holder));
	if (lock_record(&claimer->lock, lease->holder, &err) < 0)
		log_warn("keeper", "a restart in place will have to wait for the Lease",
			 log_text("error", err.text));
	claimer->events->on_claimed(claimer->arg, lease, sent_ms, is_adopted);
}

static void claimer_on_written(void *arg, const struct api_answer *answer)
{
	struct claimer *claimer = arg;
	struct lease lease = { 0 };
	struct err err;

	claimer->call = NULL;
	switch (lease_call_outcome(claimer->context, claimer->verb, answer, &lease,
				   &err)) {
	case LEASE_OK:
		claimer_on_claimed(claimer, &lease, answer->sent_ms);
		return;
	case LEASE_ABSENT:
	case LEASE_CONFLICT:
		/* Somebody was faster; what stands there now decides. */
		claimer_read(claimer);
		return;
	case LEASE_FAILED:
		log_warn("keeper", "could not claim our Lease; trying again",
			 log_text("lease", claimer->context->lease_name),
			 log_text("error", err.text));
		loop_timer_start(claimer->context->loop, &claimer->timer,
				 member_retry_ms(claimer->context));
		return;
	}
}

static void claimer_write(struct claimer *claimer, bool adopts)
{
	struct member_context *context = claimer->context;
	struct lease lease = claimer->seen.lease;
	char now[CLOCK_WALL_BYTES], epoch[24];

	clock_wall_text(now);
	snprintf(epoch, sizeof(epoch), "%" PRIu64, claimer->acknowledged);
	claimer->verb = claimer->seen.arena ? LEASE_UPDATE : LEASE_CREATE;
	if (!adopts) {
		attempt_make(claimer);
		lease.holder = slice_of(claimer->attempt);
		lease.acquire_time = slice_of(now);
		lease.transitions++;
	}
	lease.name = slice_of(context->lease_name);
	lease.namespace = slice_of(context->conf.namespace);
	lease.duration_s = member_lease_seconds(context);
	lease.renew_time = slice_of(now);
	lease.ring = context->spec->ring;
	lease.state = lease.controller = slice_of(NULL);
	lease.settings = slice_of(context->settings);
	/* Not what our predecessor knew, if we do not. */
	lease.acknowledged = slice_of(claimer->acknowledged > 0 ? epoch : NULL);
	claimer->call =
		lease_call(context, claimer->verb, &lease, claimer_on_written, claimer);
}

/* --- reading --- */

/* The identity that no other process can have. */
static struct slice claimer_proven(struct claimer *claimer)
{
	struct err err;

	if (claimer->attempt[0] &&
	    slice_is(claimer->seen.lease.holder, claimer->attempt))
		return slice_of(claimer->attempt);
	if (lock_take(&claimer->lock, &err) == 0)
		return slice_of(claimer->lock.identity);
	log_warn("keeper",
		 "without the lock file our predecessor is not known to be gone",
		 log_text("error", err.text));
	return slice_of(NULL);
}

static void claimer_tell(struct claimer *claimer, enum log_level level,
			 const char *reason, int64_t wait_ms)
{
	claimer->events->on_waiting(claimer->arg, reason);
	if (claimer->told == reason)
		return;
	claimer->told = reason;
	LOG_AT(level, "keeper", reason, log_text("lease", claimer->context->lease_name),
	       log_slice("holder", claimer->seen.lease.holder),
	       log_int("wait_ms", wait_ms));
}

static void claimer_wait(struct claimer *claimer, bool was_renewed, int64_t wait_ms)
{
	struct loop *loop = claimer->context->loop;

	if (was_renewed)
		claimer_tell(claimer, LOG_LEVEL_ERROR,
			     "another process is alive under our member id; "
			     "ids must be unique in a ring",
			     wait_ms);
	else if (!claimer->told)
		claimer_tell(claimer, LOG_LEVEL_INFO,
			     "waiting until the Lease of our member id has run out, as "
			     "its holder is not known to be gone",
			     wait_ms);
	loop_timer_start(loop, &claimer->timer, wait_ms);
}

static void claimer_judge(struct claimer *claimer, bool was_renewed)
{
	struct member_context *context = claimer->context;
	const struct claim_question question = {
		.lease = claimer->seen.arena ? &claimer->seen.lease : NULL,
		.ring = context->spec->ring,
		.member = slice_of(context->conf.id),
		.proven = claimer_proven(claimer),
		.named = slice_of(claimer->named),
		.duration_ms = context->conf.lease_duration_ms,
		.since_ms = claimer->since_ms,
		.now_ms = loop_now_ms(context->loop),
	};
	int64_t until_ms;

	switch (claim_judge(&question, &until_ms)) {
	case CLAIM_CREATE:
	case CLAIM_TAKE:
		claimer_write(claimer, false);
		return;
	case CLAIM_ADOPT:
		claimer_write(claimer, true);
		return;
	case CLAIM_WAIT:
		claimer_wait(claimer, was_renewed, until_ms - question.now_ms);
		return;
	case CLAIM_FOREIGN:
		claimer_tell(
			claimer, LOG_LEVEL_ERROR,
			"a Lease that is not this ring's has the name of ours; delete "
			"it, or rename the ring or the member",
			context->conf.lease_renew_ms);
		loop_timer_start(context->loop, &claimer->timer,
				 context->conf.lease_renew_ms);
		return;
	}
}

/* Takes in what stands there; whether its holder has renewed it under our eyes. */
static bool claimer_see(struct claimer *claimer, const struct lease *lease)
{
	const struct lease *seen = claimer->seen.arena ? &claimer->seen.lease : NULL;
	bool was_there = claimer->has_read && seen && lease;
	uint64_t told;
	bool is_same =
		claimer->has_read && !seen == !lease &&
		(!seen || slice_eq(seen->resource_version, lease->resource_version));
	bool was_renewed = was_there && !is_same &&
			   slice_eq(seen->holder, lease->holder) &&
			   !lease_is_over(lease);

	if (!is_same)
		claimer->since_ms = loop_now_ms(claimer->context->loop);
	claimer->has_read = true;
	if (lease && slice_to_u64(lease->acknowledged, &told) == 0 &&
	    told > claimer->told_epoch)
		claimer->told_epoch = told;
	/* Whoever was named before is over, too: he had to be, to be followed. */
	if (lease && lease_is_over(lease))
		claimer->named[0] = '\0';
	if (lease)
		lease_copy_set(&claimer->seen, lease);
	else
		lease_copy_clear(&claimer->seen);
	return was_renewed;
}

static void claimer_on_read(void *arg, const struct api_answer *answer)
{
	struct claimer *claimer = arg;
	struct lease lease = { 0 };
	struct err err;

	claimer->call = NULL;
	switch (lease_call_outcome(claimer->context, LEASE_GET, answer, &lease, &err)) {
	case LEASE_OK:
		claimer_judge(claimer, claimer_see(claimer, &lease));
		return;
	case LEASE_ABSENT:
		claimer_judge(claimer, claimer_see(claimer, NULL));
		return;
	case LEASE_CONFLICT:
	case LEASE_FAILED:
		log_warn("keeper", "could not read our Lease; trying again",
			 log_text("lease", claimer->context->lease_name),
			 log_text("error", err.text));
		loop_timer_start(claimer->context->loop, &claimer->timer,
				 member_retry_ms(claimer->context));
		return;
	}
}

static void claimer_read(struct claimer *claimer)
{
	const struct lease lease = { .name = slice_of(claimer->context->lease_name) };

	claimer->verb = LEASE_GET;
	claimer->call = lease_call(claimer->context, LEASE_GET, &lease, claimer_on_read,
				   claimer);
}

static void claimer_on_timer(void *arg)
{
	claimer_read(arg);
}

bool claimer_is_writing(const struct claimer *claimer)
{
	return claimer->call && claimer->verb != LEASE_GET;
}

void claimer_poke(struct claimer *claimer)
{
	if (!loop_timer_is_running(&claimer->timer))
		return;
	loop_timer_stop(&claimer->timer);
	claimer_read(claimer);
}

/* --- life --- */

void claimer_init(struct claimer *claimer, struct member_context *context,
		  const struct claimer_events *events, void *arg)
{
	*claimer = (struct claimer){ .context = context, .events = events, .arg = arg };
	loop_timer_init(&claimer->timer, claimer_on_timer, claimer);
	lock_init(&claimer->lock, context->conf.lock_file);
}

void claimer_finish(struct claimer *claimer)
{
	claimer_stop(claimer);
	lease_copy_clear(&claimer->seen);
	lock_finish(&claimer->lock);
}

void claimer_start(struct claimer *claimer, struct slice named)
{
	claimer_stop(claimer);
	if (claimer->has_claimed)
		claimer->lock.identity[0] = '\0'; /* over, whoever writes it back */
	claimer->has_read = false;
	claimer->told = NULL;
	claimer->attempt[0] = '\0';
	snprintf(claimer->named, sizeof(claimer->named), "%.*s", SLICE_ARGS(named));
	claimer_read(claimer);
}

void claimer_stop(struct claimer *claimer)
{
	api_cancel(claimer->call);
	claimer->call = NULL;
	loop_timer_stop(&claimer->timer);
}
