#include "proxy/net/sink.h"

#include <assert.h>
#include <stdio.h>

#include <h2o.h>

#include "proxy/net/connections.h"
#include "proxy/net/headers.h"
#include "proxy/net/websocket.h"

/* Ours in the request's pool: h2o tells the pool's end to it, and nothing else. */
struct anchor {
	h2o_generator_t generator;
	struct sink *sink;
};

static bool is_http1(const h2o_req_t *req)
{
	return req->version < 0x200;
}

static void stop_listening(struct sink *sink)
{
	if (sink->connection != NULL)
		connection_on_hangup(sink->connection, NULL, NULL);
	sink->connection = NULL;
}

static void sink_detach(struct sink *sink, bool is_complete)
{
	sink->req = NULL;
	stop_listening(sink);
	sink->events->on_gone(sink->arg, is_complete);
}

/* The one hook that always comes: the pool's end. */
static void on_dispose(void *data)
{
	struct anchor *anchor = data;

	if (anchor->sink != NULL)
		sink_detach(anchor->sink,
			    anchor->sink->is_last_sent && !anchor->sink->is_aborting);
}

static void on_proceed(h2o_generator_t *generator, h2o_req_t *req)
{
	struct anchor *anchor =
		H2O_STRUCT_FROM_MEMBER(struct anchor, generator, generator);

	struct sink *sink = anchor->sink;

	(void)req;
	sink->is_busy = false;
	if (sink->is_aborting)
		sink_abort(sink);
	else
		sink->events->on_room(sink->arg);
}

static void on_stop(h2o_generator_t *generator, h2o_req_t *req)
{
	/* on_dispose follows; nothing may be sent from here on. */
	(void)generator;
	(void)req;
}

static void on_hangup(void *arg)
{
	sink_abort(arg);
}

void sink_init(struct sink *sink, struct st_h2o_req_t *req,
	       const struct sink_events *events, void *arg)
{
	struct anchor *anchor =
		h2o_mem_alloc_shared(&req->pool, sizeof(*anchor), on_dispose);

	*anchor = (struct anchor){ { on_proceed, on_stop }, sink };
	*sink = (struct sink){ .req = req, .events = events, .arg = arg };
	buf_init(&sink->batch, SINK_BATCH_BYTES);
	sink->anchor = anchor;
	if (is_http1(req)) {
		sink->connection =
			connection_of(req->conn->callbacks->get_socket(req->conn));
		connection_on_hangup(sink->connection, on_hangup, sink);
	}
}

void sink_finish(struct sink *sink)
{
	if (sink->req != NULL)
		sink->anchor->sink = NULL;
	sink->req = NULL;
	if (sink->websocket != NULL)
		websocket_abort(sink->websocket);
	sink->websocket = NULL;
	stop_listening(sink);
	buf_finish(&sink->batch);
}

bool sink_is_open(const struct sink *sink)
{
	return sink->req != NULL || sink->websocket != NULL;
}

size_t sink_bytes(const struct sink *sink)
{
	size_t n = sink->batch.size;

	/* h2o has the body too, until the client was answered. */
	if (sink->req != NULL)
		n += sink->req->entity.len;
	if (sink->websocket != NULL)
		n += websocket_bytes(sink->websocket);
	return n;
}

/* --- a WebSocket --- */

static void on_websocket_room(void *arg)
{
	struct sink *sink = arg;

	sink->events->on_room(sink->arg);
}

static void on_websocket_gone(void *arg, bool is_complete)
{
	struct sink *sink = arg;

	sink->websocket = NULL;
	sink->events->on_gone(sink->arg, is_complete);
}

void sink_upgrade(struct sink *sink, struct loop *loop,
		  const struct ws_handshake *handshake)
{
	sink->handshake = handshake;
	sink->loop = loop;
}

static void start_websocket(struct sink *sink, const struct sink_head *head)
{
	static const struct sink_events events = { on_websocket_room,
						   on_websocket_gone };
	struct slice type = headers_get(head->headers, head->headers_n, "content-type");
	h2o_req_t *req = sink->req;

	/* Nothing tells the request's end to us from here on. */
	sink->anchor->sink = NULL;
	sink->req = NULL;
	stop_listening(sink);
	sink->is_upgraded = true;
	sink->websocket = websocket_open(sink->loop, req, sink->handshake,
					 encoding_of_content_type(type));
	websocket_listen(sink->websocket, &events, sink);
}

/* --- an answer of HTTP --- */

/* RFC 9110, 6.4.1. */
static bool status_has_body(const h2o_req_t *req, int status)
{
	return !(h2o_memis(req->input.method.base, req->input.method.len,
			   H2O_STRLIT("HEAD")) ||
		 status < 200 || status == 204 || status == 304);
}

static void add_header(h2o_req_t *req, const struct header *field)
{
	char *name = h2o_mem_alloc_pool(&req->pool, field->name.len);

	h2o_strtolower(memcpy(name, field->name.data, field->name.len),
		       field->name.len);
	h2o_add_header_by_str(&req->pool, &req->res.headers, name, field->name.len, 1,
			      is_http1(req) ? field->name.data : NULL,
			      field->value.data, field->value.len);
}

void sink_start(struct sink *sink, const struct sink_head *head)
{
	h2o_req_t *req = sink->req;
	bool is_persistent;

	if (req == NULL)
		return;
	sink->is_started = true;
	if (sink->handshake != NULL && head->status == 200) {
		start_websocket(sink, head);
		return;
	}
	sink->has_body = status_has_body(req, head->status);
	req->res.status = head->status;
	req->res.reason =
		h2o_strdup(&req->pool, head->phrase.data, head->phrase.len).base;
	req->res.content_length =
		head->content_length >= 0 ? (size_t)head->content_length : SIZE_MAX;
	for (size_t i = 0; i < head->headers_n; i++)
		add_header(req, &head->headers[i]);
	/*
	 * h2o's own chunked filter swallows an empty first batch, so the headers
	 * of an idle watch would never leave; it stands back from an answer that
	 * says it is chunked already, and then we frame.
	 */
	sink->is_chunked = sink->has_body && head->content_length < 0 &&
			   req->version == 0x101;
	if (sink->is_chunked)
		h2o_add_header(&req->pool, &req->res.headers,
			       H2O_TOKEN_TRANSFER_ENCODING, NULL,
			       H2O_STRLIT("chunked"));
	is_persistent = req->http1_is_persistent;
	h2o_start_response(req, &sink->anchor->generator);
	if (sink->is_chunked || !sink->has_body || head->content_length >= 0)
		req->http1_is_persistent = is_persistent;
}

bool sink_has_room(const struct sink *sink)
{
	if (sink->websocket != NULL)
		return websocket_has_room(sink->websocket);
	return sink->req != NULL && sink->is_started && !sink->is_busy &&
	       !sink->is_last_sent;
}

static size_t frame(struct sink *sink, h2o_iovec_t out[3], enum sink_last last)
{
	size_t n = 0;

	if (sink->batch.len > 0) {
		if (sink->is_chunked)
			out[n++] = h2o_iovec_init(sink->chunk_head,
						  (size_t)sprintf(sink->chunk_head,
								  "%zx\r\n",
								  sink->batch.len));
		out[n++] = h2o_iovec_init(sink->batch.data, sink->batch.len);
	}
	if (!sink->is_chunked)
		return n;
	if (last == SINK_FINAL)
		out[n++] = sink->batch.len > 0
				   ? h2o_iovec_init(H2O_STRLIT("\r\n0\r\n\r\n"))
				   : h2o_iovec_init(H2O_STRLIT("0\r\n\r\n"));
	else if (sink->batch.len > 0)
		out[n++] = h2o_iovec_init(H2O_STRLIT("\r\n"));
	return n;
}

void sink_send(struct sink *sink, struct slice bytes, enum sink_last last)
{
	static const h2o_send_state_t states[] = {
		[SINK_MORE] = H2O_SEND_STATE_IN_PROGRESS,
		[SINK_FINAL] = H2O_SEND_STATE_FINAL,
		[SINK_ERROR] = H2O_SEND_STATE_ERROR,
	};
	h2o_iovec_t out[3];
	size_t n;

	assert(sink_has_room(sink));
	if (sink->websocket != NULL) {
		websocket_send(sink->websocket, bytes, last);
		return;
	}
	buf_clear(&sink->batch);
	if (sink->has_body && buf_append(&sink->batch, bytes) != 0)
		assert(!"a batch is at most as long as the sink was made for");
	n = frame(sink, out, last);
	connection_answer(
		connection_of(sink->req->conn->callbacks->get_socket(sink->req->conn)),
		sink->batch.len);
	sink->is_busy = true;
	sink->is_last_sent = last != SINK_MORE;
	/* A last, empty batch on HTTP/1 is complete inside this call: on_gone comes. */
	h2o_send(sink->req, out, n, states[last]);
}

static void abort_websocket(struct sink *sink)
{
	websocket_abort(sink->websocket);
	on_websocket_gone(sink, false);
}

void sink_abort(struct sink *sink)
{
	static const struct sink_head nothing = { .status = 503, .content_length = 0 };

	if (sink->websocket != NULL)
		abort_websocket(sink);
	if (sink->req == NULL || sink->is_last_sent)
		return;
	sink->is_aborting = true;
	if (sink->is_busy)
		return; /* on_proceed goes on, or the write fails and h2o closes */
	if (!sink->is_started) {
		/* Nobody reads it: h2o ends a request by an answer alone. */
		sink->req->http1_is_persistent = 0;
		sink_start(sink, &nothing);
	}
	sink_send(sink, slice_make(NULL, 0), SINK_ERROR);
}
