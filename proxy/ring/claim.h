/*
 * Who may write a Lease: what a member does about the Lease that bears its
 * name, and about the coordinator's, which we call the seat. Decided from what
 * stands there, from the lock file and from our own clock; never from what time
 * a Lease says (design, section 5, "Restart in place", "Seal"). Pure.
 *
 * Every verdict that writes does so with the resourceVersion that was judged as
 * precondition: of two who judge alike, one wins.
 */
#ifndef RINGSIDE_RING_CLAIM_H
#define RINGSIDE_RING_CLAIM_H

#include "proxy/kube/lease.h"

#define LEASE_STATE_ENDED "ended"
#define LEASE_STATE_RELEASED "released"
#define LEASE_CONTROLLER_SILENT "silent"

/* The member of "<member>/<incarnation>", or "" for anything else. */
struct slice identity_member(struct slice identity);

/* Whether a Lease was given up, by a seal or by its holder's own hand. */
bool lease_is_over(const struct lease *lease);

/* leaseDurationSeconds, bounded as everything that others write. */
int64_t lease_duration_ms(const struct lease *lease);

/* A Lease that was read, and what is known besides. */
struct claim_question {
	const struct lease *lease; /* NULL: there is none */
	struct slice ring;
	struct slice member;
	/*
	 * The identity under which no other process can be running: our own, or
	 * the one that the lock file records, which we hold. "" if there is none.
	 */
	struct slice proven;
	/*
	 * An identity of this member that the assignment names, and of whose writes
	 * nothing is known; "" if there is none. It matters when its Lease is gone
	 * without a trace.
	 */
	struct slice named;
	int64_t duration_ms; /* our own, for want of another */
	int64_t since_ms;    /* our clock, since when this version has stood */
	int64_t now_ms;
};

enum claim_verdict {
	CLAIM_CREATE,  /* create it, as a new incarnation */
	CLAIM_TAKE,    /* update it, as a new incarnation */
	CLAIM_ADOPT,   /* update it, and go on as the incarnation that it bears */
	CLAIM_WAIT,    /* it may be somebody's: read again at *wait_until_ms */
	CLAIM_FOREIGN, /* no membership Lease of this ring: hands off */
};

enum claim_verdict claim_judge(const struct claim_question *question,
			       int64_t *wait_until_ms);

/* What became of a Lease whose renewal was refused. */
enum claim_standing {
	STANDING_OURS,    /* an earlier write of ours, whose answer was lost */
	STANDING_SEALED,  /* ended by a coordinator */
	STANDING_TWIN,    /* claimed by another process under our member id */
	STANDING_DELETED, /* by an outsider: never created again as this incarnation */
	STANDING_FOREIGN,
};

/* For the log; "" of STANDING_OURS. */
const char *claim_standing_text(enum claim_standing standing);

/* proven is the identity that holds, or held, the Lease. */
enum claim_standing claim_check(const struct claim_question *question);

/* The coordinator's Lease, judged by a member that may contend for it. */
struct seat_question {
	const struct lease *lease; /* NULL: there is none */
	struct slice ring;
	struct slice identity; /* ours */
	bool is_holder_gone;   /* its membership is known to be over */
	int64_t since_ms;      /* our clock, since when this version has stood */
	int64_t now_ms;
};

enum seat_verdict {
	SEAT_CREATE,
	SEAT_TAKE,
	SEAT_OURS,
	SEAT_WAIT, /* until *wait_until_ms */
	SEAT_FOREIGN,
};

enum seat_verdict seat_judge(const struct seat_question *question,
			     int64_t *wait_until_ms);

#endif
