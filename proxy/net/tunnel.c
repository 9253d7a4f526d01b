#include "proxy/net/tunnel.h"

#include <errno.h>
#include <stdlib.h>

#include <h2o.h>
#include <h2o/http1.h>

#include "proxy/base/log.h"
#include "proxy/net/dial.h"
#include "proxy/net/duplex.h"
#include "proxy/net/exchange.h"
#include "proxy/net/headers.h"
#include "proxy/net/http1.h"
#include "proxy/net/server.h"

/* The request's own bytes come on top: h2o bounds them. */
#define REQUEST_GROWTH_MAX (TOKEN_BYTES_MAX + 4096)
#define REQUEST_BYTES_MAX (256 * 1024)

enum tunnel_state {
	TUNNEL_CONNECT, /* upstream is being connected */
	TUNNEL_HEAD,    /* the request leaves, the head of the answer is awaited */
	TUNNEL_ANSWER,  /* not 101: an answer like any other, through the sink */
	TUNNEL_UPGRADE, /* 101 is on its way to the client; h2o will call back */
	TUNNEL_OPEN,    /* bytes both ways */
	TUNNEL_END,     /* the exchange is let go; freed from a task */
};

struct tunnel {
	struct exchange *exchange;
	struct loop *loop;
	enum tunnel_state state;
	struct dial *dial;
	struct duplex *duplex;   /* of TUNNEL_OPEN */
	struct loop_task task;   /* fails what could not start; frees */
	struct loop_timer limit; /* the right of a write */
	struct buf request;      /* does not change while it is sent: see dial_send */
	size_t request_at;
	struct http1_body body;
	bool is_cut; /* the client is gone; h2o or a write keeps us */
	bool is_answer_begun;
	bool is_upstream_over;
	size_t head_bytes; /* answers 1xx as well */
	size_t at, n;
	char bytes[TUNNEL_BYTES]; /* from upstream: head, then body */
};

/* --- the end --- */

static void tunnel_free(void *arg)
{
	struct tunnel *tunnel = arg;

	duplex_close(tunnel->duplex);
	dial_close(tunnel->dial);
	buf_finish(&tunnel->request);
	free(tunnel);
}

/* Lets the exchange go; the caller looks at it afterwards. */
static void leave(struct tunnel *tunnel)
{
	tunnel->state = TUNNEL_END;
	tunnel->exchange->tunnel = NULL;
	loop_timer_stop(&tunnel->limit);
	loop_task_stop(&tunnel->task);
	/* Not here: we may be inside a call of h2o's or of the dial's. */
	loop_task_init(&tunnel->task, tunnel_free, tunnel);
	loop_task_start(tunnel->loop, &tunnel->task);
}

static void end(struct tunnel *tunnel)
{
	if (tunnel->state == TUNNEL_END)
		return;
	leave(tunnel);
	exchange_end_if_done(tunnel->exchange);
}

static void end_with(struct tunnel *tunnel, const struct status *status)
{
	struct exchange *exchange = tunnel->exchange;

	leave(tunnel);
	if (!tunnel->is_cut)
		reply_status(exchange, status);
	exchange_end_if_done(exchange);
}

/* There is no answer. What was sent may have been carried out. */
static void fail(struct tunnel *tunnel, const char *why)
{
	struct arena *arena = tunnel->exchange->arena;
	struct status status;

	if (tunnel->request_at > 0)
		status = (struct status){
			.code = 504,
			.reason = "Timeout",
			.message = arena_printf(
				arena,
				"the API server did not answer, the request "
				"may have been carried out: %s",
				why),
		};
	else
		status = (struct status){
			.code = 503,
			.reason = "ServiceUnavailable",
			.retry_after_s = 1,
			.message = arena_printf(
				arena, "the API server could not be reached: %s", why),
		};
	tunnel->exchange->server->values[SERVER_UNREACHED]++;
	end_with(tunnel, &status);
}

void tunnel_cut(struct tunnel *tunnel)
{
	bool is_write = tunnel->state == TUNNEL_HEAD && tunnel->exchange->is_in_flight;

	tunnel->is_cut = true;
	if (!is_write && tunnel->state != TUNNEL_UPGRADE && tunnel->state != TUNNEL_END)
		leave(tunnel);
}

static void on_limit(void *arg)
{
	fail(arg, "its time is over");
}

/* --- the request --- */

static int append_field(struct buf *out, struct slice name, struct slice value)
{
	return buf_printf(out, "%.*s: %.*s\r\n", SLICE_ARGS(name), SLICE_ARGS(value));
}

static int append_own(struct tunnel *tunnel, struct buf *out)
{
	struct err err;
	const char *line = credentials_header(dial_credentials(tunnel->dial), &err);

	if (err.text[0] != '\0')
		log_warn("tunnel", "token not read", log_text("reason", err.text));
	return line != NULL ? buf_printf(out, "%s\r\n", line) : 0;
}

/* Connection and Upgrade are said anew: h2o keeps the latter apart. */
static int append_fields(struct tunnel *tunnel, struct buf *out)
{
	struct exchange *exchange = tunnel->exchange;
	bool is_own = exchange->server->conf.credentials == NET_CREDENTIALS_OWN;
	struct headers_rules rules = { .is_request = true,
				       .strips_authorization = is_own };
	const char *host = strstr(dial_credentials(tunnel->dial)->url, "://") + 3;
	struct header *headers;
	size_t n = headers_pass(exchange->headers, exchange->headers_n, &rules,
				&headers, exchange->arena);
	int rc = buf_printf(out, "Host: %s\r\nConnection: Upgrade\r\n", host);

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = append_field(out, headers[i].name, headers[i].value);
	if (rc == 0)
		rc = append_field(out, SLICE_LITERAL("Upgrade"), exchange->upgrade);
	if (rc == 0 && exchange->has_body)
		rc = buf_printf(out, "Content-Length: %zu\r\n", exchange->body.len);
	if (rc == 0 && is_own)
		rc = append_own(tunnel, out);
	return rc == 0 ? buf_append_text(out, "\r\n") : rc;
}

static int write_request(struct tunnel *tunnel)
{
	struct exchange *exchange = tunnel->exchange;
	struct buf *out = &tunnel->request;
	int rc;

	buf_init(out, REQUEST_BYTES_MAX + REQUEST_GROWTH_MAX + exchange->body.len);
	rc = buf_printf(
		out, "%.*s %s%.*s HTTP/1.1\r\n", SLICE_ARGS(exchange->kube.method),
		dial_credentials(tunnel->dial)->prefix, SLICE_ARGS(exchange->target));
	if (rc == 0)
		rc = append_fields(tunnel, out);
	if (rc == 0 && exchange->has_body)
		rc = buf_append(out, exchange->body);
	return rc;
}

static void on_open(void *arg)
{
	struct tunnel *tunnel = arg;
	struct exchange *exchange = tunnel->exchange;

	if (tunnel->state != TUNNEL_CONNECT)
		return;
	if (!forward_may_send(exchange)) {
		end_with(tunnel, &exchange->call.reply);
		return;
	}
	if (write_request(tunnel) != 0) {
		fail(tunnel, "the request is too long");
		return;
	}
	tunnel->state = TUNNEL_HEAD;
	/* A sharded write must not outlive the right it was let pass by. */
	exchange->limit_ms = exchange->ring->right_until_ms;
	if (exchange->is_in_flight)
		loop_timer_start(tunnel->loop, &tunnel->limit,
				 exchange->limit_ms - loop_now_ms(tunnel->loop));
	tunnel_pump(tunnel);
}

static void on_fail(void *arg, const struct err *err)
{
	struct tunnel *tunnel = arg;

	if (tunnel->state == TUNNEL_CONNECT)
		fail(tunnel, err->text);
}

static void send_request(struct tunnel *tunnel)
{
	size_t n;
	int rc = 0;

	while (tunnel->request_at < tunnel->request.len && rc == 0) {
		rc = dial_send(tunnel->dial, tunnel->request.data + tunnel->request_at,
			       tunnel->request.len - tunnel->request_at, &n);
		if (rc == 0)
			tunnel->request_at += n;
	}
	/* An answer may have come before the connection was closed. */
	if (rc == -EPIPE)
		tunnel->request_at = tunnel->request.len;
}

/* --- upstream's bytes --- */

/* Reads behind what is there. 0 with some, -EAGAIN, -EPIPE: there is no more. */
static int receive(struct tunnel *tunnel)
{
	size_t n = 0;
	int rc;

	if (tunnel->at == tunnel->n)
		tunnel->at = tunnel->n = 0;
	if (tunnel->n == sizeof(tunnel->bytes))
		return -EAGAIN;
	rc = dial_recv(tunnel->dial, tunnel->bytes + tunnel->n,
		       sizeof(tunnel->bytes) - tunnel->n, &n);
	if (rc == 0 && n > 0)
		tunnel->n += n;
	else if (rc != -EAGAIN)
		rc = -EPIPE;
	if (rc == -EPIPE)
		tunnel->is_upstream_over = true;
	return rc;
}

static struct slice waiting(const struct tunnel *tunnel)
{
	return slice_make(tunnel->bytes + tunnel->at, tunnel->n - tunnel->at);
}

/* --- 101 --- */

static void on_over(void *arg)
{
	end(arg);
}

static void on_upgraded(void *arg, h2o_socket_t *client, size_t request_bytes)
{
	struct tunnel *tunnel = arg;
	struct duplex_sides sides = { client, tunnel->dial, waiting(tunnel) };

	tunnel->state = TUNNEL_OPEN;
	if (client == NULL) {
		end(tunnel);
		return;
	}
	h2o_buffer_consume(&client->input, request_bytes);
	tunnel->duplex = duplex_create(tunnel->loop, &sides, on_over, tunnel);
	if (tunnel->is_cut)
		end(tunnel);
	else
		duplex_pump(tunnel->duplex);
}

static void add_header(h2o_req_t *req, const struct header *field)
{
	h2o_iovec_t name = h2o_strdup(&req->pool, field->name.data, field->name.len);

	h2o_strtolower(name.base, name.len);
	h2o_add_header_by_str(&req->pool, &req->res.headers, name.base, name.len, 1,
			      field->name.data, field->value.data, field->value.len);
}

/* h2o says Connection and Date itself, and forgets the request when all has left. */
static void upgrade(struct tunnel *tunnel, const struct upstream_head *head)
{
	static const struct headers_rules rules = { .is_request = false };
	struct exchange *exchange = tunnel->exchange;
	h2o_req_t *req = exchange->sink.req;
	struct header *headers;
	size_t n = headers_pass(head->headers, head->headers_n, &rules, &headers,
				exchange->arena);
	struct header protocol = {
		SLICE_LITERAL("Upgrade"),
		headers_get(head->headers, head->headers_n, "upgrade"),
	};

	/* Nothing tells its end to the sink from here on. */
	sink_finish(&exchange->sink);
	req->res.status = head->status;
	req->res.reason =
		h2o_strdup(&req->pool, head->phrase.data, head->phrase.len).base;
	for (size_t i = 0; i < n; i++)
		add_header(req, &headers[i]);
	add_header(req, &protocol);
	tunnel->state = TUNNEL_UPGRADE;
	dial_want(tunnel->dial, false, false);
	h2o_http1_upgrade(req, NULL, 0, on_upgraded, tunnel);
}

/* --- any other answer --- */

static void pump_answer(struct tunnel *tunnel)
{
	struct sink *sink = &tunnel->exchange->sink;
	enum sink_last last = SINK_MORE;
	struct slice bytes;
	size_t n;

	if (!sink_has_room(sink)) {
		dial_want(tunnel->dial, false, false);
		return;
	}
	/* Until there is nothing more: TLS may hold bytes that no epoll tells of. */
	while (waiting(tunnel).len == 0 && !tunnel->body.is_done &&
	       !tunnel->is_upstream_over && receive(tunnel) == 0) {
		n = tunnel->n;
		if (http1_body_take(&tunnel->body, tunnel->bytes, &n) != 0)
			tunnel->is_upstream_over = true;
		tunnel->n = n;
	}
	bytes = waiting(tunnel);
	if (tunnel->body.is_done)
		last = SINK_FINAL;
	else if (tunnel->is_upstream_over)
		last = http1_body_is_whole(&tunnel->body) ? SINK_FINAL : SINK_ERROR;
	dial_want(tunnel->dial, last == SINK_MORE, false);
	if (bytes.len == 0 && last == SINK_MORE && tunnel->is_answer_begun)
		return;
	tunnel->is_answer_begun = true;
	tunnel->at = tunnel->n;
	if (last == SINK_ERROR)
		tunnel->exchange->server->values[SERVER_CUT]++;
	sink_send(sink, bytes, last);
	if (last != SINK_MORE)
		end(tunnel);
}

static void answer(struct tunnel *tunnel, const struct upstream_head *head)
{
	static const struct headers_rules rules = { .is_request = false };
	struct exchange *exchange = tunnel->exchange;
	struct sink_head out = { .status = head->status,
				 .phrase = head->phrase,
				 .content_length = -1 };
	size_t n = waiting(tunnel).len;
	struct header *headers;

	if (http1_body_init(&tunnel->body, exchange->kube.method, head) != 0 ||
	    http1_body_take(&tunnel->body, tunnel->bytes + tunnel->at, &n) != 0) {
		fail(tunnel, "its answer makes no sense");
		return;
	}
	tunnel->n = tunnel->at + n;
	if (tunnel->body.framing != HTTP1_CHUNKED)
		out.content_length = head->content_length;
	out.headers_n = headers_pass(head->headers, head->headers_n, &rules, &headers,
				     exchange->arena);
	out.headers = headers;
	tunnel->state = TUNNEL_ANSWER;
	sink_start(&exchange->sink, &out);
	tunnel_pump(tunnel);
}

/* --- the head --- */

static void on_head(struct tunnel *tunnel, const struct upstream_head *head)
{
	struct exchange *exchange = tunnel->exchange;

	loop_timer_stop(&tunnel->limit);
	exchange_answered(exchange);
	if (tunnel->is_cut)
		end(tunnel);
	else if (head->status == 101)
		upgrade(tunnel, head);
	else
		answer(tunnel, head);
}

/* The next head: 0, -EAGAIN, -EINVAL, -EMSGSIZE, -EPIPE. */
static int next_head(struct tunnel *tunnel, struct upstream_head *head)
{
	ptrdiff_t n = -EAGAIN;
	int rc = 0;

	while (rc == 0 && n == -EAGAIN) {
		n = http1_parse_head(head, tunnel->exchange->arena, waiting(tunnel));
		if (n == -EAGAIN)
			rc = receive(tunnel);
	}
	if (n > 0) {
		tunnel->at += (size_t)n;
		tunnel->head_bytes += (size_t)n;
	} else {
		n = rc != 0 ? rc : n;
	}
	if (n == -EMSGSIZE || tunnel->head_bytes > TRANSFER_HEAD_BYTES_MAX ||
	    (n == -EAGAIN && tunnel->n == sizeof(tunnel->bytes))) {
		tunnel->exchange->server->upstream->long_heads++;
		n = -EMSGSIZE;
	}
	return n > 0 ? 0 : (int)n;
}

static void pump_head(struct tunnel *tunnel)
{
	struct upstream_head head;
	int rc;

	send_request(tunnel);
	do
		rc = next_head(tunnel, &head);
	while (rc == 0 && head.status < 200 && head.status != 101);
	if (rc == 0)
		on_head(tunnel, &head);
	else if (rc == -EPIPE)
		fail(tunnel, "it closed the connection");
	else if (rc == -EINVAL)
		fail(tunnel, "its answer is not HTTP");
	else if (rc == -EMSGSIZE)
		fail(tunnel, "the head of its answer is too long");
	else
		dial_want(tunnel->dial, true, tunnel->request_at < tunnel->request.len);
}

/* --- the whole --- */

/* Does what can be done, and says what for it waits. */
void tunnel_pump(struct tunnel *tunnel)
{
	if (tunnel->state == TUNNEL_HEAD)
		pump_head(tunnel);
	else if (tunnel->state == TUNNEL_ANSWER)
		pump_answer(tunnel);
	else if (tunnel->state == TUNNEL_OPEN)
		duplex_pump(tunnel->duplex);
}

static void on_ready(void *arg)
{
	tunnel_pump(arg);
}

static void on_no_cluster(void *arg)
{
	fail(arg, "its address makes no sense");
}

struct tunnel *tunnel_start(struct exchange *exchange)
{
	static const struct dial_events events = { on_open, on_fail, on_ready };
	struct server *server = exchange->server;
	struct dial_target target = {
		.cluster = server->cluster,
		.connect_timeout_ms = server->conf.connect_timeout_ms,
		.is_member = server->conf.credentials == NET_CREDENTIALS_OWN,
	};
	struct tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (tunnel == NULL)
		abort();
	tunnel->exchange = exchange;
	tunnel->loop = server->loop;
	loop_timer_init(&tunnel->limit, on_limit, tunnel);
	loop_task_init(&tunnel->task, on_no_cluster, tunnel);
	if (dial_open(&tunnel->dial, server->loop, &target, &events, tunnel) != 0)
		loop_task_start(server->loop, &tunnel->task);
	return tunnel;
}
