#include "proxy/net/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include <h2o.h>

#include "proxy/base/log.h"
#include "proxy/net/duplex.h"
#include "proxy/net/guard.h"
#include "proxy/net/headers.h"
#include "proxy/net/server.h"
#include "proxy/net/strict.h"
#include "proxy/net/tunnel.h"

/* What an exchange costs besides what it holds: h2o's request, a connection. */
#define EXCHANGE_BYTES (32 * 1024)

#define TO(step) (1u << EXCHANGE_##step)

static const struct {
	const char *name;
	unsigned to;
} steps[EXCHANGE_STEPS_N] = {
	[EXCHANGE_PARSE] = { "parse", TO(ADMIT) | TO(REPLY) | TO(ABORT) },
	[EXCHANGE_ADMIT] = { "admit", TO(GATHER) | TO(REPLY) | TO(ABORT) },
	[EXCHANGE_GATHER] = { "gather",
			      TO(CONNECT) | TO(TUNNEL) | TO(REPLY) | TO(ABORT) },
	[EXCHANGE_CONNECT] = { "connect", TO(BODY) | TO(REPLY) | TO(ABORT) },
	[EXCHANGE_BODY] = { "body", TO(DRAIN) | TO(ABORT) },
	[EXCHANGE_DRAIN] = { "drain", TO(END) | TO(ABORT) },
	[EXCHANGE_REPLY] = { "reply", TO(END) | TO(ABORT) },
	[EXCHANGE_TUNNEL] = { "tunnel", TO(REPLY) | TO(END) | TO(ABORT) },
	[EXCHANGE_ABORT] = { "abort", TO(END) },
	[EXCHANGE_END] = { "end", 0 },
};

const char *exchange_step_name(enum exchange_step step)
{
	return steps[step].name;
}

bool exchange_step_is_edge(enum exchange_step from, enum exchange_step to)
{
	return (steps[from].to & (1u << to)) != 0;
}

void exchange_enter(struct exchange *exchange, enum exchange_step step)
{
	assert(exchange_step_is_edge(exchange->step, step));
	exchange->step = step;
	list_remove(&exchange->node);
	list_add(&exchange->server->steps[step], &exchange->node);
}

static void exchange_free(void *arg)
{
	struct exchange *exchange = arg;
	struct server *server = exchange->server;

	server->memory -= exchange->charge < server->memory ? exchange->charge
							    : server->memory;
	list_remove(&exchange->node);
	if (exchange->transfer != NULL)
		transfer_close(exchange->upstream, exchange->transfer);
	sink_finish(&exchange->sink);
	buf_finish(&exchange->own);
	buf_finish(&exchange->answer);
	if (exchange->ring != NULL)
		ring_unref(exchange->ring);
	arena_destroy(exchange->arena);
	free(exchange);
}

size_t exchange_bytes(const struct exchange *exchange)
{
	size_t n = EXCHANGE_BYTES + arena_bytes(exchange->arena) + exchange->own.size +
		   exchange->answer.size + sink_bytes(&exchange->sink);

	if (exchange->transfer != NULL)
		n += transfer_peek(exchange->upstream, exchange->transfer).len;
	if (exchange->tunnel != NULL)
		n += TUNNEL_BYTES + 2 * DUPLEX_BYTES;
	return n;
}

void exchange_answered(struct exchange *exchange)
{
	if (exchange->is_in_flight)
		inflight_end(&exchange->server->ring->inflight, exchange->call.bucket);
	exchange->is_in_flight = false;
}

void exchange_unanswered(struct exchange *exchange)
{
	struct ring_holder *ring = exchange->server->ring;

	if (exchange->is_in_flight)
		inflight_abandon(&ring->inflight, exchange->call.bucket,
				 exchange->limit_ms + ring->margin_ms);
	exchange->is_in_flight = false;
}

/* What an exchange holds besides memory, let go as early as possible. */
static void exchange_let_go(struct exchange *exchange)
{
	loop_timer_stop(&exchange->hold);
	loop_task_stop(&exchange->poke_task);
	locate_cancel(exchange->locate);
	exchange->locate = NULL;
	label_keys_cancel(exchange->label_keys);
	exchange->label_keys = NULL;
	if (exchange->stream != NULL)
		exchange->server->relay.close(exchange->stream);
	exchange->stream = NULL;
	exchange_unanswered(exchange);
}

void exchange_end_if_done(struct exchange *exchange)
{
	/* A write that was let pass is in flight until its answer is known. */
	bool upstream_left = exchange->transfer != NULL &&
			     !exchange->is_upstream_done && exchange->is_in_flight;

	if (exchange->step == EXCHANGE_END || sink_is_open(&exchange->sink) ||
	    exchange->tunnel != NULL || upstream_left)
		return;
	exchange_enter(exchange, EXCHANGE_END);
	exchange_let_go(exchange);
	/* Not here: we may be inside a call of h2o's or of the transfer's. */
	loop_task_start(exchange->server->loop, &exchange->free_task);
}

void exchange_abort(struct exchange *exchange)
{
	if (exchange->step == EXCHANGE_ABORT || exchange->step == EXCHANGE_END)
		return;
	exchange_enter(exchange, EXCHANGE_ABORT);
	if (!exchange->is_in_flight)
		exchange_let_go(exchange);
	if (exchange->tunnel != NULL)
		tunnel_cut(exchange->tunnel);
	sink_abort(&exchange->sink);
	exchange_end_if_done(exchange);
}

static void on_room(void *arg)
{
	struct exchange *exchange = arg;

	if (exchange->step == EXCHANGE_REPLY)
		reply_pump(exchange);
	else if (exchange->step == EXCHANGE_BODY || exchange->step == EXCHANGE_DRAIN)
		forward_pump(exchange);
	else if (exchange->step == EXCHANGE_TUNNEL && exchange->tunnel != NULL)
		tunnel_pump(exchange->tunnel);
}

static void on_gone(void *arg, bool is_complete)
{
	struct exchange *exchange = arg;

	/* With a connection that is a WebSocket its guard may be gone. */
	if (!exchange->sink.is_upgraded)
		guard_end(exchange->guard, !is_complete,
			  loop_now_ms(exchange->server->loop));
	if (!is_complete) {
		exchange->has_client_left = exchange->step < EXCHANGE_DRAIN;
		exchange_abort(exchange);
	}
	exchange->is_delivered = is_complete;
	exchange_end_if_done(exchange);
}

static const struct sink_events sink_events = { on_room, on_gone };

static void on_poke(void *arg)
{
	struct exchange *exchange = arg;

	if (exchange->step == EXCHANGE_BODY)
		forward_pump(exchange);
}

void exchange_poke(struct exchange *exchange)
{
	loop_task_start(exchange->server->loop, &exchange->poke_task);
}

bool exchange_is_natural_end(const struct exchange *exchange)
{
	return exchange->has_client_left ||
	       (exchange->is_upstream_done && exchange->result == UPSTREAM_COMPLETE);
}

bool exchange_is_delivered(const struct exchange *exchange)
{
	return exchange->is_delivered;
}

void exchange_cut(struct exchange *exchange)
{
	exchange_abort(exchange);
}

struct slice exchange_header(const struct exchange *exchange, const char *name)
{
	return headers_get(exchange->headers, exchange->headers_n, name);
}

static struct slice slice_of_iovec(h2o_iovec_t bytes)
{
	return slice_make(bytes.base, bytes.len);
}

/* Other offers (h2c) are declined, as every server may (RFC 9110, 7.8). */
static bool is_tunnelled(struct slice protocol)
{
	return slice_is_nocase(protocol, "websocket") ||
	       slice_is_nocase(protocol, "SPDY/3.1");
}

/* The head as it came: h2o drops what it has read of it from its fields. */
static bool is_framing_clear(const h2o_req_t *req)
{
	const h2o_buffer_t *input;

	if (req->version >= 0x200 || req->entity.base == NULL)
		return true;
	input = req->conn->callbacks->get_socket(req->conn)->input;
	return strict_is_framing(slice_make(input->bytes, input->size),
				 req->version < 0x101);
}

static const char *find_fault(const struct exchange *exchange, const h2o_req_t *req)
{
	if (!strict_is_token(exchange->kube.method))
		return "the method is no token";
	if (!strict_is_target(exchange->target))
		return "the request's target has a space or a control character";
	if (!strict_are_fields(exchange->headers, exchange->headers_n))
		return "a header field breaks its line";
	if (!is_framing_clear(req))
		return "the length of the body is said twice or in no known way";
	return NULL;
}

static void read_headers(struct exchange *exchange, const h2o_req_t *req)
{
	struct arena *arena = exchange->arena;
	struct header *headers =
		arena_alloc(arena, (req->headers.size + 1) * sizeof(*headers));

	for (size_t i = 0; i < req->headers.size; i++) {
		const h2o_header_t *field = &req->headers.entries[i];
		struct slice name = slice_of_iovec(*field->name);

		/* HTTP/2 has lower-case names only. */
		if (field->orig_name != NULL)
			name.data = field->orig_name;
		headers[i].name = arena_copy(arena, name);
		headers[i].value = arena_copy(arena, slice_of_iovec(field->value));
	}
	exchange->headers = headers;
	exchange->headers_n = req->headers.size;
}

/* Everything is copied: the exchange may outlive h2o's request. */
static void read_request(struct exchange *exchange, h2o_req_t *req)
{
	struct arena *arena = exchange->arena;

	read_headers(exchange, req);
	exchange->has_body = req->entity.base != NULL;
	exchange->is_body_long = req->entity.len >
				 (size_t)exchange->server->conf.body_bytes;
	if (exchange->has_body && !exchange->is_body_long)
		exchange->body = arena_copy(arena, slice_of_iovec(req->entity));
	if (req->version < 0x200 && is_tunnelled(slice_of_iovec(req->upgrade)))
		exchange->upgrade = arena_copy(arena, slice_of_iovec(req->upgrade));
	exchange->accept = encoding_of_accept(exchange_header(exchange, "accept"));
	exchange->target = arena_copy(arena, slice_of_iovec(req->input.path));
	kube_request_parse(&exchange->kube, arena,
			   arena_copy(arena, slice_of_iovec(req->input.method)),
			   exchange->target);
	exchange->fault = find_fault(exchange, req);
	/* Where the next request begins is anybody's guess. */
	if (exchange->fault != NULL)
		req->http1_is_persistent = 0;
}

void exchange_start(struct server *server, struct guard *guard,
		    struct st_h2o_req_t *req)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		abort();
	exchange->server = server;
	exchange->guard = guard;
	exchange->arena = arena_create();
	list_init(&exchange->node);
	list_add(&server->steps[EXCHANGE_PARSE], &exchange->node);
	loop_task_init(&exchange->free_task, exchange_free, exchange);
	loop_task_init(&exchange->poke_task, on_poke, exchange);
	buf_init(&exchange->own, SINK_BATCH_BYTES);
	sink_init(&exchange->sink, req, &sink_events, exchange);
	read_request(exchange, req);
	server->ring->vitals.requested_ms = loop_now_ms(server->loop);
	exchange->is_unwanted = server_is_full(server);
	exchange->charge = exchange_bytes(exchange);
	server->memory += exchange->charge;
	admit_start(exchange);
}
