/*
 * The Leases of the ring, followed: members' go into the roster, the
 * coordinator's to whoever contends for it. Every member does this all the time,
 * so that whoever becomes coordinator knows at once how long each Lease has
 * stood unchanged.
 */
#ifndef RINGSIDE_MEMBER_PEERS_H
#define RINGSIDE_MEMBER_PEERS_H

#include "proxy/kube/lease.h"
#include "proxy/member/context.h"
#include "proxy/ring/assignment.h"
#include "proxy/ring/roster.h"

struct peers_events {
	/* Somebody came, went, or changed more than the time. */
	void (*on_change)(void *arg);
	/* Our own membership Lease was seen. */
	void (*on_own)(void *arg, const struct lease *lease);
	/*
	 * The coordinator's Lease was seen, or seen to be gone: then as it was
	 * deleted, or NULL where a list had none.
	 */
	void (*on_seat)(void *arg, const struct lease *lease, bool is_gone);
};

struct peers;

struct peers *peers_create(struct member_context *context,
			   const struct peers_events *events, void *arg);
void peers_destroy(struct peers *peers);

/* Whether all that was there at our start has been seen. */
bool peers_are_synced(const struct peers *peers);

const struct roster *peers_roster(const struct peers *peers);

/* A Lease that was read or written by a call of ours: newer than what is watched. */
void peers_observe(struct peers *peers, const struct lease *lease);

/* The Lease was deleted by us. */
void peers_observe_gone(struct peers *peers, struct slice name);

/*
 * Members that the assignment names and that have no Lease are timed too, from
 * now on: their Leases were deleted before we came.
 */
void peers_expect(struct peers *peers, const struct assignment *assignment);

#endif
