#include "proxy/net/websocket.h"

#include <assert.h>
#include <stdlib.h>

#include <h2o.h>
#include <h2o/http1.h>

#include "proxy/net/connections.h"
#include "proxy/net/ws_messages.h"

/* An event, and what a batch of small ones becomes. */
#define OUT_BYTES_MAX (WS_EVENT_BYTES_MAX + 4u * SINK_BATCH_BYTES)
/* Of one write: TLS holds as much again. */
#define WRITE_BYTES_MAX SINK_BATCH_BYTES
/* Of what a client says at once; h2o reads until there is no more. */
#define READ_BYTES_MAX (16 * 1024)

struct websocket {
	struct loop *loop;
	h2o_socket_t *socket; /* NULL: 101 is on its way */
	const struct sink_events *events;
	void *arg;
	bool is_listened_to; /* else it is left to itself */
	struct loop_task room;
	struct loop_task end; /* closes and frees */
	struct loop_timer linger;
	struct ws_reader reader;
	struct ws_messages messages;
	struct buf out; /* does not change until all of it has left */
	size_t out_at;
	bool is_writing; /* h2o holds a part of out */
	size_t writing_n;
	bool has_pong;
	char pong[WS_CONTROL_BYTES_MAX];
	size_t pong_n;
	bool wants_close; /* behind what is in out */
	enum ws_code code;
	bool is_close_said;
	bool is_close_heard;
	bool is_final; /* the answer ended well */
	bool is_cut;   /* no Close: the connection ends behind what is in out */
	bool is_over;
};

static void push(struct websocket *websocket);

/* --- the end --- */

static void websocket_free(void *arg)
{
	struct websocket *websocket = arg;

	loop_timer_stop(&websocket->linger);
	loop_task_stop(&websocket->room);
	/* Also with a write under way: its callback does not come then. */
	if (websocket->socket != NULL)
		h2o_socket_close(websocket->socket);
	ws_messages_finish(&websocket->messages);
	buf_finish(&websocket->out);
	free(websocket);
}

/* It may be told once more that there is room, never that it is gone. */
static void tell_gone(struct websocket *websocket, bool is_complete)
{
	if (!websocket->is_listened_to)
		return;
	websocket->is_listened_to = false;
	websocket->events->on_gone(websocket->arg, is_complete);
}

static void end(struct websocket *websocket)
{
	if (websocket->is_over)
		return;
	websocket->is_over = true;
	h2o_socket_read_stop(websocket->socket);
	/* Not here: we may be inside a call of h2o's. */
	loop_task_start(websocket->loop, &websocket->end);
	tell_gone(websocket, false);
}

static void on_linger(void *arg)
{
	end(arg);
}

/* --- what leaves --- */

static bool has_left(const struct websocket *websocket)
{
	return !websocket->is_writing && websocket->out_at == websocket->out.len;
}

static void on_room(void *arg)
{
	struct websocket *websocket = arg;

	if (websocket->is_listened_to && websocket_has_room(websocket))
		websocket->events->on_room(websocket->arg);
}

/* The Close has left. */
static void on_close_said(struct websocket *websocket)
{
	tell_gone(websocket, websocket->is_final);
	if (websocket->is_close_heard)
		end(websocket);
	else
		loop_timer_start(websocket->loop, &websocket->linger,
				 WEBSOCKET_LINGER_MS);
}

static void on_all_left(struct websocket *websocket)
{
	if (websocket->is_close_said) {
		on_close_said(websocket);
		return;
	}
	if (websocket->is_cut) {
		end(websocket);
		return;
	}
	push(websocket);
	on_room(websocket);
}

static void on_written(h2o_socket_t *socket, const char *err)
{
	struct websocket *websocket = socket->data;

	websocket->is_writing = false;
	websocket->out_at += websocket->writing_n;
	if (err != NULL)
		end(websocket);
	else if (has_left(websocket))
		on_all_left(websocket);
	else
		push(websocket);
}

/* What was written is forgotten; what is to be said between messages is said. */
static void refill(struct websocket *websocket)
{
	struct buf *out = &websocket->out;
	int rc = 0;

	if (out->size > SINK_BATCH_BYTES)
		buf_finish(out);
	buf_clear(out);
	websocket->out_at = 0;
	if (websocket->has_pong)
		rc = ws_write(out, WS_PONG,
			      slice_make(websocket->pong, websocket->pong_n));
	websocket->has_pong = false;
	if (rc == 0 && websocket->wants_close && !websocket->is_close_said) {
		rc = ws_write_close(out, websocket->code);
		websocket->is_close_said = true;
	}
	assert(rc == 0 && "out was empty");
}

static void push(struct websocket *websocket)
{
	h2o_iovec_t bytes;

	if (websocket->socket == NULL || websocket->is_writing || websocket->is_over)
		return;
	if (has_left(websocket))
		refill(websocket);
	bytes.base = websocket->out.data + websocket->out_at;
	bytes.len = websocket->out.len - websocket->out_at;
	if (bytes.len == 0)
		return;
	if (bytes.len > WRITE_BYTES_MAX)
		bytes.len = WRITE_BYTES_MAX;
	websocket->is_writing = true;
	websocket->writing_n = bytes.len;
	h2o_socket_write(websocket->socket, &bytes, 1, on_written);
}

/* --- what comes --- */

/* The other side's Close, or what we close for: nothing more is read. */
static void hear_close(struct websocket *websocket)
{
	websocket->is_close_heard = true;
	h2o_socket_read_stop(websocket->socket);
	if (!websocket->wants_close)
		websocket->code = websocket->reader.code;
	websocket->wants_close = true;
	if (websocket->is_close_said && has_left(websocket)) {
		end(websocket);
		return;
	}
	/* Who does not read does not hold it up. */
	loop_timer_start(websocket->loop, &websocket->linger, WEBSOCKET_LINGER_MS);
	push(websocket);
	if (!websocket->is_final)
		tell_gone(websocket, false);
}

static void hear_ping(struct websocket *websocket)
{
	const struct ws_reader *reader = &websocket->reader;

	/* Behind a Close nothing is said, and who pings on is not waited for longer. */
	if (websocket->wants_close)
		return;
	websocket->has_pong = true;
	websocket->pong_n = reader->payload_n;
	memcpy(websocket->pong, reader->payload, reader->payload_n);
	push(websocket);
}

static void hear(struct websocket *websocket)
{
	h2o_buffer_t **input = &websocket->socket->input;

	while ((*input)->size > 0 && !websocket->is_close_heard &&
	       !websocket->is_over) {
		size_t n;
		enum ws_told told = ws_read(&websocket->reader,
					    slice_make((*input)->bytes, (*input)->size),
					    &n);

		h2o_buffer_consume(input, n);
		if (told == WS_TOLD_PING)
			hear_ping(websocket);
		else if (told == WS_TOLD_CLOSE)
			hear_close(websocket);
	}
}

static void on_read(h2o_socket_t *socket, const char *err)
{
	struct websocket *websocket = socket->data;

	hear(websocket);
	if (err != NULL)
		end(websocket);
}

/* --- the beginning --- */

static void on_upgraded(void *arg, h2o_socket_t *socket, size_t request_bytes)
{
	struct websocket *websocket = arg;

	if (socket == NULL || websocket->is_over) {
		websocket->socket = socket;
		tell_gone(websocket, false);
		websocket_free(websocket);
		return;
	}
	websocket->socket = socket;
	socket->data = websocket;
	connection_bound_reads(connection_of(socket), READ_BYTES_MAX);
	h2o_buffer_consume(&socket->input, request_bytes);
	h2o_socket_read_start(socket, on_read);
	hear(websocket);
	on_room(websocket);
}

static void add_header(h2o_req_t *req, const char *name, const char *said,
		       struct slice value)
{
	h2o_iovec_t copy = h2o_strdup(&req->pool, value.data, value.len);

	h2o_add_header_by_str(&req->pool, &req->res.headers, name, strlen(name), 1,
			      said, copy.base, copy.len);
}

struct websocket *websocket_open(struct loop *loop, h2o_req_t *req,
				 const struct ws_handshake *handshake,
				 enum kube_encoding encoding)
{
	struct websocket *websocket = calloc(1, sizeof(*websocket));

	if (websocket == NULL)
		abort();
	websocket->loop = loop;
	loop_task_init(&websocket->room, on_room, websocket);
	loop_task_init(&websocket->end, websocket_free, websocket);
	loop_timer_init(&websocket->linger, on_linger, websocket);
	ws_reader_init(&websocket->reader);
	ws_messages_init(&websocket->messages, encoding);
	buf_init(&websocket->out, OUT_BYTES_MAX);
	req->res.status = 101;
	req->res.reason = "Switching Protocols";
	add_header(req, "upgrade", "Upgrade", SLICE_LITERAL("websocket"));
	add_header(req, "sec-websocket-accept", "Sec-WebSocket-Accept",
		   slice_of(handshake->accept));
	if (handshake->protocol.len > 0)
		add_header(req, "sec-websocket-protocol", "Sec-WebSocket-Protocol",
			   handshake->protocol);
	h2o_http1_upgrade(req, NULL, 0, on_upgraded, websocket);
	return websocket;
}

void websocket_listen(struct websocket *websocket, const struct sink_events *events,
		      void *arg)
{
	websocket->events = events;
	websocket->arg = arg;
	websocket->is_listened_to = true;
}

/* --- its owner's side --- */

bool websocket_has_room(const struct websocket *websocket)
{
	return websocket->socket != NULL && has_left(websocket) &&
	       !websocket->wants_close && !websocket->is_cut && !websocket->is_over;
}

void websocket_send(struct websocket *websocket, struct slice bytes,
		    enum sink_last last)
{
	assert(websocket_has_room(websocket));
	refill(websocket);
	if (ws_messages_take(&websocket->messages, bytes, &websocket->out) != 0 ||
	    (last == SINK_FINAL && !ws_messages_are_whole(&websocket->messages)))
		last = SINK_ERROR;
	websocket->is_final = last == SINK_FINAL;
	websocket->is_cut = last == SINK_ERROR;
	if (last == SINK_FINAL) {
		websocket->wants_close = true;
		websocket->code = WS_CODE_NORMAL;
	}
	push(websocket);
	if (websocket->is_writing)
		return;
	if (websocket->is_cut)
		end(websocket);
	else
		loop_task_start(websocket->loop, &websocket->room);
}

void websocket_abort(struct websocket *websocket)
{
	websocket->is_listened_to = false;
	if (websocket->socket != NULL)
		end(websocket);
	else
		websocket->is_over = true;
}

size_t websocket_bytes(const struct websocket *websocket)
{
	return sizeof(*websocket) + websocket->messages.frame.size +
	       websocket->out.size;
}
