/*
 * The ring's stake in a real lock: the Lease by which the controller elects a leader
 * where it runs without Ringside. While a replica holds it that runs so, the ring
 * waits; while the ring holds it, such a replica does (design, section 5, "The replica
 * that was there before the ring").
 *
 * It is held for the ring as a whole, under one name for all its members: whoever of
 * them finds that it was not renewed for a while does it, so that it has no gap when a
 * coordinator dies. What a member may rest on is its own evidence alone: a candidate
 * counts from when it sees the Lease change, never before that change was asked for.
 * So one that was asked for after `proven_ms` of our clock leaves the lock to the ring
 * for the Lease's duration from then on, whatever becomes of the other members. Such a
 * moment is when we sent the request that changed it, or the read before the one that
 * shows it changed. Wall clocks and renewTime are never looked at. Pure.
 */
#ifndef RINGSIDE_RING_STAKE_H
#define RINGSIDE_RING_STAKE_H

#include "proxy/kube/lease.h"

enum stake_holder {
	STAKE_UNKNOWN, /* not read yet */
	STAKE_NOBODY,
	STAKE_RING,
	STAKE_FOREIGN,
};

/* What is known of a lock; all zero: nothing. */
struct stake {
	enum stake_holder holder;
	bool is_there;       /* a Lease of that name is */
	char version[65];    /* its resourceVersion, as seen last */
	int64_t duration_ms; /* as it says; 0: it says nothing */
	int64_t since_ms;    /* our clock, when this version was seen first */
	int64_t asked_ms;    /* our clock, when the newest answered request was sent */
	int64_t proven_ms;   /* of a lock of the ring: as told above; 0: no evidence */
};

/* An answer to a consistent read or to a write of ours. */
struct stake_sight {
	const struct lease *lease; /* what stands there; NULL: nothing */
	bool is_written;           /* by us, just now */
	int64_t sent_ms;           /* our clock, when it was asked for */
	int64_t now_ms;
};

/* Answers come in the order of their requests. holder: the ring's name. */
void stake_see(struct stake *stake, const struct stake_sight *sight,
	       struct slice holder);

struct stake_question {
	bool is_wanted;  /* we could serve, but for the lock */
	bool is_leaving; /* no member of the ring writes any more: it is to be given up
			  */
	bool is_in_charge;   /* we coordinate */
	int64_t duration_ms; /* of our Leases */
	int64_t margin_ms;   /* lease.margin */
	int64_t now_ms;
};

/* Until when nobody else can hold it, by our clock; 0: no evidence that it is so. */
int64_t stake_until_ms(const struct stake *stake,
		       const struct stake_question *question);

/*
 * Whether the lock's duration is so short that little of it is left before the margin:
 * a renewal or two that are late, and the ring rests.
 */
bool stake_is_brief(const struct stake *stake, const struct stake_question *question);

/* The duration that the ring writes: a shorter one that stood there stays. */
int64_t stake_duration_ms(const struct stake *stake,
			  const struct stake_question *question);

/* How long after one request about it the next one follows. */
int64_t stake_beat_ms(const struct stake *stake, const struct stake_question *question);

enum stake_step {
	STAKE_REST, /* nothing is to be done */
	STAKE_READ,
	STAKE_CREATE,
	STAKE_TAKE, /* also a renewal: it is written as the ring's */
	STAKE_GIVE_UP,
};

/* What the next request about it is. Writes have the version as precondition. */
enum stake_step stake_next(const struct stake *stake,
			   const struct stake_question *question);

#endif
