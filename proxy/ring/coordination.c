#include "proxy/ring/coordination.h"

#include <assert.h>

#include "proxy/ring/agreement.h"
#include "proxy/ring/claim.h"

/* --- peers --- */

enum peer_state coordination_state(const struct coordination *c,
				   const struct peer *peer)
{
	struct peer seen = *peer;

	if (c->since_ms > seen.seen_ms)
		seen.seen_ms = c->since_ms;
	/* A view of the future: we are not in touch. */
	if (seen.seen_ms > c->now_ms)
		seen.seen_ms = c->now_ms;
	return roster_state(&seen, c->now_ms);
}

static bool is_over(enum peer_state state)
{
	return state == PEER_ENDED || state == PEER_RELEASED;
}

int64_t coordination_deadline(const struct coordination *c)
{
	int64_t deadline = INT64_MAX;

	if (c->since_ms > c->now_ms)
		return INT64_MAX;
	for (int i = 0; i < c->peers_n; i++) {
		const struct peer *peer = c->peers[i];
		int64_t from = peer->seen_ms > c->since_ms ? peer->seen_ms
							   : c->since_ms;

		if (coordination_state(c, peer) == PEER_ALIVE &&
		    from + peer->duration_ms < deadline)
			deadline = from + peer->duration_ms;
	}
	return deadline;
}

static const struct peer *peer_of_identity(const struct coordination *c,
					   struct slice identity)
{
	struct slice member = identity_member(identity);

	for (int i = 0; i < c->peers_n; i++)
		if (slice_is(member, c->peers[i]->member))
			return c->peers[i];
	return NULL;
}

static bool is_replaced(const struct coordination *c, struct slice identity)
{
	for (int i = 0; i < c->replaced_n; i++)
		if (slice_eq(c->replaced[i], identity))
			return true;
	return false;
}

enum identity_standing coordination_standing(const struct coordination *c,
					     struct slice identity)
{
	const struct peer *peer = peer_of_identity(c, identity);

	if (is_replaced(c, identity))
		return IDENTITY_GONE;
	if (!peer)
		return IDENTITY_UNKNOWN;
	if (!slice_is(identity, peer->identity))
		return IDENTITY_DOUBTFUL;
	switch (coordination_state(c, peer)) {
	case PEER_ALIVE:
		return peer->is_present ? IDENTITY_ALIVE : IDENTITY_ABSENT;
	case PEER_SILENT:
		return IDENTITY_SILENT;
	case PEER_ENDED:
	case PEER_RELEASED:
		return IDENTITY_GONE;
	}
	return IDENTITY_UNKNOWN;
}

/* Whether an identity of this peer, but not the one on its Lease, is in doubt. */
static bool is_doubtful(const struct coordination *c, const struct peer *peer)
{
	for (int i = 0; i < c->known->members_n; i++) {
		struct slice identity = c->known->members[i];

		if (slice_is(identity_member(identity), peer->member) &&
		    coordination_standing(c, identity) == IDENTITY_DOUBTFUL)
			return true;
	}
	return false;
}

static bool wants_errand(const struct coordination *c, const struct peer *peer,
			 enum peer_errand errand)
{
	enum peer_state state = coordination_state(c, peer);

	switch (errand) {
	case ERRAND_SEAL:
		return state == PEER_SILENT && !slice_is(c->identity, peer->identity);
	case ERRAND_READ:
		return is_doubtful(c, peer);
	case ERRAND_DELETE:
		return is_over(state) && peer->is_present && c->known->epoch > 0 &&
		       !assignment_names(c->known, slice_of(peer->identity)) &&
		       !is_doubtful(c, peer);
	}
	return false;
}

int coordination_errands(const struct coordination *c, enum peer_errand errand,
			 const struct peer **out)
{
	int n = 0;

	for (int i = 0; i < c->peers_n; i++)
		if (wants_errand(c, c->peers[i], errand))
			out[n++] = c->peers[i];
	return n;
}

/* --- who takes part --- */

static bool is_candidate(const struct coordination *c, const struct peer *peer)
{
	return coordination_state(c, peer) == PEER_ALIVE && peer->is_present &&
	       !peer->is_unattended && slice_is(slice_of(peer->settings), c->settings);
}

int coordination_candidates(const struct coordination *c, struct slice *out)
{
	int n = 0;

	for (int i = 0; i < c->peers_n; i++)
		if (is_candidate(c, c->peers[i]))
			out[n++] = slice_of(c->peers[i]->identity);
	return n;
}

static bool lives_with_settings(const struct coordination *c, const char *settings)
{
	for (int i = 0; i < c->peers_n; i++)
		if (coordination_state(c, c->peers[i]) == PEER_ALIVE &&
		    slice_is(slice_of(c->peers[i]->settings), settings))
			return true;
	return false;
}

/* Another member has acknowledged an epoch, and is not over. */
static bool is_known_elsewhere(const struct coordination *c, bool alive_only)
{
	for (int i = 0; i < c->peers_n; i++) {
		const struct peer *peer = c->peers[i];
		enum peer_state state = coordination_state(c, peer);

		if (peer->acknowledged == 0 || slice_is(c->identity, peer->identity))
			continue;
		if (alive_only ? state == PEER_ALIVE : !is_over(state))
			return true;
	}
	return false;
}

bool coordination_may_contend(const struct coordination *c)
{
	struct arena *arena;
	bool may = true;

	if (c->known->epoch == 0)
		return !is_known_elsewhere(c, true);
	switch (agreement_with(c->known, c->spec)) {
	case AGREEMENT_FULL:
		return true;
	case AGREEMENT_BUCKETS:
	case AGREEMENT_PLACEMENT:
		return false;
	case AGREEMENT_RESOURCES:
		break;
	}
	arena = arena_create();
	may = !lives_with_settings(c, settings_of_assignment(c->known, arena));
	arena_destroy(arena);
	return may;
}

bool coordination_is_last(const struct coordination *c)
{
	for (int i = 0; i < c->peers_n; i++)
		if (!slice_is(c->identity, c->peers[i]->identity) &&
		    !is_over(coordination_state(c, c->peers[i])))
			return false;
	for (int i = 0; i < c->known->members_n; i++)
		if (!slice_eq(c->identity, c->known->members[i]) &&
		    coordination_standing(c, c->known->members[i]) != IDENTITY_GONE)
			return false;
	return true;
}

/* --- the plan --- */

int coordination_shards(const struct coordination *c)
{
	if (c->known->epoch > 0 && c->generation < c->known->generation)
		return c->known->shards;
	return c->shards;
}

static bool owns_any(const struct assignment *assignment, int member)
{
	for (int b = 0; b < assignment->buckets; b++)
		if (assignment->bucket[b].owner == member)
			return true;
	return false;
}

bool coordination_has_orphans(const struct coordination *c)
{
	if (c->known->epoch > 0 && owns_any(c->known, -1))
		return true;
	for (int i = 0; i < c->known->members_n; i++)
		if (coordination_standing(c, c->known->members[i]) == IDENTITY_GONE &&
		    owns_any(c->known, i))
			return true;
	return false;
}

/* Whether everything is certain that a plan would rest on. */
static bool is_certain(const struct coordination *c)
{
	if (c->known->epoch == 0)
		return !is_known_elsewhere(c, false);
	for (int i = 0; i < c->known->members_n; i++) {
		enum identity_standing standing =
			coordination_standing(c, c->known->members[i]);

		if (standing == IDENTITY_DOUBTFUL || standing == IDENTITY_UNKNOWN)
			return false;
		if ((standing == IDENTITY_SILENT || standing == IDENTITY_ABSENT) &&
		    owns_any(c->known, i))
			return false;
	}
	return true;
}

/*
 * More than are published between two renewals of a Lease: an assignment that is
 * begun anew must be above all that somebody may still know.
 */
#define EPOCHS_UNTOLD 1000

static uint64_t last_epoch(const struct coordination *c)
{
	uint64_t last = c->told_epoch;

	for (int i = 0; i < c->peers_n; i++)
		if (c->peers[i]->acknowledged > last)
			last = c->peers[i]->acknowledged;
	return last > 0 ? last + EPOCHS_UNTOLD : 0;
}

/* The assignment before the first: nobody owns anything. */
static struct assignment blank(const struct coordination *c)
{
	struct assignment blank = { .buckets = c->spec->buckets,
				    .placement = c->spec->placement,
				    .resources = slice_of(c->spec->hash),
				    .epoch = last_epoch(c) };

	for (int b = 0; b < blank.buckets; b++) {
		blank.bucket[b].owner = -1;
		blank.bucket[b].target = -1;
	}
	return blank;
}

/* Sets what is not about owners; whether anything was another before. */
static bool head_set(const struct coordination *c, struct assignment *next)
{
	struct assignment before = *next;

	next->resources = slice_of(c->spec->hash);
	next->shards = coordination_shards(c);
	if (c->generation > next->generation)
		next->generation = c->generation;
	next->labelled |= c->labelled;
	return next->shards != before.shards || next->generation != before.generation ||
	       next->labelled != before.labelled ||
	       !slice_eq(next->resources, before.resources);
}

/* What is known of those whom an assignment names. */
struct facts {
	bool is_gone[ASSIGNMENT_MEMBERS_MAX];
	uint64_t acknowledged[ASSIGNMENT_MEMBERS_MAX];
};

static void facts_gather(const struct coordination *c,
			 const struct assignment *assignment, struct facts *facts)
{
	*facts = (struct facts){ 0 };
	for (int i = 0; i < assignment->members_n; i++) {
		struct slice identity = assignment->members[i];
		const struct peer *peer = peer_of_identity(c, identity);

		facts->is_gone[i] = coordination_standing(c, identity) == IDENTITY_GONE;
		if (peer && slice_is(identity, peer->identity))
			facts->acknowledged[i] = peer->acknowledged;
	}
}

bool coordination_awaits(const struct coordination *c)
{
	struct facts facts;
	const struct handover_plan plan = { .is_gone = facts.is_gone,
					    .acknowledged = facts.acknowledged };

	if (c->known->epoch == 0)
		return false;
	facts_gather(c, c->known, &facts);
	for (int b = 0; b < c->known->buckets; b++) {
		const struct assigned_bucket *bucket = &c->known->bucket[b];

		if (bucket->owner >= 0 && bucket->target != bucket->owner &&
		    !facts.is_gone[bucket->owner] &&
		    !handover_is_acknowledged(bucket, &plan))
			return true;
	}
	return false;
}

/* Owners for *now, as *next; false when the same ones stay. */
static bool owners_plan(const struct coordination *c, const struct assignment *now,
			struct assignment *next)
{
	struct slice candidates[ROSTER_PEERS_MAX], active[ROSTER_PEERS_MAX];
	int chosen[ROSTER_PEERS_MAX], owner[BUCKETS_MAX];
	struct facts facts;
	int n = coordination_candidates(c, candidates);
	int active_n = plan_active(now, candidates, n, coordination_shards(c), chosen);

	for (int i = 0; i < active_n; i++)
		active[i] = candidates[chosen[i]];
	plan_assign(now, active, active_n, owner);
	facts_gather(c, now, &facts);
	return handover_next(next, now,
			     &(struct handover_plan){
				     .active = active,
				     .active_n = active_n,
				     .want = owner,
				     .is_gone = facts.is_gone,
				     .acknowledged = facts.acknowledged,
			     });
}

enum plan_verdict coordination_plan(const struct coordination *c,
				    struct assignment *next)
{
	struct slice candidates[ROSTER_PEERS_MAX];
	struct assignment now = c->known->epoch > 0 ? *c->known : blank(c);
	struct assignment plan = now;
	bool is_moved, is_changed;

	if (c->tried_epoch > now.epoch)
		now.epoch = c->tried_epoch;
	if (!is_certain(c) || coordination_candidates(c, candidates) == 0)
		return PLAN_HOLD;
	is_moved = owners_plan(c, &now, &plan);
	is_changed = head_set(c, &plan) || is_moved;
	if (!is_changed && c->is_stored)
		return PLAN_NOTHING;
	plan.epoch = now.epoch + 1;
	*next = plan;
	return PLAN_PUBLISH;
}

int coordination_moves(const struct assignment *now, const struct assignment *next)
{
	int moves = 0;

	for (int b = 0; b < next->buckets; b++) {
		int from = now->epoch > 0 ? now->bucket[b].owner : -1;
		int to = next->bucket[b].owner;

		if (from < 0 || to < 0)
			moves += from != to;
		else
			moves += !slice_eq(now->members[from], next->members[to]);
	}
	return moves;
}
