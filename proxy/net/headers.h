/*
 * Which header fields go from one side to the other: all but those that belong
 * to a single connection (RFC 9110, 7.6.1) and those that are said again by the
 * libraries. A field named in Connection goes too, unless it is one that the API
 * or the request's meaning rests on: a client must not be able to have its
 * Authorization removed on the way.
 */
#ifndef RINGSIDE_NET_HEADERS_H
#define RINGSIDE_NET_HEADERS_H

#include "proxy/base/arena.h"
#include "proxy/net/upstream.h"

struct headers_rules {
	bool is_request;
	bool strips_encoding;      /* ask upstream for no compression */
	bool strips_authorization; /* our own is sent instead */
	bool keeps_upgrade;        /* Connection and Upgrade of a handshake */
};

/* The fields to pass on, in the arena; values are shared. How many. */
size_t headers_pass(const struct header *in, size_t in_n,
		    const struct headers_rules *rules, struct header **out,
		    struct arena *arena);

/* The first field of that (lower-case) name, or "". */
struct slice headers_get(const struct header *headers, size_t n, const char *name);

#endif
