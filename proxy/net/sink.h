/*
 * The sink: one answer on its way to one client, through h2o. It takes one batch
 * of bytes at a time and asks for the next when that one has left, so that a
 * slow reader holds up its own upstream and nothing else.
 *
 * It belongs to its exchange; the h2o request belongs to h2o and may vanish in
 * any callback of h2o's: on_gone is told once, and then no call has an effect.
 *
 * The answer to a WebSocket's handshake is one if its status is 200: then the bytes are
 * a watch's, and leave as messages (websocket.h). Any other is plain HTTP.
 *
 * Here are h2o 2.2.5's traps, each with its line: headers of an idle answer on
 * HTTP/1.1 leave only if we frame the chunks ourselves; a client that goes away
 * while HTTP/1 waits for us is seen by EPOLLRDHUP only.
 */
#ifndef RINGSIDE_NET_SINK_H
#define RINGSIDE_NET_SINK_H

#include "proxy/base/buf.h"
#include "proxy/net/upstream.h"

/* One batch, and so the most that a sink holds. */
#define SINK_BATCH_BYTES (64 * 1024)

struct loop;
struct st_h2o_req_t;
struct websocket;
struct ws_handshake;

struct sink_events {
	/* The last batch has left; another may be sent. */
	void (*on_room)(void *arg);
	/* The request is over: the answer is complete, or the client is gone. */
	void (*on_gone)(void *arg, bool is_complete);
};

enum sink_last {
	SINK_MORE,
	SINK_FINAL, /* the answer ends here, well */
	SINK_ERROR, /* the answer is cut: the client must notice */
};

struct sink {
	struct st_h2o_req_t *req;             /* NULL once gone, or a WebSocket */
	const struct ws_handshake *handshake; /* NULL: none was asked for */
	struct loop *loop;                    /* of the WebSocket */
	struct websocket *websocket;          /* NULL before, and once gone */
	struct anchor *anchor;                /* in the request's pool */
	const struct sink_events *events;
	void *arg;
	struct connection *connection; /* of HTTP/1: tells of a client that leaves */
	struct buf batch;              /* what h2o is sending */
	char chunk_head[24];
	bool is_started;
	bool is_busy;
	bool is_chunked;
	bool has_body;
	bool is_upgraded; /* the connection is no HTTP any more */
	bool is_last_sent;
	bool is_aborting;
};

/* events and arg outlive the sink. */
void sink_init(struct sink *sink, struct st_h2o_req_t *req,
	       const struct sink_events *events, void *arg);

/* After on_gone, or before any head was sent. */
void sink_finish(struct sink *sink);

struct sink_head {
	int status;
	struct slice phrase;
	const struct header
		*headers; /* end-to-end ones; borrowed until the sink's end */
	size_t headers_n;
	int64_t content_length; /* -1: not known */
};

/* Before sink_start. The handshake was accepted, and outlives the sink. */
void sink_upgrade(struct sink *sink, struct loop *loop,
		  const struct ws_handshake *handshake);

/* Whether on_gone is still to come. */
bool sink_is_open(const struct sink *sink);

/* What it holds, in bytes. */
size_t sink_bytes(const struct sink *sink);

/* Prepares the answer; it leaves with the first batch, which may be empty. */
void sink_start(struct sink *sink, const struct sink_head *head);

/* Whether a batch may be sent now. */
bool sink_has_room(const struct sink *sink);

/* Sends a batch (copied; at most SINK_BATCH_BYTES); only with room. */
void sink_send(struct sink *sink, struct slice bytes, enum sink_last last);

/* Cuts the answer, whatever state it is in. */
void sink_abort(struct sink *sink);

#endif
