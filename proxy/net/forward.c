/*
 * Upstream and back: the request goes to the API server, its answer to the
 * client, batch by batch, each taken from the transfer only when the client has
 * room. Sharded LISTs and WATCHes pass their relay on the way.
 */
#include <assert.h>
#include <inttypes.h>

#include "proxy/base/log.h"
#include "proxy/base/units.h"
#include "proxy/net/exchange.h"
#include "proxy/net/headers.h"
#include "proxy/net/learn.h"
#include "proxy/net/renamer.h"
#include "proxy/net/server.h"
#include "proxy/net/tunnel.h"

/* Only of what the API server would make a second time. */
static bool is_made_blindly(const struct exchange *exchange)
{
	const struct relay *relay = &exchange->server->relay;

	return exchange->kube.verb == KUBE_VERB_CREATE && exchange->resource != NULL &&
	       exchange->resource->role == RESOURCE_OWNED && relay->is_blind != NULL &&
	       relay->is_blind(relay->arg);
}

bool forward_may_send(void *arg)
{
	struct exchange *exchange = arg;
	struct server *server = exchange->server;
	struct filter_call *call = &exchange->call;

	call->ring = server->ring->current;
	call->now_ms = loop_now_ms(server->loop);
	call->is_counted = false;
	call->is_blind = is_made_blindly(exchange);
	if (filter_chain_on_send(server->chain, call) == FILTER_REPLY) {
		if (call->refusal != FENCE_PASSED)
			server->values[SERVER_FENCE_FOREIGN + call->refusal -
				       FENCE_FOREIGN]++;
		return false;
	}
	if (call->is_counted && !exchange->is_in_flight) {
		inflight_begin(&server->ring->inflight, call->bucket);
		exchange->is_in_flight = true;
		server->values[SERVER_FENCED]++;
	}
	exchange->sent_ms = call->now_ms;
	return true;
}

/* Whether it changes nothing, however often it is sent; of no path is more known. */
static bool is_safe(const struct exchange *exchange)
{
	return !kube_verb_is_mutating(exchange->kube.verb) &&
	       (slice_is(exchange->kube.method, "GET") ||
		slice_is(exchange->kube.method, "HEAD"));
}

static void fail(struct exchange *exchange, const struct err *err)
{
	struct status status = { .code = 503,
				 .reason = "ServiceUnavailable",
				 .retry_after_s = 1 };
	const char *what = "the API server could not be reached";

	if (exchange->result == UPSTREAM_TIMEOUT ||
	    (exchange->result == UPSTREAM_BROKEN && !is_safe(exchange))) {
		/* Without Retry-After: it may have been carried out. */
		status = (struct status){ .code = 504, .reason = "Timeout" };
		what = "the API server did not answer, the request may have been "
		       "carried out";
	}
	status.message = arena_printf(exchange->arena, "%s: %s", what, err->text);
	exchange->server->values[SERVER_UNREACHED]++;
	reply_status(exchange, &status);
}

/* --- the answer's bytes --- */

static enum sink_last ending(const struct exchange *exchange)
{
	return exchange->result == UPSTREAM_COMPLETE ? SINK_FINAL : SINK_ERROR;
}

/* How much of what waits may go, and whether the answer ends behind it. */
static int batch(struct exchange *exchange, struct slice *bytes, bool *ends)
{
	struct relay *relay = &exchange->server->relay;
	int rc = 0;

	*bytes = transfer_peek(exchange->upstream, exchange->transfer);
	if (bytes->len > SINK_BATCH_BYTES)
		bytes->len = SINK_BATCH_BYTES;
	*ends = false;
	if (exchange->stream != NULL)
		rc = relay->pass(exchange->stream, *bytes, &bytes->len, ends);
	return rc;
}

static void finish_early(struct exchange *exchange)
{
	/* A clean end of ours; the rest of the upstream answer is not wanted. */
	transfer_close(exchange->upstream, exchange->transfer);
	exchange->transfer = NULL;
	exchange->is_upstream_done = true;
	exchange->result = UPSTREAM_COMPLETE;
}

void forward_pump(struct exchange *exchange)
{
	struct upstream *upstream = exchange->upstream;
	enum sink_last last = SINK_MORE;
	struct slice bytes;
	bool ends;

	if (exchange->step != EXCHANGE_BODY || !sink_has_room(&exchange->sink))
		return;
	if (batch(exchange, &bytes, &ends) != 0) {
		exchange->server->values[SERVER_CUT]++;
		exchange_abort(exchange);
		return;
	}
	if (ends)
		last = SINK_FINAL;
	else if (exchange->is_upstream_done &&
		 transfer_peek(upstream, exchange->transfer).len == bytes.len)
		last = ending(exchange);
	if (bytes.len == 0 && last == SINK_MORE && exchange->is_head_sent)
		return;
	exchange->is_head_sent = true;
	learn_more(exchange, bytes);
	if (last == SINK_FINAL)
		learn_end(exchange);
	if (last == SINK_ERROR)
		exchange->server->values[SERVER_CUT]++;
	if (last != SINK_MORE)
		exchange_enter(exchange, EXCHANGE_DRAIN);
	/* sink_send copies; it may end the exchange, which is freed from a task. */
	sink_send(&exchange->sink, bytes, last);
	if (ends)
		finish_early(exchange);
	else
		transfer_take(upstream, exchange->transfer, bytes.len);
}

/* --- the transfer's events --- */

static void on_head(void *arg, const struct upstream_head *head)
{
	static const struct headers_rules rules = { .is_request = false };
	struct exchange *exchange = arg;
	struct header *headers;
	struct sink_head out = { .status = head->status,
				 .phrase = head->phrase,
				 .content_length = head->content_length };

	if (exchange->step != EXCHANGE_CONNECT)
		return; /* the client left; we wait for the end of its write alone */
	if (exchange->stream != NULL)
		exchange->server->relay.head(exchange->stream, head);
	learn_begin(exchange, head);
	out.headers_n = headers_pass(head->headers, head->headers_n, &rules, &headers,
				     exchange->arena);
	out.headers = headers;
	/* One that may end early says no length. */
	if (exchange->stream != NULL && exchange->kube.verb == KUBE_VERB_WATCH &&
	    head->status == 200)
		out.content_length = -1;
	exchange_enter(exchange, EXCHANGE_BODY);
	sink_start(&exchange->sink, &out);
	/* on_bytes follows at once where the body has begun; else the head goes alone.
	 */
	exchange_poke(exchange);
}

static void on_bytes(void *arg)
{
	struct exchange *exchange = arg;
	struct upstream *upstream = exchange->upstream;

	if (exchange->step == EXCHANGE_BODY)
		forward_pump(exchange);
	else if (exchange->step == EXCHANGE_ABORT)
		transfer_take(upstream, exchange->transfer,
			      transfer_peek(upstream, exchange->transfer).len);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct exchange *exchange = arg;

	exchange->is_upstream_done = true;
	exchange->result = result;
	if (result == UPSTREAM_TIMEOUT || result == UPSTREAM_BROKEN)
		exchange_unanswered(exchange);
	else
		exchange_answered(exchange);
	if (exchange->step == EXCHANGE_CONNECT && result == UPSTREAM_REFUSED)
		reply_status(exchange, &exchange->call.reply);
	else if (exchange->step == EXCHANGE_CONNECT)
		fail(exchange, err);
	else if (exchange->step == EXCHANGE_BODY)
		forward_pump(exchange);
	else
		exchange_end_if_done(exchange);
}

void forward_reset(struct exchange *exchange)
{
	static const struct err err = { .text = "it was cut, as its bucket moves to "
						"another member" };

	if (exchange->transfer != NULL && !exchange->is_upstream_done)
		transfer_close(exchange->server->upstream, exchange->transfer);
	exchange->transfer = NULL;
	exchange->is_upstream_done = true;
	exchange->result = UPSTREAM_TIMEOUT;
	exchange_unanswered(exchange);
	if (exchange->step == EXCHANGE_CONNECT)
		fail(exchange, &err);
	else
		exchange_abort(exchange);
	exchange_end_if_done(exchange);
}

static const struct upstream_events events = {
	.may_send = forward_may_send,
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

/* --- sending --- */

static struct slice target(struct exchange *exchange)
{
	struct buf text;
	struct slice copy;

	/* What was not touched keeps its bytes. */
	if (exchange->resource == NULL && exchange->call.lock == NULL)
		return exchange->target;
	buf_init(&text, exchange->target.len + TARGET_GROWTH_MAX);
	if (buf_append(&text, exchange->call.path.len > 0 ? exchange->call.path
							  : exchange->kube.path) != 0 ||
	    buf_append_text(&text, "?") != 0 ||
	    query_write(exchange->query, &text) != 0) {
		buf_finish(&text);
		return slice_make(NULL, 0);
	}
	if (text.data[text.len - 1] == '?')
		text.len--;
	copy = arena_copy(exchange->arena, buf_slice(&text));
	buf_finish(&text);
	return copy;
}

/*
 * A sharded write must not outlive the right it was let pass by; what is connected
 * to an object is cut when that ends (server_on_ring). 0: no limit.
 */
static int64_t time_limit(struct exchange *exchange)
{
	int64_t now_ms = loop_now_ms(exchange->server->loop);

	if (exchange->resource == NULL || !kube_verb_is_mutating(exchange->kube.verb) ||
	    kube_request_is_unserved(&exchange->kube) ||
	    exchange->kube.verb == KUBE_VERB_CONNECT)
		return 0;
	exchange->limit_ms = exchange->ring->right_until_ms;
	if (exchange->limit_ms <= now_ms)
		exchange->limit_ms = now_ms + 1;
	return exchange->limit_ms - now_ms;
}

/* The API server is told, too, unless the client asks for less. */
static void tell_limit(struct exchange *exchange, int64_t limit_ms)
{
	struct slice theirs;
	int64_t theirs_ms;

	if (limit_ms == 0 || (query_get(exchange->query, "timeout", &theirs) &&
			      units_parse_duration(theirs, &theirs_ms) == 0 &&
			      theirs_ms > 0 && theirs_ms <= limit_ms))
		return;
	query_set(exchange->query, "timeout",
		  slice_of(arena_printf(exchange->arena, "%" PRId64 "ms", limit_ms)));
}

/* What is asked about a lock comes back under the name that was asked for. */
static void open_renamer(struct exchange *exchange)
{
	const struct ring_lock *lock = exchange->call.lock;
	const struct rename rename = { .from = lock->alias, .to = lock->name };

	exchange->server->values[SERVER_LOCKS]++;
	exchange->upstream = renamer_way(exchange->server->loop, exchange->upstream,
					 &rename,
					 exchange->kube.verb == KUBE_VERB_WATCH);
}

static void open_stream(struct exchange *exchange)
{
	struct relay *relay = &exchange->server->relay;
	bool is_watch = exchange->kube.verb == KUBE_VERB_WATCH;
	struct upstream *way;

	if (exchange->call.lock != NULL) {
		open_renamer(exchange);
		return;
	}
	if (exchange->resource == NULL ||
	    (!is_watch && exchange->kube.verb != KUBE_VERB_LIST)) {
		exchange->server->values[SERVER_FORWARDED]++;
		return;
	}
	exchange->server->values[SERVER_NARROWED]++;
	exchange->stream =
		relay->open(relay->arg, &exchange->listing, &exchange->view, exchange);
	way = relay->way(exchange->stream);
	if (way != NULL)
		exchange->upstream = way;
}

void forward_start(struct exchange *exchange)
{
	struct server *server = exchange->server;
	bool is_own = server->conf.credentials == NET_CREDENTIALS_OWN;
	struct headers_rules rules = { .is_request = true,
				       .strips_encoding =
					       exchange->call.strips_encoding,
				       .strips_authorization = is_own };
	struct header *headers;
	struct upstream_request request = {
		.method = exchange->kube.method,
		.body = exchange->body,
		.has_body = exchange->has_body,
		.is_safe = is_safe(exchange),
		.identity = is_own ? UPSTREAM_AS_MEMBER : UPSTREAM_AS_CLIENT,
		.timeout_ms = time_limit(exchange),
	};

	tell_limit(exchange, request.timeout_ms);
	request.write_limit_ms = request.timeout_ms;
	request.target = target(exchange);
	if (exchange->call.lock != NULL && !upgrade_judge(exchange))
		return;
	if (exchange->upgrade.len > 0) {
		exchange_enter(exchange, EXCHANGE_TUNNEL);
		server->values[SERVER_TUNNELLED]++;
		exchange->tunnel = tunnel_start(exchange);
		return;
	}
	request.headers_n = headers_pass(exchange->headers, exchange->headers_n, &rules,
					 &headers, exchange->arena);
	request.headers = headers;
	exchange_enter(exchange, EXCHANGE_CONNECT);
	exchange->upstream = server->upstream;
	open_stream(exchange);
	exchange->transfer =
		transfer_start(exchange->upstream, &request, &events, exchange);
}
