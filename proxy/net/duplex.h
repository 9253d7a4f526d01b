/*
 * Bytes both ways between a client's socket and a connection upstream, as they
 * come: what is left of HTTP after 101. At most DUPLEX_BYTES wait in each
 * direction; a side is not read while the other cannot be written.
 *
 * When one side ends or breaks, what is on its way to the other still leaves, as
 * long as some does every DUPLEX_LINGER_MS, and that is the end: neither h2o nor
 * WebSocket nor SPDY knows half of a connection.
 */
#ifndef RINGSIDE_NET_DUPLEX_H
#define RINGSIDE_NET_DUPLEX_H

#include "proxy/base/slice.h"
#include "proxy/net/dial.h"

#define DUPLEX_BYTES (64 * 1024)
#define DUPLEX_LINGER_MS 10000

struct st_h2o_socket_t;
struct duplex;

struct duplex_sides {
	struct st_h2o_socket_t *client; /* taken */
	struct dial *dial;              /* open; outlives the duplex */
	struct slice first; /* came from upstream before; at most DUPLEX_BYTES */
};

/* on_end comes once, from duplex_pump or the loop, unless closed before. */
struct duplex *duplex_create(struct loop *loop, const struct duplex_sides *sides,
			     void (*on_end)(void *arg), void *arg);

/* Does what can be done; also to be called when the dial is ready. */
void duplex_pump(struct duplex *duplex);

/* Closes the client's socket. Not from inside on_end. NULL is fine. */
void duplex_close(struct duplex *duplex);

#endif
