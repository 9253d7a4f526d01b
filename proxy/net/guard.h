/*
 * What one client's connection may cost. Each request is noted when it begins and
 * when it ends; three things are then known that h2o does not look at: a client that
 * takes back its requests again and again (HTTP/2 rapid reset), one that began to say
 * something and does not go on (slow loris), and one that says much that belongs to no
 * request: floods of PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM, empty DATA
 * and CONTINUATION, and frames of no type at all, each of which h2o answers or logs.
 * h2o counts no frames; what they weigh is known by what does not belong to requests.
 * Such connections are closed. Pure: the caller brings the time.
 */
#ifndef RINGSIDE_NET_GUARD_H
#define RINGSIDE_NET_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More requests taken back than that in one window is abuse. */
#define GUARD_ABORTS_MAX 1000
#define GUARD_WINDOW_MS 10000
/* How long a request may take to arrive, from its first byte to its last. */
#define GUARD_ARRIVAL_MS 20000
/*
 * Most bytes in one window, as they came by TCP, that belong to no request: more than
 * what a client takes back of a body that the API server would take.
 */
#define GUARD_CHATTER_BYTES (4 * 1024 * 1024)

struct guard {
	size_t open;    /* requests under way */
	uint64_t begun; /* requests that ever were */
	unsigned aborts;
	int64_t window_ms; /* when the window began */
	uint64_t
		partial; /* the request that was incomplete at the last look; 0: none */
	int64_t partial_ms;    /* since when it has been */
	uint64_t chatter_from; /* what had come when the window of chatter began */
	uint64_t explained;    /* of what has come since: what is of requests */
	uint64_t partial_most; /* and what may have been of some that did not arrive */
	int64_t chatter_ms;    /* when it began */
	int64_t heard_ms;      /* when it was not deaf */
};

/* False: this client has taken back too many, its connection is to be closed. */
bool guard_begin(struct guard *guard);

void guard_end(struct guard *guard, bool is_aborted, int64_t now_ms);

/*
 * Looks at it from time to time: which request has begun first of those that have
 * not arrived as a whole; 0 where there is none. False when that is so for too long.
 */
bool guard_look(struct guard *guard, uint64_t partial, int64_t now_ms);

/* A request has come, in frames and records of whatever size. */
void guard_explain_request(struct guard *guard, size_t head_bytes, size_t body_bytes);

/* So much of an answer leaves: its client makes room for more. */
void guard_explain_answer(struct guard *guard, size_t bytes);

/*
 * So much has come on the connection, ever, and so much of it may be of requests that
 * have not arrived as a whole. is_deaf: it is read no more, as its client does not read
 * what it is answered (h2o stops at 512 KiB that no window holds back). False: too much
 * is of no request, or it is deaf for too long, close it.
 */
bool guard_hear(struct guard *guard, uint64_t received, uint64_t partial_bytes,
		bool is_deaf, int64_t now_ms);

#endif
