/*
 * Clients that watch a resource and will come back: informers do, whatever ended
 * their WATCH. Until it has come back, what a client holds of an owned resource lacks
 * what came to this member meanwhile; were it shown the main objects of that, it
 * would make their children a second time. And what it makes meanwhile it may have
 * made before.
 *
 * A client that does not come back is waited for as long as client-go backs off at
 * most (30 s, and as much again by chance), one whose WATCH ended by itself for a
 * moment.
 */
#ifndef RINGSIDE_SESSION_WATCHERS_H
#define RINGSIDE_SESSION_WATCHERS_H

#include "proxy/net/relay.h"

#define WATCHERS_MAX 64
#define WATCHERS_BACK_MS 65000
#define WATCHERS_LEFT_MS 3000

/* Zeroed memory waits for nobody. More than WATCHERS_MAX are not waited for. */
struct watchers {
	struct {
		uint64_t key;
		int64_t until_ms;
	} gone[WATCHERS_MAX];
	int n;
};

/* What a client's WATCHes of one cache have in common. */
uint64_t watcher_key(const struct relay_request *request);

/* A WATCH has ended; one has begun. */
void watchers_end(struct watchers *watchers, uint64_t key, int64_t until_ms);
void watchers_begin(struct watchers *watchers, uint64_t key);

/* Whether somebody is waited for; forgets who need not be any more. */
bool watchers_are_missing(struct watchers *watchers, int64_t now_ms);

#endif
