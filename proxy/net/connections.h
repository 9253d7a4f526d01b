/*
 * The clients' connections, kept in sight from outside: h2o 2.2.5 neither closes
 * its connections nor bounds what they hold. connections_look is to be called from
 * time to time. It closes what does not arrive or belongs to no request (net/guard.h)
 * and what is connected to nobody any more (net/liveness.h), and sums up what requests
 * hold that have arrived in part.
 */
#ifndef RINGSIDE_NET_CONNECTIONS_H
#define RINGSIDE_NET_CONNECTIONS_H

#include "proxy/base/list.h"
#include "proxy/net/guard.h"
#include "proxy/net/loop.h"

struct st_h2o_context_t;
struct st_h2o_socket_t;

struct connections {
	struct loop *loop;
	struct list open;
	int64_t n;
	/* As of the last look. */
	size_t partial_n;     /* connections with a request that is incomplete */
	size_t partial_bytes; /* what these hold */
	size_t stuck_n; /* connections that took nothing of what waits, since the last
			 */
	/* Closed by it. */
	size_t stalled_n; /* as a request did not arrive */
	size_t chatty_n;  /* for what belongs to no request */
	size_t dead_n;    /* as nobody is there */
};

struct connection {
	struct list node; /* in connections->open */
	struct connections *connections;
	struct st_h2o_socket_t *socket;
	struct loop_fd *hangup;
	void (*on_hangup)(void *arg); /* NULL: nobody listens */
	void *arg;
	struct guard guard;
	bool is_shaking_hands; /* of TLS: set by who does it, as is is_http2 */
	bool is_http2;
	bool is_cut;
	bool has_hung_up;
	uint64_t partial;   /* names the request that is incomplete for longest, or 0 */
	unsigned partial_n; /* HTTP/2's streams that are incomplete */
	size_t partial_bytes; /* of all that are */
	uint64_t read_before; /* bytes that had come when nothing was incomplete */
	uint64_t completed;   /* those of requests that were completed since */
	bool is_waiting;      /* something waited for it at the last look */
	uint64_t taken;       /* bytes that it had taken by then */
};

void connections_init(struct connections *connections, struct loop *loop);

/* Takes note of a new one, until its socket closes; a client that dies is found. */
void connections_add(struct connections *connections, struct st_h2o_socket_t *socket);

/* The one of a socket that was added. */
struct connection *connection_of(struct st_h2o_socket_t *socket);

/* A request of these sizes has arrived as a whole. False: see guard_begin. */
bool connection_begin(struct connection *connection, size_t head_bytes,
		      size_t body_bytes);

/* So much of an answer leaves. */
void connection_answer(struct connection *connection, size_t bytes);

/*
 * Tells, from the loop, that the client has hung up; at once where it has already.
 * One listener at a time, until it is NULL. h2o sees it by reading alone, and
 * an HTTP/1 connection is not read while a request is answered.
 */
void connection_on_hangup(struct connection *connection, void (*listener)(void *arg),
			  void *arg);

/*
 * Of what a connection that is no HTTP any more is read at once: h2o reads until there
 * is nothing more to read, and this is what bounds it.
 */
void connection_bound_reads(struct connection *connection, int bytes);

/* h2o sees the end and closes, from the loop. */
void connection_cut(struct connection *connection);

/* The same for one that costs too much: it may not read what would tell it. */
void connection_reset(struct connection *connection);

/* Looks at each, and resets those that cost too much. */
void connections_look(struct connections *connections, struct st_h2o_context_t *context,
		      int64_t now_ms);

/*
 * Resets the one that waits for longest for the rest of a request, unless it is
 * the only one, so that no number of them keeps a request from arriving. Whether
 * there was one.
 */
bool connections_shed(struct connections *connections);

#endif
