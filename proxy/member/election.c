#include "proxy/member/election.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/ring/claim.h"

struct election {
	struct member_context *context;
	void (*on_change)(void *arg);
	void *arg;
	struct lease_copy seat; /* as seen last; empty: there is none */
	int64_t since_ms;       /* our clock, since when it has stood so */
	struct api_call *call;
	enum lease_verb verb;
	struct loop_timer timer;
	int64_t retry_ms; /* our clock: no write before */
	bool is_held;
	bool is_foreign_told;
};

bool election_is_held(const struct election *election)
{
	return election->is_held;
}

struct slice election_holder(const struct election *election)
{
	return election->seat.lease.holder;
}

uint64_t election_epoch(const struct election *election)
{
	uint64_t epoch = 0;

	(void)slice_to_u64(election->seat.lease.acknowledged, &epoch);
	return epoch;
}

/* --- what is seen --- */

static void election_set_held(struct election *election, bool is_held)
{
	if (election->is_held == is_held)
		return;
	election->is_held = is_held;
	election->context->values[MEMBER_IS_COORDINATOR] = is_held;
	log_info("election", is_held ? "became coordinator" : "is coordinator no more",
		 log_text("lease", election->context->seat_name),
		 log_slice("holder", election->seat.lease.holder));
}

static void election_see(struct election *election, const struct lease *lease)
{
	const struct lease *seen = &election->seat.lease;

	if (!election->seat.arena ||
	    !slice_eq(seen->resource_version, lease->resource_version))
		election->since_ms = loop_now_ms(election->context->loop);
	lease_copy_set(&election->seat, lease);
}

void election_observe(struct election *election, const struct lease *lease,
		      bool is_gone)
{
	/* The answer to a write of ours may have overtaken the watch. */
	if (lease && lease_is_newer(&election->seat.lease, lease))
		return;
	if (is_gone || !lease)
		lease_copy_clear(&election->seat);
	else
		election_see(election, lease);
	election->on_change(election->arg);
}

/* --- what is written --- */

static void election_retry(struct election *election, const struct err *err)
{
	log_warn("election", "the coordinator's Lease could not be had; trying again",
		 log_text("lease", election->context->seat_name),
		 log_text("error", err->text));
	election->retry_ms = loop_now_ms(election->context->loop) +
			     member_retry_ms(election->context);
}

static void election_on_read(void *arg, const struct api_answer *answer)
{
	struct election *election = arg;
	struct lease lease = { 0 };
	struct err err;
	enum lease_outcome outcome;

	election->call = NULL;
	outcome =
		lease_call_outcome(election->context, LEASE_GET, answer, &lease, &err);
	if (outcome == LEASE_OK)
		election_see(election, &lease);
	else if (outcome == LEASE_ABSENT)
		lease_copy_clear(&election->seat);
	else
		election_retry(election, &err);
	election->on_change(election->arg);
}

static void election_on_written(void *arg, const struct api_answer *answer)
{
	struct election *election = arg;
	struct member_context *context = election->context;
	const struct lease name = { .name = slice_of(context->seat_name) };
	struct lease lease = { 0 };
	struct err err;

	election->call = NULL;
	switch (lease_call_outcome(context, election->verb, answer, &lease, &err)) {
	case LEASE_OK:
		election_see(election, &lease);
		election_set_held(election, lease.holder.len > 0);
		break;
	case LEASE_ABSENT:
	case LEASE_CONFLICT:
		election->call = lease_call(context, LEASE_GET, &name, election_on_read,
					    election);
		return;
	case LEASE_FAILED:
		election_retry(election, &err);
		break;
	}
	election->on_change(election->arg);
}

/* holder "": gives it up. */
static void election_write(struct election *election,
			   const struct election_terms *terms, struct slice holder)
{
	struct member_context *context = election->context;
	struct lease lease = election->seat.lease;
	char now[CLOCK_WALL_BYTES], epoch[24];

	clock_wall_text(now);
	snprintf(epoch, sizeof(epoch), "%" PRIu64, terms->told_epoch);
	if (terms->told_epoch > election_epoch(election))
		lease.acknowledged = slice_of(epoch);
	if (!slice_eq(lease.holder, holder) && holder.len > 0) {
		lease.acquire_time = slice_of(now);
		lease.transitions++;
	}
	lease.name = slice_of(context->seat_name);
	lease.namespace = slice_of(context->conf.namespace);
	lease.ring = context->spec->ring;
	lease.holder = holder;
	lease.duration_s = member_lease_seconds(context);
	lease.renew_time = slice_of(now);
	election->verb = election->seat.arena ? LEASE_UPDATE : LEASE_CREATE;
	election->call = lease_call(context, election->verb, &lease,
				    election_on_written, election);
}

/* --- the decision --- */

static void election_tell_foreign(struct election *election)
{
	if (!election->is_foreign_told)
		log_error(
			"election",
			"the coordinator's Lease has a name that something else uses; "
			"rename the ring, or that Lease",
			log_text("lease", election->context->seat_name),
			log_slice("holder", election->seat.lease.holder));
	election->is_foreign_told = true;
}

/*
 * Without our label it is in no list that we watch: that it is gone shows only when
 * we try to create ours.
 */
static void election_forget_foreign(struct election *election)
{
	int64_t wait_ms = election->context->conf.lease_renew_ms;

	lease_copy_clear(&election->seat);
	election->retry_ms = loop_now_ms(election->context->loop) + wait_ms;
	loop_timer_start(election->context->loop, &election->timer, wait_ms);
}

static void election_contend(struct election *election,
			     const struct election_terms *terms, bool renews)
{
	struct loop *loop = election->context->loop;
	const struct seat_question question = {
		.lease = election->seat.arena ? &election->seat.lease : NULL,
		.ring = election->context->spec->ring,
		.identity = terms->identity,
		.is_holder_gone = terms->is_holder_gone,
		.since_ms = election->since_ms > terms->contact_ms ? election->since_ms
								   : terms->contact_ms,
		.now_ms = loop_now_ms(loop),
	};
	int64_t until_ms;

	switch (seat_judge(&question, &until_ms)) {
	case SEAT_CREATE:
	case SEAT_TAKE:
		election_write(election, terms, terms->identity);
		return;
	case SEAT_OURS:
		/* Not held: our predecessor's, whom we go on as. */
		if (renews || !election->is_held)
			election_write(election, terms, terms->identity);
		return;
	case SEAT_WAIT:
		election_set_held(election, false);
		loop_timer_start(loop, &election->timer, until_ms - question.now_ms);
		return;
	case SEAT_FOREIGN:
		election_set_held(election, false);
		election_tell_foreign(election);
		election_forget_foreign(election);
		return;
	}
}

void election_think(struct election *election, const struct election_terms *terms,
		    bool renews)
{
	int64_t now_ms = loop_now_ms(election->context->loop);

	loop_timer_stop(&election->timer);
	/* A seat that was deleted is still ours until somebody else has it. */
	if (election->seat.arena &&
	    !slice_eq(election->seat.lease.holder, terms->identity))
		election_set_held(election, false);
	if (election->call)
		return;
	if (now_ms < election->retry_ms)
		loop_timer_start(election->context->loop, &election->timer,
				 election->retry_ms - now_ms);
	else if (!terms->is_willing && election->is_held)
		election_write(election, terms, slice_of(NULL));
	else if (terms->is_willing && terms->has_right &&
		 terms->contact_ms != INT64_MAX)
		election_contend(election, terms, renews);
}

static void election_on_timer(void *arg)
{
	struct election *election = arg;

	election->on_change(election->arg);
}

/* --- life --- */

struct election *election_create(struct member_context *context,
				 void (*on_change)(void *arg), void *arg)
{
	struct election *election = calloc(1, sizeof(*election));

	if (!election)
		abort();
	*election = (struct election){ .context = context,
				       .on_change = on_change,
				       .arg = arg };
	loop_timer_init(&election->timer, election_on_timer, election);
	return election;
}

void election_destroy(struct election *election)
{
	loop_timer_stop(&election->timer);
	api_cancel(election->call);
	lease_copy_clear(&election->seat);
	free(election);
}
