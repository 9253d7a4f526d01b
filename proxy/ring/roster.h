/*
 * Who is alive, decided from Leases and our own clock alone: how long a Lease
 * has not *changed* since we saw it change, never what time it says (design,
 * section 5, "Seal"). Pure: a table of observations.
 */
#ifndef RINGSIDE_RING_ROSTER_H
#define RINGSIDE_RING_ROSTER_H

#include "proxy/base/map.h"
#include "proxy/kube/lease.h"

enum peer_state {
	PEER_ALIVE,    /* changed within its duration */
	PEER_SILENT,   /* stood unchanged for its duration: to be sealed */
	PEER_ENDED,    /* sealed: its owner of buckets is replaced */
	PEER_RELEASED, /* gave up by its own hand */
};

struct peer {
	char *member;   /* its id */
	char *identity; /* member/incarnation: holderIdentity */
	char *lease_name;
	char *uid; /* of the Lease: an update without it creates what was deleted */
	char *resource_version; /* the one that has stood since seen_ms */
	char *settings;
	char *acquire_time; /* seniority: earliest first, ties by name */
	bool is_present;    /* false: the Lease is gone without a released state;
			       it counts as unchanged */
	bool is_ended, is_released;
	bool is_unattended; /* its controller is silent */
	int64_t duration_ms;
	int64_t seen_ms; /* our clock, when it last changed */
	uint64_t acknowledged;
};

/* Most members, of whatever state, that a roster follows. */
#define ROSTER_PEERS_MAX 256
/* Durations written by others are clamped to this range. */
#define ROSTER_DURATION_MIN_MS 1000
#define ROSTER_DURATION_MAX_MS (10 * 60 * 1000)

struct roster;

struct roster *roster_create(void);
void roster_destroy(struct roster *roster);

/*
 * A Lease of this ring was seen (in a list or a watch event) at now_ms. Only
 * another resourceVersion restarts its time. Leases that are not named
 * "<ring>.<member>" or whose holder is not "<member>/<incarnation>" are reported
 * with -EINVAL and ignored; what stood for them before goes on ageing. -ENOSPC
 * when the roster is full. An incarnation that was ended or released stays so.
 * *changed (may be NULL): whether anything but the time was new (a member, an
 * incarnation, a state).
 */
int roster_observe(struct roster *roster, struct slice ring, const struct lease *lease,
		   int64_t now_ms, bool *changed, struct err *err);

/* The Lease of that name is gone. Released and ended peers are forgotten. */
void roster_observe_gone(struct roster *roster, struct slice lease_name, bool *changed);

enum peer_state roster_state(const struct peer *peer, int64_t now_ms);

/* The peer with that Lease name, or NULL. Borrowed until the roster changes. */
const struct peer *roster_find(const struct roster *roster, struct slice lease_name);

/* All peers in order of seniority, into out (room for ROSTER_PEERS_MAX); how many. */
int roster_list(const struct roster *roster, const struct peer **out);

/* When the next PEER_ALIVE becomes PEER_SILENT (absolute), or INT64_MAX. */
int64_t roster_next_deadline(const struct roster *roster, int64_t now_ms);

#endif
