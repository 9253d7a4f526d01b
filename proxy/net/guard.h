/*
 * What one client's connection may cost. Each request is noted when it begins and
 * when it ends; two things are then known that h2o does not look at: a client that
 * takes back its requests again and again (HTTP/2 rapid reset), and one that began
 * to say something and does not go on (slow loris). Such connections are closed.
 * Floods of PING and SETTINGS h2o stops by itself, as Debian has patched it.
 * Pure: the caller brings the time.
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

struct guard {
	size_t open;    /* requests under way */
	uint64_t begun; /* requests that ever were */
	unsigned aborts;
	int64_t window_ms; /* when the window began */
	uint64_t
		partial; /* the request that was incomplete at the last look; 0: none */
	int64_t partial_ms; /* since when it has been */
};

/* False: this client has taken back too many, its connection is to be closed. */
bool guard_begin(struct guard *guard);

void guard_end(struct guard *guard, bool is_aborted, int64_t now_ms);

/*
 * Looks at it from time to time: which request has begun first of those that have
 * not arrived as a whole; 0 where there is none. False when that is so for too long.
 */
bool guard_look(struct guard *guard, uint64_t partial, int64_t now_ms);

#endif
