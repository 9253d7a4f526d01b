/*
 * libcurl's easy handles, kept from one transfer to the next. A kept one knows what
 * is the same for all transfers: where the API server is, whom to trust, who we are,
 * how connections live. Telling it anew costs as much as sending the request does.
 * What a single transfer says is set each time, by whoever takes the handle. Who has
 * one has a transfer under way: so it is known here how many connections libcurl may
 * keep.
 */
#ifndef RINGSIDE_NET_HANDLES_H
#define RINGSIDE_NET_HANDLES_H

#include <curl/curl.h>
#include <stdbool.h>

#include "proxy/net/credentials.h"
#include "proxy/net/sockets.h"

#define HANDLES_KEPT_MAX 64
/* Of connections that nobody uses, for those who come. */
#define HANDLES_CONNECTIONS_MAX 512

/* Of one kind: with our own client certificate, or without. */
struct handles_kept {
	CURL *easy[HANDLES_KEPT_MAX];
	int n;
};

struct handles {
	const struct credentials *credentials;
	struct sockets *sockets;
	CURLM *multi; /* that the transfers run in */
	int64_t connect_timeout_ms;
	long taken;
	struct handles_kept client;
	struct handles_kept member;
};

/* They outlive the handles. */
void handles_init(struct handles *handles, const struct credentials *credentials,
		  struct sockets *sockets, CURLM *multi, int64_t connect_timeout_ms);
/* All that were taken have been put back. */
void handles_finish(struct handles *handles);

/* Takes one that says nothing about a request yet. */
CURL *handles_get(struct handles *handles, bool is_member);

/*
 * Gives it back; it belongs to no multi handle, and borrows nothing any more. Kept
 * only if its transfer was sent once and came to a good end: libcurl counts in the
 * handle how often it tried again, and gives up early when another did before.
 */
void handles_put(struct handles *handles, CURL *easy, bool is_member, bool is_sound);

#endif
