/*
 * A WebSocket: what an HTTP/1.1 connection is after the handshake of a watch. Frames
 * of the watch go in, messages leave (ws_messages.h); what the client says is read
 * all the time, for its pings and its close (ws.h).
 *
 *	UPGRADE --> OPEN --> LEAVE --> END
 *	   `---------'---------------------^
 *
 * UPGRADE  101 is on its way        LEAVE  its owner has been told; the last bytes
 * OPEN     messages leave                  and the Close leave, the other side's
 *                                          Close is awaited for WEBSOCKET_LINGER_MS
 *
 * Pongs leave between messages, one at a time: the newest. It frees itself, and closes
 * the connection; its owner is told once that it is over, and may then forget it.
 */
#ifndef RINGSIDE_NET_WEBSOCKET_H
#define RINGSIDE_NET_WEBSOCKET_H

#include "proxy/kube/encoding.h"
#include "proxy/net/loop.h"
#include "proxy/net/sink.h"
#include "proxy/net/ws_handshake.h"

#define WEBSOCKET_LINGER_MS 2000

struct websocket;

/*
 * Accepts the handshake: of the request nothing is left to whoever has it, but what
 * its connection is. encoding: of the watch. Nothing is told before the next return to
 * the loop.
 */
struct websocket *websocket_open(struct loop *loop, struct st_h2o_req_t *req,
				 const struct ws_handshake *handshake,
				 enum kube_encoding encoding);

/* Who is told; before the next return to the loop. Both outlive the websocket. */
void websocket_listen(struct websocket *websocket, const struct sink_events *events,
		      void *arg);

/* As of a sink (sink.h). */
bool websocket_has_room(const struct websocket *websocket);
void websocket_send(struct websocket *websocket, struct slice bytes,
		    enum sink_last last);
/* Closes the connection without a Close; nothing is told. */
void websocket_abort(struct websocket *websocket);

/* What it holds, in bytes. */
size_t websocket_bytes(const struct websocket *websocket);

#endif
