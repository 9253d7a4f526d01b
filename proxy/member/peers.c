#include "proxy/member/peers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/base/map.h"
#include "proxy/member/lease_call.h"
#include "proxy/net/reflector.h"
#include "proxy/ring/agreement.h"
#include "proxy/ring/claim.h"

/* Of a Lease that is not there: older than any. */
#define VERSION_NONE "0"

struct peers {
	struct member_context *context;
	const struct peers_events *events;
	void *arg;
	struct roster *roster;
	struct reflector *reflector;
	struct map *listed; /* names seen since on_list */
	bool is_listing;
	bool is_synced;
};

bool peers_are_synced(const struct peers *peers)
{
	return peers->is_synced;
}

const struct roster *peers_roster(const struct peers *peers)
{
	return peers->roster;
}

/* --- one Lease --- */

/* An answer to us may overtake the watch: what it brings then is old. */
static bool is_outdated(const struct peers *peers, const struct lease *lease)
{
	const struct peer *peer = roster_find(peers->roster, lease->name);
	struct lease known = { 0 };

	if (!peer)
		return false;
	known.resource_version = slice_of(peer->resource_version);
	return lease_is_newer(&known, lease);
}

/* What a person wants to know: who came, in which life, and who gave up. */
static void peers_tell(const struct peers *peers, const struct lease *lease)
{
	const struct peer *peer = roster_find(peers->roster, lease->name);

	if (peer && slice_is(lease->holder, peer->identity) &&
	    lease_is_over(lease) == (peer->is_ended || peer->is_released))
		return;
	log_info("roster", "a member's Lease", log_slice("identity", lease->holder),
		 log_slice("state", lease->state.len > 0 ? lease->state
							 : SLICE_LITERAL("alive")),
		 log_slice("settings", lease->settings));
}

void peers_observe(struct peers *peers, const struct lease *lease)
{
	bool changed = false;
	struct err err;

	if (is_outdated(peers, lease))
		return;
	peers_tell(peers, lease);
	if (roster_observe(peers->roster, peers->context->spec->ring, lease,
			   loop_now_ms(peers->context->loop), &changed, &err) < 0) {
		log_warn("roster",
			 "a Lease with the ring's label is not understood; "
			 "ignored",
			 log_slice("lease", lease->name), log_text("error", err.text));
		return;
	}
	if (changed)
		peers->events->on_change(peers->arg);
}

/*
 * When it was renewed last is not known: it may have been after what we saw, and
 * before it was deleted. So its time begins again.
 */
static void peers_restart(struct peers *peers, const struct peer *peer)
{
	char epoch[24];
	struct lease lease = {
		.name = slice_of(peer->lease_name),
		.uid = slice_of(peer->uid),
		.resource_version = SLICE_LITERAL(VERSION_NONE),
		.holder = slice_of(peer->identity),
		.duration_s = peer->duration_ms / 1000,
		.acquire_time = slice_of(peer->acquire_time),
		.ring = peers->context->spec->ring,
		.settings = slice_of(peer->settings),
	};

	snprintf(epoch, sizeof(epoch), "%" PRIu64, peer->acknowledged);
	lease.acknowledged = slice_of(epoch);
	(void)roster_observe(peers->roster, lease.ring, &lease,
			     loop_now_ms(peers->context->loop), NULL, NULL);
}

void peers_observe_gone(struct peers *peers, struct slice name)
{
	const struct peer *peer = roster_find(peers->roster, name);
	bool changed = false;

	/* Of our own Lease the keeper knows better than a list that may be old. */
	if (!peer || slice_is(name, peers->context->lease_name))
		return;
	if (peer->is_present && !peer->is_ended && !peer->is_released)
		peers_restart(peers, peer);
	roster_observe_gone(peers->roster, name, &changed);
	if (!changed)
		return;
	log_info("roster", "a member's Lease is gone", log_slice("lease", name));
	peers->events->on_change(peers->arg);
}

void peers_expect(struct peers *peers, const struct assignment *assignment)
{
	struct arena *arena = arena_create();

	for (int i = 0; i < assignment->members_n; i++) {
		struct slice identity = assignment->members[i];
		struct slice member = identity_member(identity);
		struct lease lease = {
			.name = slice_of(
				arena_printf(arena, "%.*s.%.*s",
					     SLICE_ARGS(peers->context->spec->ring),
					     SLICE_ARGS(member))),
			.holder = identity,
			.ring = peers->context->spec->ring,
			.resource_version = SLICE_LITERAL(VERSION_NONE),
			.duration_s = member_lease_seconds(peers->context),
			.settings = slice_of(settings_of_assignment(assignment, arena)),
		};

		if (!peers->is_synced || member.len == 0 ||
		    roster_find(peers->roster, lease.name))
			continue;
		peers_observe(peers, &lease);
		peers_observe_gone(peers, lease.name);
	}
	arena_destroy(arena);
}

/* --- the reflector's events --- */

static bool peers_read(const struct peers *peers, const struct json *object,
		       struct lease *lease)
{
	struct err err;

	if (lease_of_json(lease, object, &err) == 0)
		return true;
	log_warn("roster", "a Lease with the ring's label is not understood; ignored",
		 log_slice("lease", json_text(object, "metadata.name")),
		 log_text("error", err.text));
	return false;
}

static void peers_on_object(void *arg, const struct json *object)
{
	struct peers *peers = arg;
	struct lease lease;

	if (!peers_read(peers, object, &lease))
		return;
	if (peers->is_listing)
		(void)map_put(peers->listed, lease.name, peers, NULL);
	if (slice_is(lease.name, peers->context->seat_name)) {
		peers->events->on_seat(peers->arg, &lease, false);
		return;
	}
	peers_observe(peers, &lease);
	if (slice_is(lease.name, peers->context->lease_name))
		peers->events->on_own(peers->arg, &lease);
}

static void peers_on_gone(void *arg, const struct json *object)
{
	struct peers *peers = arg;
	struct lease lease;

	if (!peers_read(peers, object, &lease))
		return;
	if (slice_is(lease.name, peers->context->seat_name)) {
		peers->events->on_seat(peers->arg, &lease, true);
		return;
	}
	if (is_outdated(peers, &lease))
		return;
	/* Its last state: that it was released, perhaps. */
	if (lease_is_over(&lease))
		peers_observe(peers, &lease);
	peers_observe_gone(peers, lease.name);
}

static void peers_on_list(void *arg)
{
	struct peers *peers = arg;

	map_destroy(peers->listed);
	peers->listed = map_create(2 * ROSTER_PEERS_MAX);
	peers->is_listing = true;
}

static void peers_on_synced(void *arg)
{
	struct peers *peers = arg;
	const struct peer *known[ROSTER_PEERS_MAX];
	int n = roster_list(peers->roster, known);
	struct slice names[ROSTER_PEERS_MAX];

	struct arena *arena = arena_create();

	peers->is_listing = false;
	for (int i = 0; i < n; i++)
		names[i] = arena_copy(arena, slice_of(known[i]->lease_name));
	for (int i = 0; i < n; i++)
		if (!map_get(peers->listed, names[i]))
			peers_observe_gone(peers, names[i]);
	if (!map_get(peers->listed, slice_of(peers->context->seat_name)))
		peers->events->on_seat(peers->arg, NULL, true);
	arena_destroy(arena);
	peers->is_synced = true;
	peers->events->on_change(peers->arg);
}

static void peers_on_failure(void *arg, const struct api_answer *answer)
{
	struct peers *peers = arg;

	member_refusal_note(peers->context, GRANT_LEASE_WATCH, answer);
	log_info("roster", "the watch of the ring's Leases broke; it is tried again",
		 log_text("error", answer->err.text));
}

static const struct reflector_events reflector_events = {
	.on_list = peers_on_list,
	.on_object = peers_on_object,
	.on_gone = peers_on_gone,
	.on_synced = peers_on_synced,
	.on_failure = peers_on_failure,
};

/* --- life --- */

struct peers *peers_create(struct member_context *context,
			   const struct peers_events *events, void *arg)
{
	struct peers *peers = calloc(1, sizeof(*peers));
	struct arena *arena = arena_create();
	struct reflector_source source = { 0 };

	if (!peers)
		abort();
	*peers = (struct peers){ .context = context, .events = events, .arg = arg };
	peers->roster = roster_create();
	peers->listed = map_create(2 * ROSTER_PEERS_MAX);
	source.path = arena_printf(arena,
				   "/apis/coordination.k8s.io/v1/namespaces/%s/leases",
				   context->conf.namespace);
	source.selector = arena_printf(arena, LEASE_LABEL_RING "=%.*s",
				       SLICE_ARGS(context->spec->ring));
	peers->reflector =
		reflector_create(context->api, &source, &reflector_events, peers);
	arena_destroy(arena);
	return peers;
}

void peers_destroy(struct peers *peers)
{
	reflector_destroy(peers->reflector);
	roster_destroy(peers->roster);
	map_destroy(peers->listed);
	free(peers);
}
