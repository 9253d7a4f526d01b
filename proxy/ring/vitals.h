/*
 * Signs of life of the controller beside this member (design, section 5), written by
 * requests and connections, read by membership. A member whose controller is silent
 * gives its buckets up, and gets some again once it is heard of.
 *
 * A controller without work is silent by nature: it asks for nothing, and its watches
 * carry nothing. So silence alone is no evidence; it counts only where a living one
 * could not keep still:
 *
 *	lock    it has contended for its lock, or renewed it, and does so no more
 *	gone    it had watches, and no connection is left: a living one watches again
 *	stuck   bytes wait for it that it does not take, and it asks for nothing
 *	health  its health URL, where we are told of one, gives no good answer: the one
 *	        sign that is expected of a controller that was never heard of
 *
 * An open connection is none: a stopped process keeps it, and its kernel goes on to
 * acknowledge what there is room for. Pure.
 */
#ifndef RINGSIDE_RING_VITALS_H
#define RINGSIDE_RING_VITALS_H

#include <stdbool.h>
#include <stdint.h>

/* By our clock; 0: never. */
struct vitals {
	int64_t requested_ms; /* the last request */
	int64_t locked_ms;    /* the last one about a lock of `locks` */
	int64_t watched_ms;   /* the last WATCH of a sharded resource */
	int64_t connected_ms; /* a connection was open */
	int64_t taken_ms;     /* nothing waited for it for long */
	int64_t healthy_ms;   /* the last good answer of its health URL */
	bool has_health;      /* it has such a URL */
};

enum vitals_sign {
	VITALS_LOCK,
	VITALS_GONE,
	VITALS_STUCK,
	VITALS_HEALTH,
	VITALS_SIGNS_N,
	VITALS_ALIVE = VITALS_SIGNS_N, /* nothing is wrong */
};

struct vitals_question {
	const struct vitals *vitals;
	int64_t silence_ms; /* 0: never silent */
	/* Since when it could have been heard of: we serve. INT64_MAX: it cannot. */
	int64_t since_ms;
	int64_t now_ms;
};

/* All zero but `silent`, VITALS_ALIVE. */
struct vitals_state {
	enum vitals_sign silent; /* what it is found silent by */
	int64_t silent_ms;       /* since when */
};

/* Whether the state changed. Who is silent stays so until that very sign is seen. */
bool vitals_step(struct vitals_state *state, const struct vitals_question *question);

/* For a person; "" of VITALS_ALIVE. */
const char *vitals_complaint(enum vitals_sign sign);

#endif
