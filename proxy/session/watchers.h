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
 *
 * Whose WATCH began at a position of the view held then what the view showed: however
 * often it breaks off from there, it does not lack what came with the view.
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
		uint64_t floor; /* of the view that it holds for certain; 0: of none */
		int64_t until_ms;
	} gone[WATCHERS_MAX];
	int n;
};

/* What a client's WATCHes of one cache have in common. */
uint64_t watcher_key(const struct relay_request *request);

/*
 * A WATCH has ended; one has begun. floor: of the view that its client held when it
 * began; 0: of none for certain.
 */
void watchers_end(struct watchers *watchers, uint64_t key, uint64_t floor,
		  int64_t until_ms);
void watchers_begin(struct watchers *watchers, uint64_t key, uint64_t floor);

/* Whether somebody is waited for; forgets who need not be any more. */
bool watchers_are_missing(struct watchers *watchers, int64_t now_ms);

/* Whether one of them is not known to hold the view of this floor; as that. */
bool watchers_lack(struct watchers *watchers, uint64_t floor, int64_t now_ms);

#endif
