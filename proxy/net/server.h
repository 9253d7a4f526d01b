/*
 * What all exchanges share: the ring, the filters, the way upstream, the hooks,
 * and the lists that say which exchange is in which step. Built by main.
 */
#ifndef RINGSIDE_NET_SERVER_H
#define RINGSIDE_NET_SERVER_H

#include "filters/filter.h"
#include "proxy/net/conf.h"
#include "proxy/net/exchange.h"
#include "proxy/net/locate.h"
#include "proxy/net/relay.h"

enum {
	SERVER_FORWARDED,     /* sent upstream unchanged */
	SERVER_NARROWED,      /* sharded LISTs and WATCHes sent upstream */
	SERVER_FENCED,        /* sharded writes sent upstream */
	SERVER_TUNNELLED,     /* upgrades sent upstream */
	SERVER_LOCKS,         /* requests about virtual locks sent upstream */
	SERVER_CONFLICTS,     /* writes answered 409 by the fence */
	SERVER_EXPIRED,       /* positions answered 410 */
	SERVER_REFUSED,       /* other answers of our own: 400, 413, 415 */
	SERVER_NOT_READY,     /* held too long: 503 */
	SERVER_UNREACHED,     /* the API server could not be reached: 503, 504 */
	SERVER_FENCE_FOREIGN, /* the conflicts by reason, in the order of fence_refusal
			       */
	SERVER_FENCE_NO_RIGHT,
	SERVER_FENCE_UNLABELLED,
	SERVER_FENCE_UNKNOWN,
	SERVER_FENCE_BLIND,
	SERVER_LABELLED,    /* bodies that got, kept or lost a bucket label in flight */
	SERVER_CUT,         /* answers cut because the upstream one broke */
	SERVER_LONG_HEADS,  /* request heads above limits.head: 431 */
	SERVER_LONG_BODIES, /* request bodies above limits.body: 413 */
	SERVER_FULL,        /* connections above limits.connections, closed at once */
	SERVER_NO_FDS,      /* times that no descriptor was left for a connection */
	SERVER_ABUSED,      /* connections closed for requests taken back */
	SERVER_STALLED,     /* connections closed as a request did not arrive */
	SERVER_CHATTY,      /* the same for frames that belong to no request */
	SERVER_STREAMS,     /* streams of HTTP/2 refused: too many, or with no end */
	SERVER_DEAD, /* connections closed as their client is not there any more */
	SERVER_LONG_ANSWERS, /* answers whose head was above our bounds: 503, 504 */
	SERVER_MEMORY,       /* requests refused, connections closed: limits.memory */
	SERVER_CONNECTIONS,  /* gauge: open connections of clients */
	SERVER_HELD,         /* gauge: exchanges that wait to be admitted */
	SERVER_OPEN,         /* gauge: exchanges under way */
	SERVER_IN_FLIGHT,    /* gauge: sharded writes without an answer */
	SERVER_HELD_BYTES,   /* gauge: what limits.memory bounds */
	SERVER_METRICS_N,
};

extern const struct metric server_metrics[];

struct server {
	struct loop *loop;
	struct upstream *upstream;
	const struct cluster *cluster;
	const struct ring_spec *spec;
	struct ring_holder *ring;
	struct locator *locator;
	const struct api *api; /* of our own calls */
	const struct catalog *catalog;
	const struct filter *const *chain;
	struct relay relay;
	struct net_conf conf;
	struct list steps[EXCHANGE_STEPS_N];
	int64_t values[SERVER_METRICS_N];
	struct loop_task readmit;
	int64_t long_bodies; /* that we refused; h2o refuses longer ones */
	size_t memory; /* held by requests and answers: counted, and noted since then */
	bool is_draining;
};

/* The fields above the lists are set by the caller. */
void server_init(struct server *server);

/* All exchanges have ended. */
void server_finish(struct server *server);

/* Exchanges that wait for admission ask again, soon. */
void server_readmit(struct server *server);

/* Exchanges under way. */
size_t server_open_count(const struct server *server);

/*
 * Cuts sharded writes without an answer, where they may touch one of these buckets.
 */
void server_reset_writes(struct server *server, const struct bucket_set *buckets);

/*
 * The ring has changed: cuts what is connected (exec, attach, portforward, proxy) to
 * objects of buckets that are not ours any more.
 */
void server_on_ring(struct server *server);

/*
 * Sums up what requests and answers hold; partial are the bytes of those that have
 * not arrived as a whole. To be called from time to time: until the next one, only
 * what begins and ends is noted.
 */
void server_count_memory(struct server *server, size_t partial);

/* Whether they hold as much as they may. */
bool server_is_full(const struct server *server);

/*
 * We are about to end: watches do not end by themselves, and are cut; who waits to be
 * admitted is told to come back, and so is who comes from now on and would wait.
 */
void server_drain(struct server *server);

/* Cuts what is still under way. */
void server_cut_all(struct server *server);

/* The same where nobody waits for the answers of writes any more: to take it down. */
void server_abandon_all(struct server *server);

/* Brings the gauges up to date. */
void server_refresh(void *server);

#endif
