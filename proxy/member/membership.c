#include "proxy/member/membership.h"

#include <assert.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/member/coordinator.h"
#include "proxy/member/election.h"
#include "proxy/member/leave.h"
#include "proxy/member/outlook.h"
#include "proxy/member/pulse.h"
#include "proxy/ring/claim.h"

struct membership {
	struct membership_env env;
	struct member_context context;
	struct keeper *keeper;
	struct peers *peers;
	struct follower *follower;
	struct election *election;
	struct stakes *stakes;
	struct coordinator *coordinator;
	struct leave leave;
	struct pulse pulse;
	struct turn turn;
	struct owners *owners; /* of the assignment that is known */
	uint64_t owners_epoch;
	/* Everything that happens leads here, once a turn of the loop. */
	struct loop_task task;
	struct loop_timer deadline; /* a peer becomes silent */
	bool is_tick;               /* our Lease was just written */
	bool was_member;
	enum agreement agreement; /* as logged last */
};

static void membership_changed(void *arg)
{
	struct membership *m = arg;

	loop_task_start(m->context.loop, &m->task);
}

/* --- for the request path --- */

static uint32_t membership_catalogued(const struct membership *m)
{
	uint32_t known = 0;

	for (int i = 0; i < m->context.spec->resources_n; i++)
		if (catalog_entry(m->env.catalog, i)->is_known)
			known |= UINT32_C(1) << i;
	return known;
}

/* For messages; made anew when the assignment is another one. */
static struct owners *membership_owners(struct membership *m)
{
	const struct assignment *known = follower_assignment(m->follower);

	if (!m->owners || m->owners_epoch != known->epoch) {
		owners_unref(m->owners);
		m->owners = owners_create(known);
		m->owners_epoch = known->epoch;
	}
	return m->owners;
}

static struct outlook membership_outlook(const struct membership *m)
{
	return (struct outlook){
		.spec = m->context.spec,
		.known = follower_assignment(m->follower),
		.is_foreign = follower_is_foreign(m->follower),
		.is_leaving = m->leave.has_begun,
		.keeps = m->leave.parting.keeps,
		.was_member = m->was_member,
		.identity = keeper_identity(m->keeper),
		.keeper_reason = keeper_reason(m->keeper),
		.right_until_ms = keeper_right_until_ms(m->keeper),
		.locks_until_ms = stakes_until_ms(m->stakes),
		.locks_are_foreign = stakes_are_foreign(m->stakes),
		.locks_were_held = stakes_were_held(m->stakes),
		.now_ms = loop_now_ms(m->context.loop),
		.catalogued = membership_catalogued(m),
		.changeover = &m->turn.changeover,
	};
}

static void membership_publish(struct membership *m)
{
	const struct outlook outlook = membership_outlook(m);
	const struct ring *current = m->env.ring->current;
	struct ring ring;

	turn_step(&m->turn, (struct changeover_facts){
				    .known = outlook.known,
				    .identity = outlook_identity(&outlook),
				    .is_serving = outlook_is_serving(&outlook),
				    .is_barred = outlook.locks_are_foreign,
				    .is_leaving = outlook.is_leaving && !outlook.keeps,
			    });
	ring = outlook_ring(&outlook);
	ring.member = m->context.conf.id;
	ring.owners = membership_owners(m);
	m->was_member |= outlook.identity.len > 0;
	m->context.values[MEMBER_OWNED] = bucket_set_count(&ring.owned);
	if (outlook_is_equal(current, &ring))
		return;
	if (ring.state != current->state)
		log_info("member", "state",
			 log_text("state", ring_state_name(ring.state)),
			 log_text("reason", ring.reason),
			 log_int("epoch", (int64_t)ring.epoch),
			 log_int("buckets", bucket_set_count(&ring.owned)));
	ring_publish(m->env.ring, &ring);
}

/* --- what we disagree about --- */

static void membership_tell_agreement(struct membership *m)
{
	const struct assignment *known = follower_assignment(m->follower);
	enum agreement agreement = agreement_with(known, m->context.spec);
	struct arena *arena;

	if (agreement == m->agreement)
		return;
	m->agreement = agreement;
	arena = arena_create();
	if (agreement == AGREEMENT_FULL)
		log_info("member", "our settings are the ring's now",
			 log_text("settings", m->context.settings));
	else
		log_error(
			"member",
			agreement == AGREEMENT_RESOURCES
				? "our resources are not the ring's; we own nothing "
				  "until no member is alive that has the ring's"
				: "our buckets or placement are not the ring's, which "
				  "are fixed for its life; we serve nothing",
			log_text("ours", m->context.settings),
			log_text("ring", settings_of_assignment(known, arena)));
	arena_destroy(arena);
}

/* --- deciding --- */

/* What is known, or was known to somebody who is gone. */
static uint64_t membership_told_epoch(const struct membership *m)
{
	uint64_t known = follower_assignment(m->follower)->epoch;
	uint64_t seat = election_epoch(m->election);
	uint64_t own = keeper_told_epoch(m->keeper);

	if (known < seat)
		known = seat;
	return known < own ? own : known;
}

static void membership_gather(struct membership *m, struct coordination *c)
{
	*c = (struct coordination){
		.spec = m->context.spec,
		.settings = m->context.settings,
		.identity = keeper_identity(m->keeper),
		.known = follower_assignment(m->follower),
		.is_stored = follower_is_stored(m->follower),
		.now_ms = loop_now_ms(m->context.loop),
		.since_ms = keeper_contact_ms(m->keeper),
		.told_epoch = membership_told_epoch(m),
		.shards = (int)m->context.conf.shards,
		.generation = (uint64_t)m->context.conf.generation,
	};
	c->peers_n = roster_list(peers_roster(m->peers), c->peers);
	coordinator_report(m->coordinator, c);
}

static bool is_holder_gone(const struct coordination *c, struct slice holder)
{
	enum identity_standing standing = coordination_standing(c, holder);

	return standing == IDENTITY_GONE || standing == IDENTITY_DOUBTFUL;
}

static void membership_elect(struct membership *m, const struct coordination *c)
{
	const struct election_terms terms = {
		.is_willing = !m->leave.has_begun &&
			      !follower_is_foreign(m->follower) &&
			      coordination_may_contend(c),
		.has_right = keeper_has_right(m->keeper),
		.identity = c->identity,
		.contact_ms = c->since_ms,
		.is_holder_gone = is_holder_gone(c, election_holder(m->election)),
		.told_epoch = c->told_epoch,
	};
	bool is_in_charge;

	election_think(m->election, &terms, m->is_tick);
	m->is_tick = false;
	is_in_charge = election_is_held(m->election) && terms.is_willing &&
		       terms.has_right && c->since_ms != INT64_MAX;
	coordinator_think(m->coordinator, c, is_in_charge);
}

static void membership_time(struct membership *m, const struct coordination *c)
{
	int64_t deadline_ms = coordination_deadline(c);
	int alive = 0;

	for (int i = 0; i < c->peers_n; i++)
		alive += coordination_state(c, c->peers[i]) == PEER_ALIVE;
	m->context.values[MEMBER_ALIVE] = alive;
	if (deadline_ms == INT64_MAX)
		loop_timer_stop(&m->deadline);
	else
		loop_timer_start(m->context.loop, &m->deadline,
				 deadline_ms - c->now_ms);
}

static void membership_hold_locks(struct membership *m)
{
	const struct outlook outlook = membership_outlook(m);

	stakes_think(m->stakes, outlook_wants_locks(&outlook),
		     election_is_held(m->election));
}

static void membership_think(void *arg)
{
	struct membership *m = arg;
	struct coordination c;

	membership_publish(m);
	membership_hold_locks(m);
	peers_expect(m->peers, follower_assignment(m->follower));
	membership_gather(m, &c);
	membership_time(m, &c);
	if (peers_are_synced(m->peers))
		membership_elect(m, &c);
}

/* --- events of the parts --- */

static void membership_on_stored(void *arg, const struct lease *lease)
{
	struct membership *m = arg;

	peers_observe(m->peers, lease);
}

static void membership_on_tick(void *arg)
{
	struct membership *m = arg;

	m->is_tick = true;
	membership_changed(m);
}

static const struct keeper_events keeper_events = {
	.on_change = membership_changed,
	.on_stored = membership_on_stored,
	.on_tick = membership_on_tick,
};

static void membership_on_own(void *arg, const struct lease *lease)
{
	struct membership *m = arg;

	keeper_poke(m->keeper, lease);
}

static void membership_on_seat(void *arg, const struct lease *lease, bool is_gone)
{
	struct membership *m = arg;

	election_observe(m->election, lease, is_gone);
}

static const struct peers_events peers_events = {
	.on_change = membership_changed,
	.on_own = membership_on_own,
	.on_seat = membership_on_seat,
};

static void membership_on_assignment(void *arg)
{
	struct membership *m = arg;

	membership_tell_agreement(m);
	membership_changed(m);
}

/* An identity of ours that buckets were named for before we came. */
static struct slice membership_named(const struct membership *m)
{
	const struct assignment *known = follower_assignment(m->follower);

	for (int i = 0; i < known->members_n; i++)
		if (slice_is(identity_member(known->members[i]), m->context.conf.id))
			return known->members[i];
	return slice_of(NULL);
}

static void membership_on_ready(void *arg)
{
	struct membership *m = arg;

	membership_on_assignment(m);
	/* The Lease is to say from the first that we know an assignment. */
	membership_publish(m);
	keeper_start(m->keeper, membership_named(m));
}

static const struct follower_events follower_events = {
	.on_ready = membership_on_ready,
	.on_change = membership_on_assignment,
};

/* --- what others ask --- */

bool membership_had_former(const struct membership *m)
{
	return keeper_had_former(m->keeper);
}

void membership_on_views(struct membership *m)
{
	membership_changed(m);
}

void membership_on_catalog(struct membership *m)
{
	membership_changed(m);
}

void membership_reload(struct membership *m, const struct member_conf *conf)
{
	member_context_reload(&m->context, conf);
	coordinator_reload(m->coordinator);
	membership_changed(m);
}

static bool membership_is_named(void *arg)
{
	const struct membership *m = arg;

	return assignment_names(follower_assignment(m->follower),
				keeper_identity(m->keeper));
}

/* Whether clients know that nothing is theirs any more. */
static bool membership_is_withdrawn(void *arg)
{
	const struct membership *m = arg;

	return bucket_set_is_empty(&m->turn.changeover.releasing);
}

/* Whether no other member of the ring may still write. */
static bool membership_is_last(void *arg)
{
	struct membership *m = arg;
	struct coordination c;

	membership_gather(m, &c);
	return peers_are_synced(m->peers) && coordination_is_last(&c);
}

void membership_leave(struct membership *m, const struct membership_parting *parting)
{
	log_info("member", "leaving", log_slice("identity", keeper_identity(m->keeper)),
		 log_int("writes", m->env.ring->inflight.total));
	leave_start(&m->leave, parting);
	/* Before anybody looks whether writes are over. */
	membership_publish(m);
	membership_changed(m);
}

bool membership_holds_lock(const struct membership *m)
{
	return keeper_holds_lock(m->keeper);
}

void membership_write_barrier(struct membership *m,
			      void (*done)(void *arg, uint64_t version), void *arg)
{
	keeper_write_barrier(m->keeper, done, arg);
}

void membership_report(const struct membership *m, struct membership_report *out)
{
	static const char *const none = "";
	struct slice identity = keeper_identity(m->keeper);
	struct slice holder = election_holder(m->election);

	/* Texts of Leases that are kept end with a NUL. */
	out->identity = identity.len > 0 ? identity.data : none;
	out->coordinator = holder.len > 0 ? holder.data : none;
	out->assignment = follower_assignment(m->follower);
	out->peers_n = roster_list(peers_roster(m->peers), out->peers);
	out->now_ms = loop_now_ms(m->context.loop);
	out->complaint = pulse_complaint(&m->pulse);
	out->locks_n = stakes_report(m->stakes, out->locks);
}

/* --- life --- */

static void membership_create_parts(struct membership *m)
{
	struct member_context *context = &m->context;
	const struct labeller_env labeller = {
		.loop = m->env.loop,
		.api = m->env.api,
		.spec = m->env.spec,
		.catalog = m->env.catalog,
		.locator = m->env.locator,
		.conf = &context->conf,
		.namespaces = m->env.namespaces,
	};

	m->keeper = keeper_create(context, &m->env.ring->inflight, &keeper_events, m);
	m->election = election_create(context, membership_changed, m);
	m->stakes = stakes_create(context, membership_changed, m);
	m->peers = peers_create(context, &peers_events, m);
	m->follower = follower_create(context, &follower_events, m);
	m->coordinator = coordinator_create(context, m->peers, m->follower, &labeller,
					    m->env.metrics);
	coordinator_on_change(m->coordinator, membership_changed, m);
	m->turn = (struct turn){ .context = context,
				 .keeper = m->keeper,
				 .ring = m->env.ring,
				 .views = m->env.views };
	turn_init(&m->turn, membership_changed, m);
	m->env.ring->margin_ms = context->conf.lease_margin_ms;
	m->pulse = (struct pulse){ .context = context,
				   .keeper = m->keeper,
				   .ring = m->env.ring };
	pulse_init(&m->pulse);
	leave_init(&m->leave, context);
	m->leave.keeper = m->keeper;
	m->leave.election = m->election;
	m->leave.stakes = m->stakes;
	m->leave.inflight = &m->env.ring->inflight;
	m->leave.is_named = membership_is_named;
	m->leave.is_last = membership_is_last;
	m->leave.is_withdrawn = membership_is_withdrawn;
	m->leave.arg = m;
}

struct membership *membership_create(const struct membership_env *env)
{
	struct membership *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->env = *env;
	m->context.loop = env->loop;
	m->context.api = env->api;
	m->context.spec = env->spec;
	member_context_init(&m->context, env->conf);
	loop_task_init(&m->task, membership_think, m);
	loop_timer_init(&m->deadline, membership_changed, m);
	metrics_add(env->metrics, member_metrics, m->context.values, MEMBER_METRICS_N);
	membership_create_parts(m);
	return m;
}

void membership_destroy(struct membership *m)
{
	loop_task_stop(&m->task);
	loop_timer_stop(&m->deadline);
	leave_finish(&m->leave);
	pulse_finish(&m->pulse);
	turn_finish(&m->turn);
	/* Publications and errands stop before what they tell. */
	coordinator_destroy(m->coordinator);
	follower_destroy(m->follower);
	peers_destroy(m->peers);
	stakes_destroy(m->stakes);
	election_destroy(m->election);
	keeper_destroy(m->keeper);
	owners_unref(m->owners);
	/* Texts of ours go; what is published must not name them. */
	m->env.ring->current->member = NULL;
	member_context_finish(&m->context);
	free(m);
}
