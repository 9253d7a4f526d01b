#include "proxy/member/errands.h"

#include <inttypes.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/member/lease_call.h"
#include "proxy/ring/claim.h"

struct errands {
	struct member_context *context;
	struct peers *peers;
	void (*on_change)(void *arg);
	void *arg;
	struct list under_way;   /* struct call */
	struct loop_timer timer; /* after a failure */
	struct slice replaced[ASSIGNMENT_MEMBERS_MAX];
	int replaced_n;
	uint64_t epoch;      /* of the assignment that was judged last */
	struct arena *arena; /* of the identities that are replaced */
};

/* A call about one peer's Lease. */
struct call {
	struct list node;
	struct errands *errands;
	enum peer_errand errand;
	enum lease_verb verb;
	struct lease_copy lease;                    /* as it stood */
	struct slice named[ASSIGNMENT_MEMBERS_MAX]; /* of that member, in the arena */
	int named_n;
	struct arena *arena;
	struct api_call *api_call;
};

static void call_end(struct call *call)
{
	api_cancel(call->api_call);
	list_remove(&call->node);
	lease_copy_clear(&call->lease);
	arena_destroy(call->arena);
	free(call);
}

/* --- what came of it --- */

static void errands_pause(struct errands *errands)
{
	loop_timer_start(errands->context->loop, &errands->timer,
			 member_retry_ms(errands->context));
}

static void call_on_sealed(struct call *call)
{
	call->errands->context->values[MEMBER_SEALS]++;
	log_warn("coordinator",
		 "sealed the Lease of a silent member; its buckets go to "
		 "others",
		 log_slice("identity", call->lease.lease.holder),
		 log_int("silent_ms", call->lease.lease.duration_s * 1000));
}

static bool is_replaced(const struct errands *errands, struct slice identity)
{
	for (int i = 0; i < errands->replaced_n; i++)
		if (slice_eq(errands->replaced[i], identity))
			return true;
	return false;
}

/*
 * The read began when these identities were named, so that the incarnation that
 * it found came after them.
 */
static void call_on_read(struct call *call, const struct lease *lease)
{
	struct errands *errands = call->errands;
	const struct peer *peer;

	peers_observe(errands->peers, lease);
	peer = roster_find(peers_roster(errands->peers), lease->name);
	if (!peer || !slice_is(lease->holder, peer->identity)) {
		/* Not a Lease of this ring any more: nothing follows from it. */
		errands_pause(errands);
		return;
	}
	for (int i = 0; i < call->named_n; i++)
		if (!slice_eq(call->named[i], lease->holder) &&
		    !is_replaced(errands, call->named[i]) &&
		    errands->replaced_n < ASSIGNMENT_MEMBERS_MAX)
			errands->replaced[errands->replaced_n++] =
				arena_copy(errands->arena, call->named[i]);
}

static void call_on_done(struct call *call, const struct lease *lease)
{
	struct peers *peers = call->errands->peers;

	switch (call->errand) {
	case ERRAND_SEAL:
		call_on_sealed(call);
		peers_observe(peers, lease);
		return;
	case ERRAND_READ:
		call_on_read(call, lease);
		return;
	case ERRAND_DELETE:
		log_info("coordinator", "deleted a Lease that nobody needs any more",
			 log_slice("identity", call->lease.lease.holder));
		peers_observe_gone(peers, call->lease.lease.name);
		return;
	}
}

static void call_start(struct call *call);

static void call_on_answer(void *arg, const struct api_answer *answer)
{
	struct call *call = arg;
	struct errands *errands = call->errands;
	struct lease lease = { 0 };
	struct err err;

	call->api_call = NULL;
	switch (lease_call_outcome(errands->context, call->verb, answer,
				   call->verb == LEASE_DELETE ? NULL : &lease, &err)) {
	case LEASE_OK:
		call_on_done(call, &lease);
		break;
	case LEASE_CONFLICT:
		if (call->errand == ERRAND_SEAL)
			log_info("coordinator", "a member was not silent after all",
				 log_slice("identity", call->lease.lease.holder),
				 log_text("answer", err.text));
		/* What stands there now restarts its time. */
		call->errand = ERRAND_READ;
		call->verb = LEASE_GET;
		call_start(call);
		return;
	case LEASE_ABSENT:
		errands_pause(errands);
		break;
	case LEASE_FAILED:
		log_warn("coordinator", "a call about a member's Lease failed",
			 log_slice("identity", call->lease.lease.holder),
			 log_text("error", err.text));
		errands_pause(errands);
		break;
	}
	call_end(call);
	errands->on_change(errands->arg);
}

/* --- what is to be done --- */

static void call_start(struct call *call)
{
	struct lease lease = call->lease.lease;

	if (call->errand == ERRAND_SEAL)
		lease.state = SLICE_LITERAL(LEASE_STATE_ENDED);
	call->api_call = lease_call(call->errands->context, call->verb, &lease,
				    call_on_answer, call);
}

static enum lease_verb errand_verb(enum peer_errand errand, const struct peer *peer)
{
	switch (errand) {
	case ERRAND_SEAL:
		/* Where its Lease is gone, one that is ended takes the place. */
		return peer->is_present ? LEASE_UPDATE : LEASE_CREATE;
	case ERRAND_READ:
		return LEASE_GET;
	case ERRAND_DELETE:
		return LEASE_DELETE;
	}
	return LEASE_GET;
}

static struct lease lease_of_peer(const struct errands *errands,
				  const struct peer *peer, struct arena *arena)
{
	return (struct lease){
		.name = slice_of(peer->lease_name),
		.namespace = slice_of(errands->context->conf.namespace),
		.uid = slice_of(peer->uid),
		.resource_version = slice_of(peer->resource_version),
		.holder = slice_of(peer->identity),
		.duration_s = peer->duration_ms / 1000,
		.acquire_time = slice_of(peer->acquire_time),
		.ring = errands->context->spec->ring,
		.settings = slice_of(peer->settings),
		.acknowledged =
			slice_of(arena_printf(arena, "%" PRIu64, peer->acknowledged)),
	};
}

static void call_name(struct call *call, const struct assignment *known,
		      const struct peer *peer)
{
	for (int i = 0; i < known->members_n; i++)
		if (slice_is(identity_member(known->members[i]), peer->member))
			call->named[call->named_n++] =
				arena_copy(call->arena, known->members[i]);
}

static bool is_under_way(const struct errands *errands, const struct peer *peer)
{
	LIST_EACH(node, &errands->under_way) {
		const struct call *call = LIST_OWNER(node, struct call, node);

		if (slice_is(call->lease.lease.name, peer->lease_name))
			return true;
	}
	return false;
}

static void call_create(struct errands *errands, const struct coordination *c,
			enum peer_errand errand, const struct peer *peer)
{
	struct call *call = calloc(1, sizeof(*call));
	struct lease lease;

	if (!call)
		abort();
	call->errands = errands;
	call->errand = errand;
	call->verb = errand_verb(errand, peer);
	call->arena = arena_create();
	lease = lease_of_peer(errands, peer, call->arena);
	lease_copy_set(&call->lease, &lease);
	call_name(call, c->known, peer);
	list_add(&errands->under_way, &call->node);
	call_start(call);
}

static void errands_start(struct errands *errands, const struct coordination *c,
			  enum peer_errand errand)
{
	const struct peer *peers[ROSTER_PEERS_MAX];
	int n = coordination_errands(c, errand, peers);

	for (int i = 0; i < n; i++)
		if (!is_under_way(errands, peers[i]))
			call_create(errands, c, errand, peers[i]);
}

void errands_run(struct errands *errands, const struct coordination *c)
{
	if (loop_timer_is_running(&errands->timer))
		return;
	/* A Lease that is gone shows something only once its silence was sealed. */
	errands_start(errands, c, ERRAND_SEAL);
	errands_start(errands, c, ERRAND_READ);
	errands_start(errands, c, ERRAND_DELETE);
}

void errands_report(struct errands *errands, struct coordination *c)
{
	struct arena *arena;
	int n = 0;

	/* Forget those whom nobody names any more. */
	if (errands->epoch != c->known->epoch) {
		arena = arena_create();
		for (int i = 0; i < errands->replaced_n; i++)
			if (assignment_member(c->known, errands->replaced[i]) >= 0)
				errands->replaced[n++] =
					arena_copy(arena, errands->replaced[i]);
		arena_destroy(errands->arena);
		errands->arena = arena;
		errands->replaced_n = n;
		errands->epoch = c->known->epoch;
	}
	c->replaced = errands->replaced;
	c->replaced_n = errands->replaced_n;
}

static void errands_on_timer(void *arg)
{
	struct errands *errands = arg;

	errands->on_change(errands->arg);
}

/* --- life --- */

struct errands *errands_create(struct member_context *context, struct peers *peers,
			       void (*on_change)(void *arg), void *arg)
{
	struct errands *errands = calloc(1, sizeof(*errands));

	if (!errands)
		abort();
	*errands = (struct errands){
		.context = context, .peers = peers, .on_change = on_change, .arg = arg
	};
	list_init(&errands->under_way);
	loop_timer_init(&errands->timer, errands_on_timer, errands);
	errands->arena = arena_create();
	return errands;
}

void errands_destroy(struct errands *errands)
{
	LIST_EACH(node, &errands->under_way)
		call_end(LIST_OWNER(node, struct call, node));
	loop_timer_stop(&errands->timer);
	arena_destroy(errands->arena);
	free(errands);
}
