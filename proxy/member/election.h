/*
 * The election: who coordinates. The seat is the Lease `<ring>`; who holds it
 * renews it on the ticks of his own Lease, others take it when it is given up,
 * when its holder is known to be over, or when it stood unchanged for its
 * duration. It only saves requests: the safety of what a coordinator does rests
 * on the preconditions of each write (design, section 5).
 */
#ifndef RINGSIDE_MEMBER_ELECTION_H
#define RINGSIDE_MEMBER_ELECTION_H

#include "proxy/member/lease_call.h"

/* What is to be known to decide; membership gathers it. */
struct election_terms {
	bool is_willing;       /* else the seat is given up */
	bool has_right;        /* to write; without it we neither take nor renew */
	struct slice identity; /* ours */
	int64_t contact_ms;    /* silence counts from here */
	bool is_holder_gone;   /* who sits there is known to be over */
	uint64_t told_epoch;   /* the highest that anybody told of: the seat keeps it */
};

struct election;

/* on_change: the seat, or what we know of it, changed: think again. */
struct election *election_create(struct member_context *context,
				 void (*on_change)(void *arg), void *arg);
void election_destroy(struct election *election);

/* The seat was seen; as in peers_events. */
void election_observe(struct election *election, const struct lease *lease,
		      bool is_gone);

/* Decides and acts. renews: this is a tick, on which a holder renews. */
void election_think(struct election *election, const struct election_terms *terms,
		    bool renews);

/* Whether we hold it under this identity. */
bool election_is_held(const struct election *election);

/* The highest epoch that the seat tells of, so that it outlives those who knew. */
uint64_t election_epoch(const struct election *election);

/* Who sits there, as far as we know: an identity or "". */
struct slice election_holder(const struct election *election);

#endif
