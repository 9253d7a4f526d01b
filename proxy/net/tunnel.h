/*
 * A tunnel: an upgrade (exec, attach, port-forward by WebSocket or SPDY) on its
 * own connection to the API server. The request goes up as the client sent it.
 * After 101 bytes go both ways as they come (duplex.h); any other answer is relayed
 * as an answer.
 *
 *	CONNECT --> HEAD --> UPGRADE --> OPEN --> END
 *	               +--> ANSWER --> END
 *
 * It belongs to its exchange, lives no longer, and says when it is over by
 * setting exchange->tunnel to NULL.
 */
#ifndef RINGSIDE_NET_TUNNEL_H
#define RINGSIDE_NET_TUNNEL_H

struct exchange;
struct tunnel;

/* Of an answer's head, and of its body that waits. */
#define TUNNEL_BYTES (64 * 1024)

/* Never NULL; nothing happens before the next return to the loop. */
struct tunnel *tunnel_start(struct exchange *exchange);

/* The sink has room. */
void tunnel_pump(struct tunnel *tunnel);

/*
 * Ends it, whatever it does: both connections are closed. A write that was let
 * pass stays until its answer is known or its right has run out.
 */
void tunnel_cut(struct tunnel *tunnel);

#endif
