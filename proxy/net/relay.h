/*
 * The hooks through which whoever owns sharded LISTs and WATCHes (proxy/session)
 * takes part in an exchange, without this folder knowing it. main wires them in.
 *
 * Frames stay whole: of each batch of a WATCH's bytes `pass` says how many go on,
 * so an answer can end between two frames and nowhere else.
 */
#ifndef RINGSIDE_NET_RELAY_H
#define RINGSIDE_NET_RELAY_H

#include "proxy/net/upstream.h"
#include "proxy/ring/spec.h"
#include "proxy/ring/view.h"

struct exchange;
struct stream; /* the other side's */

/*
 * What a LIST, WATCH or DELETECOLLECTION of a sharded resource asks for, before the
 * filters edit it; slices live in the exchange's arena.
 */
struct relay_request {
	const struct ring_resource *resource;
	bool is_watch;
	bool is_deprecated_watch; /* its path is not that of a LIST */
	bool sends_initial_events;
	bool allows_bookmarks;
	uint64_t position; /* resourceVersion; 0: none, or no number */
	struct slice path; /* as it came */
	struct slice label_selector, field_selector;
	struct slice accept, user_agent;
};

struct relay {
	/*
	 * The view that the request is to be answered from, borrowed until the next
	 * return to the loop; NULL: not now, the exchange waits and asks again after
	 * server_readmit.
	 */
	const struct view *(*admit)(void *arg, const struct relay_request *request);
	/*
	 * A LIST or WATCH goes upstream, as it was admitted with the view; never
	 * NULL. Both are borrowed until the next return to the loop.
	 */
	struct stream *(*open)(void *arg, const struct relay_request *request,
			       const struct view *view, struct exchange *exchange);
	/*
	 * The way upstream that its bytes come from, as long as a transfer on it is
	 * open; NULL: the usual one. Asked once, before the transfer starts.
	 */
	struct upstream *(*way)(struct stream *stream);
	/* Its head has come. */
	void (*head)(struct stream *stream, const struct upstream_head *head);
	/*
	 * How many of these bytes may go to the client (0 .. bytes.len). *ends: the
	 * answer ends well after them. -EINVAL: it cannot be framed; it is cut.
	 */
	int (*pass)(struct stream *stream, struct slice bytes, size_t *n, bool *ends);
	/*
	 * Whether a client may lack objects that the views show, so that what it makes
	 * may exist already; may be NULL.
	 */
	bool (*is_blind)(void *arg);
	/* The exchange is over; the stream is not used again. */
	void (*close)(struct stream *stream);
	void *arg;
};

/* Called by the other side. */

/* Something about the stream changed: look at it again soon. */
void exchange_poke(struct exchange *exchange);

/* Whether its client has gone by itself, or the API server's answer was complete. */
bool exchange_is_natural_end(const struct exchange *exchange);

/* Whether the answer has left whole, to its end. */
bool exchange_is_delivered(const struct exchange *exchange);

/* Cuts the answer: the client sees an error, never a clean end. */
void exchange_cut(struct exchange *exchange);

#endif
