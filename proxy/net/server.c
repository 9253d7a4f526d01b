#include "proxy/net/server.h"

#include <assert.h>

#define REQUESTS "ringside_requests_total"
#define WRITES_REFUSED "ringside_writes_refused_total"
#define LIMITED "ringside_limited_total"

const struct metric server_metrics[] = {
	[SERVER_FORWARDED] = { REQUESTS, "result=\"forwarded\"", METRIC_COUNTER,
			       "Requests by what became of them." },
	[SERVER_NARROWED] = { REQUESTS, "result=\"narrowed\"", METRIC_COUNTER, NULL },
	[SERVER_FENCED] = { REQUESTS, "result=\"fenced\"", METRIC_COUNTER, NULL },
	[SERVER_TUNNELLED] = { REQUESTS, "result=\"tunnelled\"", METRIC_COUNTER, NULL },
	[SERVER_LOCKS] = { REQUESTS, "result=\"lock\"", METRIC_COUNTER, NULL },
	[SERVER_CONFLICTS] = { REQUESTS, "result=\"conflict\"", METRIC_COUNTER, NULL },
	[SERVER_EXPIRED] = { REQUESTS, "result=\"expired\"", METRIC_COUNTER, NULL },
	[SERVER_REFUSED] = { REQUESTS, "result=\"refused\"", METRIC_COUNTER, NULL },
	[SERVER_NOT_READY] = { REQUESTS, "result=\"not_ready\"", METRIC_COUNTER, NULL },
	[SERVER_UNREACHED] = { REQUESTS, "result=\"unreached\"", METRIC_COUNTER, NULL },
	[SERVER_FENCE_FOREIGN] = { WRITES_REFUSED, "reason=\"foreign\"", METRIC_COUNTER,
				   "Sharded writes that were not let pass, by why: "
				   "another member's bucket; no right to write now; no "
				   "bucket yet; not known." },
	[SERVER_FENCE_NO_RIGHT] = { WRITES_REFUSED, "reason=\"no_right\"",
				    METRIC_COUNTER, NULL },
	[SERVER_FENCE_UNLABELLED] = { WRITES_REFUSED, "reason=\"unlabelled\"",
				      METRIC_COUNTER, NULL },
	[SERVER_FENCE_BLIND] = { WRITES_REFUSED, "reason=\"blind\"", METRIC_COUNTER,
				 NULL },
	[SERVER_FENCE_UNKNOWN] = { WRITES_REFUSED, "reason=\"unknown\"", METRIC_COUNTER,
				   NULL },
	[SERVER_LABELLED] = { "ringside_bodies_labelled_total", NULL, METRIC_COUNTER,
			      "Bodies of sharded writes whose bucket label was set, "
			      "corrected or taken out in flight." },
	[SERVER_CUT] = { "ringside_answers_cut_total", NULL, METRIC_COUNTER,
			 "Answers cut because the API server's broke." },
	[SERVER_LONG_HEADS] = { LIMITED, "limit=\"head\"", METRIC_COUNTER,
				"What was refused or closed because of a bound." },
	[SERVER_LONG_BODIES] = { LIMITED, "limit=\"body\"", METRIC_COUNTER, NULL },
	[SERVER_FULL] = { LIMITED, "limit=\"connections\"", METRIC_COUNTER, NULL },
	[SERVER_NO_FDS] = { LIMITED, "limit=\"descriptors\"", METRIC_COUNTER, NULL },
	[SERVER_ABUSED] = { LIMITED, "limit=\"aborts\"", METRIC_COUNTER, NULL },
	[SERVER_STALLED] = { LIMITED, "limit=\"arrival\"", METRIC_COUNTER, NULL },
	[SERVER_CHATTY] = { LIMITED, "limit=\"frames\"", METRIC_COUNTER, NULL },
	[SERVER_STREAMS] = { LIMITED, "limit=\"streams\"", METRIC_COUNTER, NULL },
	[SERVER_DEAD] = { LIMITED, "limit=\"dead\"", METRIC_COUNTER, NULL },
	[SERVER_LONG_ANSWERS] = { LIMITED, "limit=\"answer\"", METRIC_COUNTER, NULL },
	[SERVER_MEMORY] = { LIMITED, "limit=\"memory\"", METRIC_COUNTER, NULL },
	[SERVER_CONNECTIONS] = { "ringside_connections_open", NULL, METRIC_GAUGE,
				 "Connections of clients." },
	[SERVER_HELD] = { "ringside_requests_held", NULL, METRIC_GAUGE,
			  "Requests that wait for the ring to be ready." },
	[SERVER_OPEN] = { "ringside_requests_open", NULL, METRIC_GAUGE,
			  "Requests under way, watches included." },
	[SERVER_IN_FLIGHT] = { "ringside_writes_in_flight", NULL, METRIC_GAUGE,
			       "Sharded writes whose answer has not come." },
	[SERVER_HELD_BYTES] = { "ringside_memory_bytes", NULL, METRIC_GAUGE,
				"Held by requests and answers: see limits.memory." },
};

static void on_readmit(void *arg)
{
	struct server *server = arg;
	size_t n = list_count(&server->steps[EXCHANGE_ADMIT]);

	/* Each moves itself to another list, or to this one's end. */
	while (n-- > 0 && !list_is_empty(&server->steps[EXCHANGE_ADMIT])) {
		struct list *node = server->steps[EXCHANGE_ADMIT].next;

		list_remove(node);
		list_add(&server->steps[EXCHANGE_ADMIT], node);
		admit_try(LIST_OWNER(node, struct exchange, node));
	}
}

void server_init(struct server *server)
{
	for (int i = 0; i < EXCHANGE_STEPS_N; i++)
		list_init(&server->steps[i]);
	loop_task_init(&server->readmit, on_readmit, server);
}

void server_finish(struct server *server)
{
	assert(server_open_count(server) == 0);
	loop_task_stop(&server->readmit);
}

void server_readmit(struct server *server)
{
	loop_task_start(server->loop, &server->readmit);
}

size_t server_open_count(const struct server *server)
{
	size_t n = 0;

	for (int i = 0; i < EXCHANGE_STEPS_N; i++)
		n += list_count(&server->steps[i]);
	return n;
}

void server_count_memory(struct server *server, size_t partial)
{
	server->memory = partial;
	for (int i = 0; i < EXCHANGE_STEPS_N; i++)
		LIST_EACH(node, &server->steps[i])
			server->memory +=
				exchange_bytes(LIST_OWNER(node, struct exchange, node));
}

bool server_is_full(const struct server *server)
{
	return server->memory >= (size_t)server->conf.memory_bytes;
}

void server_cut_all(struct server *server)
{
	for (int i = 0; i < EXCHANGE_ABORT; i++) {
		size_t n = list_count(&server->steps[i]);

		while (n-- > 0 && !list_is_empty(&server->steps[i]))
			exchange_abort(LIST_OWNER(server->steps[i].next,
						  struct exchange, node));
	}
}

void server_abandon_all(struct server *server)
{
	for (int i = 0; i < EXCHANGE_STEPS_N; i++)
		LIST_EACH(node, &server->steps[i])
			exchange_unanswered(LIST_OWNER(node, struct exchange, node));
	server_cut_all(server);
	LIST_EACH(node, &server->steps[EXCHANGE_ABORT]) {
		exchange_end_if_done(LIST_OWNER(node, struct exchange, node));
	}
}

/* --- what a change of the ring ends --- */

static bool may_touch(const struct exchange *exchange, const struct bucket_set *buckets)
{
	int bucket = exchange->call.bucket;

	return bucket == BUCKET_ALL || (bucket >= 0 && bucket_set_has(buckets, bucket));
}

/* Calls end for each exchange for which wants holds; it changes the lists. */
static void end_each(struct server *server,
		     bool (*wants)(const struct exchange *exchange, const void *arg),
		     void (*end)(struct exchange *exchange), const void *arg)
{
	for (int i = EXCHANGE_CONNECT; i < EXCHANGE_END; i++) {
		size_t n = list_count(&server->steps[i]);

		/* An end may take others with it: each is looked at anew. */
		while (n-- > 0 && !list_is_empty(&server->steps[i])) {
			struct list *node = server->steps[i].next;
			struct exchange *exchange =
				LIST_OWNER(node, struct exchange, node);

			list_remove(node);
			list_add(&server->steps[i], node);
			if (wants(exchange, arg))
				end(exchange);
		}
	}
}

static bool is_write_to(const struct exchange *exchange, const void *arg)
{
	return exchange->is_in_flight && may_touch(exchange, arg);
}

static void reset_write(struct exchange *exchange)
{
	if (exchange->step == EXCHANGE_TUNNEL)
		exchange_abort(exchange);
	else
		forward_reset(exchange);
}

void server_reset_writes(struct server *server, const struct bucket_set *buckets)
{
	end_each(server, is_write_to, reset_write, buckets);
}

static bool is_lost_connection(const struct exchange *exchange, const void *arg)
{
	const struct ring *ring = exchange->server->ring->current;

	return exchange->kube.verb == KUBE_VERB_CONNECT && exchange->call.bucket >= 0 &&
	       exchange->step != EXCHANGE_ABORT &&
	       !ring_may_write(ring, exchange->call.bucket, *(const int64_t *)arg);
}

void server_on_ring(struct server *server)
{
	int64_t now_ms = loop_now_ms(server->loop);

	end_each(server, is_lost_connection, exchange_abort, &now_ms);
}

/* --- the end --- */

static bool is_watch(const struct exchange *exchange, const void *arg)
{
	(void)arg;
	return exchange->kube.verb == KUBE_VERB_WATCH &&
	       exchange->step != EXCHANGE_ABORT && exchange->step != EXCHANGE_REPLY;
}

void server_drain(struct server *server)
{
	server->is_draining = true;
	server_readmit(server);
	end_each(server, is_watch, exchange_abort, NULL);
}

void server_refresh(void *arg)
{
	struct server *server = arg;

	server->values[SERVER_HELD] =
		(int64_t)list_count(&server->steps[EXCHANGE_ADMIT]);
	server->values[SERVER_OPEN] = (int64_t)server_open_count(server);
	server->values[SERVER_HELD_BYTES] = (int64_t)server->memory;
	server->values[SERVER_IN_FLIGHT] = server->ring->inflight.total;
	server->values[SERVER_LONG_ANSWERS] = server->upstream->long_heads;
}
