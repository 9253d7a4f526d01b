#include "proxy/ring/roster.h"

#include <errno.h>
#include <stdlib.h>

#include "proxy/ring/assignment.h"
#include "proxy/ring/claim.h"

struct roster {
	struct map *peers; /* Lease name -> struct peer, owned */
};

struct roster *roster_create(void)
{
	struct roster *roster = malloc(sizeof(*roster));

	if (!roster)
		abort();
	roster->peers = map_create(ROSTER_PEERS_MAX);
	return roster;
}

static void peer_destroy(struct peer *peer)
{
	free(peer->member);
	free(peer->identity);
	free(peer->lease_name);
	free(peer->uid);
	free(peer->resource_version);
	free(peer->settings);
	free(peer->acquire_time);
	free(peer);
}

void roster_destroy(struct roster *roster)
{
	size_t cursor = 0;
	void *peer;

	if (!roster)
		return;
	while (map_next(roster->peers, &cursor, NULL, &peer))
		peer_destroy(peer);
	map_destroy(roster->peers);
	free(roster);
}

/* Whether it was another text before. */
static bool text_set(char **text, struct slice value)
{
	if (*text && slice_is(value, *text))
		return false;
	free(*text);
	*text = malloc(value.len + 1);
	if (!*text)
		abort();
	if (value.len > 0)
		memcpy(*text, value.data, value.len);
	(*text)[value.len] = '\0';
	return true;
}

static bool flag_set(bool *flag, bool value)
{
	bool is_changed = *flag != value;

	*flag = value;
	return is_changed;
}

/* The member of a Lease of the ring that is named and held as it should be. */
static int lease_member(struct slice ring, const struct lease *lease,
			struct slice *member, struct err *err)
{
	struct slice holder = identity_member(lease->holder);
	struct slice name;

	if (lease->name.len <= ring.len || lease->name.data[ring.len] != '.' ||
	    !slice_eq(slice_make(lease->name.data, ring.len), ring))
		return err_set(err, -EINVAL, "metadata name: expected %.*s.<member>",
			       SLICE_ARGS(ring));
	name = slice_from(lease->name, ring.len + 1);
	if (!identity_is_valid(lease->holder) || !slice_eq(holder, name))
		return err_set(err, -EINVAL,
			       "spec holderIdentity: expected %.*s/<incarnation>",
			       SLICE_ARGS(name));
	*member = name;
	return 0;
}

/* An acknowledgement that cannot be read is none. */
static uint64_t lease_acknowledged(const struct lease *lease)
{
	uint64_t epoch;

	return slice_to_u64(lease->acknowledged, &epoch) < 0 ? 0 : epoch;
}

/*
 * Takes what the Lease says; whether anything is new. The end of an incarnation
 * is for ever: whoever was ended comes back as another one.
 */
static bool peer_take(struct peer *peer, const struct lease *lease)
{
	bool is_new = text_set(&peer->identity, lease->holder);
	bool is_ended = slice_is(lease->state, LEASE_STATE_ENDED);
	bool is_released = slice_is(lease->state, LEASE_STATE_RELEASED);
	bool was_ended = peer->is_ended && !is_new;
	bool was_released = peer->is_released && !is_new;
	uint64_t acknowledged = lease_acknowledged(lease);
	int64_t duration_ms = lease_duration_ms(lease);
	bool is_changed = is_new || acknowledged != peer->acknowledged ||
			  duration_ms != peer->duration_ms;

	is_changed |= text_set(&peer->uid, lease->uid);
	is_changed |= text_set(&peer->settings, lease->settings);
	is_changed |= text_set(&peer->acquire_time, lease->acquire_time);
	is_changed |= flag_set(&peer->is_ended, is_ended || was_ended);
	is_changed |= flag_set(&peer->is_released, is_released || was_released);
	is_changed |= flag_set(&peer->is_unattended,
			       slice_is(lease->controller, LEASE_CONTROLLER_SILENT));
	peer->acknowledged = acknowledged;
	peer->duration_ms = duration_ms;
	return is_changed;
}

static struct peer *roster_add(struct roster *roster, struct slice lease_name,
			       struct slice member)
{
	struct peer *peer;

	if (map_count(roster->peers) == ROSTER_PEERS_MAX)
		return NULL;
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		abort();
	text_set(&peer->lease_name, lease_name);
	text_set(&peer->member, member);
	(void)map_put(roster->peers, lease_name, peer, NULL);
	return peer;
}

int roster_observe(struct roster *roster, struct slice ring, const struct lease *lease,
		   int64_t now_ms, bool *changed, struct err *err)
{
	struct peer *peer = map_get(roster->peers, lease->name);
	struct slice member = { 0 };
	bool is_changed;

	if (lease_member(ring, lease, &member, err) < 0)
		return -EINVAL;
	if (!peer)
		peer = roster_add(roster, lease->name, member);
	if (!peer)
		return err_set(err, -ENOSPC, "more than %d members", ROSTER_PEERS_MAX);
	is_changed = flag_set(&peer->is_present, true);
	if (text_set(&peer->resource_version, lease->resource_version)) {
		is_changed |= peer_take(peer, lease);
		peer->seen_ms = now_ms;
	}
	if (changed)
		*changed = is_changed;
	return 0;
}

void roster_observe_gone(struct roster *roster, struct slice lease_name, bool *changed)
{
	struct peer *peer = map_get(roster->peers, lease_name);
	bool is_over = peer && (peer->is_ended || peer->is_released);

	if (changed)
		*changed = peer && (is_over || peer->is_present);
	if (peer)
		peer->is_present = false;
	if (is_over)
		peer_destroy(map_remove(roster->peers, lease_name));
}

enum peer_state roster_state(const struct peer *peer, int64_t now_ms)
{
	if (peer->is_released)
		return PEER_RELEASED;
	if (peer->is_ended)
		return PEER_ENDED;
	return now_ms - peer->seen_ms < peer->duration_ms ? PEER_ALIVE : PEER_SILENT;
}

const struct peer *roster_find(const struct roster *roster, struct slice lease_name)
{
	return map_get(roster->peers, lease_name);
}

/*
 * Seniority. Times are the members' own and only order them; as texts of one
 * format they sort as they should. Who tells none comes last.
 */
static int peer_compare(const void *left, const void *right)
{
	const struct peer *a = *(const struct peer *const *)left;
	const struct peer *b = *(const struct peer *const *)right;
	bool a_tells = a->acquire_time[0], b_tells = b->acquire_time[0];
	int order = strcmp(a->acquire_time, b->acquire_time);

	if (a_tells != b_tells)
		return a_tells ? -1 : 1;
	return order ? order : strcmp(a->member, b->member);
}

int roster_list(const struct roster *roster, const struct peer **out)
{
	size_t cursor = 0;
	void *peer;
	int n = 0;

	while (map_next(roster->peers, &cursor, NULL, &peer))
		out[n++] = peer;
	qsort(out, (size_t)n, sizeof(void *), peer_compare);
	return n;
}

int64_t roster_next_deadline(const struct roster *roster, int64_t now_ms)
{
	int64_t deadline = INT64_MAX;
	size_t cursor = 0;
	void *value;

	while (map_next(roster->peers, &cursor, NULL, &value)) {
		const struct peer *peer = value;

		if (roster_state(peer, now_ms) == PEER_ALIVE &&
		    peer->seen_ms + peer->duration_ms < deadline)
			deadline = peer->seen_ms + peer->duration_ms;
	}
	return deadline;
}
