/*
 * An exchange: one request's life, from its head to the last byte of its answer,
 * as a machine of named steps. exchange_enter is the one function that changes
 * the step: it checks the edge and moves the exchange to the list of its new
 * step, so "how many wait for X" is the length of a list.
 *
 *	                       +--> TUNNEL --> END
 *	                       |
 *	PARSE --> ADMIT --> GATHER --> CONNECT --> BODY --> DRAIN --> END
 *	  |         |          |          |
 *	  +---------+----------+----------+--> REPLY --> END
 *
 *	TUNNEL --> REPLY           ABORT --> END
 *
 * PARSE   reading the request line            CONNECT  sent or being sent upstream
 * ADMIT   waiting for a view of the ring      BODY     the answer is relayed
 * GATHER  waiting for look-ups                DRAIN    upstream is done, client reads
 * REPLY   an answer of our own is leaving     TUNNEL   bytes both ways, as they come
 * ABORT   one side is gone: the other is told; a write that was let pass stays
 *         until its answer is known, as it counts as in flight
 *
 * ABORT can be entered from every step but END. Files by idea: admit.c (PARSE to
 * GATHER), forward.c (CONNECT to DRAIN), reply.c (REPLY), tunnel.c (TUNNEL),
 * upgrade.c (which upgrades are tunnelled, and which are ours).
 */
#ifndef RINGSIDE_NET_EXCHANGE_H
#define RINGSIDE_NET_EXCHANGE_H

#include "filters/filter.h"
#include "proxy/net/label_keys.h"
#include "proxy/net/locate.h"
#include "proxy/net/relay.h"
#include "proxy/net/sink.h"

enum exchange_step {
	EXCHANGE_PARSE,
	EXCHANGE_ADMIT,
	EXCHANGE_GATHER,
	EXCHANGE_CONNECT,
	EXCHANGE_BODY,
	EXCHANGE_DRAIN,
	EXCHANGE_REPLY,
	EXCHANGE_TUNNEL,
	EXCHANGE_ABORT,
	EXCHANGE_END,
	EXCHANGE_STEPS_N,
};

/* What our selectors may add to a request line: below the API server's limit. */
#define TARGET_GROWTH_MAX (32 * 1024)

struct guard;
struct server;
struct stream;
struct tunnel;

struct exchange {
	struct server *server;
	struct guard *guard; /* of the client's connection; while that is HTTP's */
	struct list node;    /* in server->steps[step] */
	enum exchange_step step;
	struct arena *arena;
	struct loop_task free_task;
	struct loop_task poke_task;

	/* The request; slices live until the arena's or the sink's end. */
	struct kube_request kube;
	struct query *query;
	const struct header *headers; /* all that came, but for framing and Host */
	size_t headers_n;
	struct slice target;  /* as it came: path and query */
	struct slice upgrade; /* what it is to be tunnelled as; "": it is not */
	struct slice body;
	const char *fault; /* why it is no request to be passed on, or NULL */
	bool is_body_long; /* above limits.body: it is not copied */
	bool is_unwanted;  /* memory was short when it came */
	bool has_body;
	enum kube_encoding accept;            /* what our own answers are written in */
	const struct ring_resource *resource; /* sharded; else NULL */
	struct relay_request listing;         /* of a LIST, WATCH, DELETECOLLECTION */

	/* Deciding. */
	struct filter_call call;
	struct ring *ring; /* pinned */
	struct view view;  /* a copy of what it was admitted with */
	struct loop_timer hold;
	struct locate_call *locate;
	struct label_keys_call *label_keys;
	unsigned needs; /* still to be gathered */
	size_t charge;  /* noted in server->memory when it began */

	/* Forwarding. */
	struct upstream *upstream; /* the transfer's way */
	struct transfer *transfer;
	bool is_upstream_done;
	bool is_head_sent;
	bool has_client_left;
	bool is_delivered; /* the answer has left, to its end */
	enum upstream_result result;
	bool is_in_flight; /* counted in the ring's writes in flight */
	int64_t limit_ms;  /* our clock: a write has had its time; 0: no limit */
	int64_t sent_ms;   /* our clock: it was let pass */
	struct buf answer; /* to a write, to be learned from; cap 0: it is not */
	enum kube_encoding answer_encoding;
	struct stream *stream;
	struct tunnel *tunnel;

	/* Answering. */
	struct sink sink;
	struct buf own; /* what is left of an answer of our own */
};

const char *exchange_step_name(enum exchange_step step);

/* Whether a machine in `from` may go to `to`. */
bool exchange_step_is_edge(enum exchange_step from, enum exchange_step to);

/*
 * Takes a request of h2o's: the exchange lives until both sides are done. It tells
 * the guard, where it has begun already, of its end.
 */
void exchange_start(struct server *server, struct guard *guard,
		    struct st_h2o_req_t *req);

/* What it holds of memory, about. */
size_t exchange_bytes(const struct exchange *exchange);

/* --- between the files of the machine --- */

void exchange_enter(struct exchange *exchange, enum exchange_step step);

/* One side is gone or broken: takes down what is left, in whatever step. */
void exchange_abort(struct exchange *exchange);

/* Ends it if nothing of it is left on either side. */
void exchange_end_if_done(struct exchange *exchange);

/* The value of the request's first header of that (lower-case) name, or "". */
struct slice exchange_header(const struct exchange *exchange, const char *name);

/* A write that is in flight was answered, or never left. */
void exchange_answered(struct exchange *exchange);
/* No answer will come: it stays in flight until it cannot arrive any more. */
void exchange_unanswered(struct exchange *exchange);

void admit_start(struct exchange *exchange);
void admit_try(struct exchange *exchange);

/*
 * An upgrade that was asked for of what is the ring's: a watch by WebSocket is an
 * ordinary one from here on, whose answer leaves in messages; connections to an object
 * are tunnelled; any other is declined, as every server may (RFC 9110, 7.8). False: the
 * handshake was refused, and answered.
 */
bool upgrade_judge(struct exchange *exchange);

void forward_start(struct exchange *exchange);
void forward_pump(struct exchange *exchange);
/* Cuts a write that has no answer yet. */
void forward_reset(struct exchange *exchange);

/*
 * The fence's last word, asked when the connection is up and the bytes are about
 * to leave. False: the reply stands in exchange->call.reply.
 */
bool forward_may_send(void *exchange);

/* A Status without more. */
void reply_refusal(struct exchange *exchange, int code, const char *reason,
		   const char *message);
/* Answers with a Status of our own; a 410 of a WATCH goes into its stream. */
void reply_status(struct exchange *exchange, const struct status *status);
void reply_pump(struct exchange *exchange);

#endif
