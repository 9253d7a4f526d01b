/*
 * What the coordinator does next, as a function of values: the newest
 * assignment, the roster, and our clock. Whom to seal, what has to be known for
 * certain first, which assignment follows, which Leases nobody needs any more
 * (design, section 5). Pure; the member floor carries it out.
 *
 * What it rests on may be old, as it comes from watches. So nothing is taken
 * from an owner but on a fact that stays true for ever: its Lease was seen
 * ended or released, or a read that began after it was named shows the Lease
 * under another incarnation.
 */
#ifndef RINGSIDE_RING_COORDINATION_H
#define RINGSIDE_RING_COORDINATION_H

#include "proxy/ring/handover.h"
#include "proxy/ring/plan.h"
#include "proxy/ring/roster.h"

struct coordination {
	const struct ring_spec *spec;
	const char *settings;           /* ours */
	struct slice identity;          /* ours */
	const struct assignment *known; /* the newest; epoch 0: none was ever seen */
	bool is_stored;                 /* the ConfigMap holds that very content */
	const struct peer *peers[ROSTER_PEERS_MAX]; /* in order of seniority */
	int peers_n;
	/* Identities that a read has shown to be replaced by another incarnation. */
	const struct slice *replaced;
	int replaced_n;
	int64_t now_ms;
	/*
	 * Since when we have been in touch with the API server without a break;
	 * INT64_MAX when we are not. Silence counts from here: an outage silences
	 * everybody and must move nothing.
	 */
	int64_t since_ms;
	/* The highest epoch that anything tells of but the peers. */
	uint64_t told_epoch;
	/* The highest epoch that we tried to publish: no attempt has that of another.
	 */
	uint64_t tried_epoch;
	int shards;
	uint64_t generation;
	uint32_t labelled; /* first passes that are complete */
};

/* As roster_state, but no silence from before since_ms counts. */
enum peer_state coordination_state(const struct coordination *c,
				   const struct peer *peer);

/* When the next living peer becomes silent (absolute), or INT64_MAX. */
int64_t coordination_deadline(const struct coordination *c);

/* What is known of an identity that the assignment names. */
enum identity_standing {
	IDENTITY_ALIVE,
	IDENTITY_ABSENT,   /* its Lease was deleted, yet it may not know: may write */
	IDENTITY_SILENT,   /* to be sealed; until then its buckets stay */
	IDENTITY_GONE,     /* sealed, released, or replaced for certain */
	IDENTITY_DOUBTFUL, /* its Lease seems to bear another: to be read */
	IDENTITY_UNKNOWN,  /* no Lease of that name was ever seen */
};

enum identity_standing coordination_standing(const struct coordination *c,
					     struct slice identity);

/*
 * Peers for which `wants` holds, into out (room for ROSTER_PEERS_MAX); how many.
 *   silent    their Lease is to be sealed
 *   doubtful  their Lease is to be read: the assignment names another incarnation
 *   spent     ended or released, and named by no bucket: to be deleted
 */
enum peer_errand { ERRAND_SEAL, ERRAND_READ, ERRAND_DELETE };
int coordination_errands(const struct coordination *c, enum peer_errand errand,
			 const struct peer **out);

/* Who could be active, in order of seniority: identities, room for n peers. */
int coordination_candidates(const struct coordination *c, struct slice *out);

/*
 * Whether a member may contend for the coordinator's Lease: its settings are the
 * assignment's or nobody alive has those, and nobody alive knows an assignment
 * while this member knows none.
 */
bool coordination_may_contend(const struct coordination *c);

/* The number of active members that holds: ours, unless a newer one was published. */
int coordination_shards(const struct coordination *c);

/*
 * Whether no member but us may still write: everybody else that is known has ended or
 * released its Lease.
 */
bool coordination_is_last(const struct coordination *c);

enum plan_verdict {
	PLAN_NOTHING, /* the assignment is as it should be */
	PLAN_HOLD,    /* something is not certain yet; an errand is under way */
	PLAN_PUBLISH, /* *next is to be written */
};

/* *next shares the texts of c->known and of the peers. */
enum plan_verdict coordination_plan(const struct coordination *c,
				    struct assignment *next);

/* Whether a bucket has no owner, or one that is gone: healing that must not wait. */
bool coordination_has_orphans(const struct coordination *c);

/*
 * Whether an owner that stands has yet to let go of a bucket: acknowledgements of
 * others may wait a moment for its own, so that who takes from several does it once.
 */
bool coordination_awaits(const struct coordination *c);

/* How many buckets change their owner. */
int coordination_moves(const struct assignment *now, const struct assignment *next);

#endif
