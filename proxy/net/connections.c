#include "proxy/net/connections.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <h2o.h>
#include <h2o/http2.h>

#include "proxy/net/liveness.h"

/* One watch for the connection's life; the socket is never read by it. */
#define HANGUP_EVENTS (EPOLLRDHUP | EPOLLET)

void connections_init(struct connections *connections, struct loop *loop)
{
	*connections = (struct connections){ .loop = loop };
	list_init(&connections->open);
}

static void on_close(void *data)
{
	struct connection *connection = data;

	connection->connections->n--;
	loop_fd_remove(connection->hangup);
	list_remove(&connection->node);
	free(connection);
}

static void on_hangup(void *arg, uint32_t events)
{
	struct connection *connection = arg;

	(void)events;
	connection->has_hung_up = true;
	if (connection->on_hangup != NULL)
		connection->on_hangup(connection->arg);
}

void connections_add(struct connections *connections, h2o_socket_t *socket)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int fd = h2o_socket_get_fd(socket);

	if (connection == NULL)
		abort();
	liveness_probe(fd);
	connection->connections = connections;
	connection->socket = socket;
	connection->hangup = loop_fd_add(connections->loop, fd, HANGUP_EVENTS,
					 on_hangup, connection);
	connections->n++;
	list_init(&connection->node);
	list_add(&connections->open, &connection->node);
	socket->on_close.cb = on_close;
	socket->on_close.data = connection;
}

struct connection *connection_of(h2o_socket_t *socket)
{
	return socket->on_close.data;
}

bool connection_begin(struct connection *connection, size_t head_bytes,
		      size_t body_bytes)
{
	/* With what frames and records add to it. */
	connection->completed += head_bytes + body_bytes + body_bytes / 64 + 128;
	guard_explain_request(&connection->guard, head_bytes, body_bytes);
	return guard_begin(&connection->guard);
}

void connection_answer(struct connection *connection, size_t bytes)
{
	guard_explain_answer(&connection->guard, bytes);
}

void connection_on_hangup(struct connection *connection, void (*listener)(void *arg),
			  void *arg)
{
	connection->on_hangup = listener;
	connection->arg = arg;
	/* An edge that nobody listened to is told again to who asks anew. */
	if (listener != NULL && connection->has_hung_up)
		loop_fd_change(connection->hangup, HANGUP_EVENTS);
}

void connection_bound_reads(struct connection *connection, int bytes)
{
	(void)setsockopt(h2o_socket_get_fd(connection->socket), SOL_SOCKET, SO_RCVBUF,
			 &bytes, sizeof(bytes));
}

void connection_cut(struct connection *connection)
{
	connection->is_cut = true;
	(void)shutdown(h2o_socket_get_fd(connection->socket), SHUT_RDWR);
}

void connection_reset(struct connection *connection)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };
	int fd = h2o_socket_get_fd(connection->socket);

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	connection_cut(connection);
}

/* --- what is incomplete --- */

/* HTTP/1, what waits in front of the first of all frames, and what of TLS does. */
static void look_at_input(struct connection *connection)
{
	const h2o_buffer_t *input = connection->socket->input;

	connection->partial = 0;
	connection->partial_n = 0;
	connection->partial_bytes = 0;
	/* Beside a request that is answered, the next one may wait for its turn. */
	if (connection->guard.open > 0 ||
	    (input->size == 0 && !connection->is_shaking_hands))
		return;
	connection->partial = connection->guard.begun + 1;
	connection->partial_bytes = input->bytes != NULL ? input->capacity : 0;
}

/* One of HTTP/2's streams. Its first byte's time names it. */
static int look_at_stream(h2o_req_t *req, void *arg)
{
	struct connection *connection =
		connection_of(req->conn->callbacks->get_socket(req->conn));
	const struct timeval *began = &req->timestamps.request_begin_at;
	uint64_t name = (uint64_t)began->tv_sec * 1000000 + (uint64_t)began->tv_usec;

	(void)arg;
	/* Not begun: known by its priority alone. */
	if (name == 0 || req->processed_at.str != NULL)
		return 0;
	connection->partial_n++;
	if (connection->partial == 0 || name < connection->partial)
		connection->partial = name;
	return 0;
}

/*
 * h2o does not tell how much of a body an HTTP/2 stream holds: it is at most what
 * has come since nothing was incomplete, less what has become whole since. Trap: what
 * h2o 2.2.5 calls the total of bytes read on a socket is that of the last read.
 */
static void count_bytes(struct connection *connection, uint64_t received)
{
	uint64_t before = connection->read_before;

	if (connection->partial == 0) {
		connection->read_before = received;
		connection->completed = 0;
	} else if (connection->partial_bytes == 0 &&
		   received > before + connection->completed) {
		connection->partial_bytes = received - before - connection->completed;
	}
}

/* Whether it has taken nothing of what waited for it since the last look. */
static bool is_stuck(struct connection *connection, const struct liveness *liveness)
{
	bool was_waiting = connection->is_waiting;
	uint64_t before = connection->taken;

	connection->is_waiting = liveness->is_waiting;
	connection->taken = liveness->taken;
	return was_waiting && connection->is_waiting && connection->taken == before;
}

/* Frames come by HTTP/2 alone: elsewhere all is of requests, or of tunnels. */
static bool hear(struct connection *connection, h2o_context_t *context,
		 uint64_t received, int64_t now_ms)
{
	uint64_t most = context->globalconf->max_request_entity_size + H2O_MAX_REQLEN;

	return !connection->is_http2 ||
	       guard_hear(&connection->guard, received, connection->partial_n * most,
			  !h2o_socket_is_reading(connection->socket), now_ms);
}

static void look(struct connection *connection, h2o_context_t *context, int64_t now_ms)
{
	struct connections *connections = connection->connections;
	struct liveness liveness = liveness_look(h2o_socket_get_fd(connection->socket));
	size_t *why = NULL;

	count_bytes(connection, liveness.received);
	connections->stuck_n += is_stuck(connection, &liveness);
	if (connection->is_cut)
		return;
	if (connection->partial != 0) {
		connections->partial_n++;
		connections->partial_bytes += connection->partial_bytes;
	}
	if (!guard_look(&connection->guard, connection->partial, now_ms))
		why = &connections->stalled_n;
	if (!hear(connection, context, liveness.received, now_ms))
		why = &connections->chatty_n;
	if (liveness.is_dead)
		why = &connections->dead_n;
	if (why == NULL)
		return;
	(*why)++;
	connection_reset(connection);
}

void connections_look(struct connections *connections, h2o_context_t *context,
		      int64_t now_ms)
{
	LIST_EACH(node, &connections->open)
		look_at_input(LIST_OWNER(node, struct connection, node));
	context->globalconf->http2.callbacks.foreach_request(context, look_at_stream,
							     NULL);
	connections->partial_n = 0;
	connections->partial_bytes = 0;
	connections->stuck_n = 0;
	connections->stalled_n = 0;
	connections->chatty_n = 0;
	connections->dead_n = 0;
	LIST_EACH(node, &connections->open)
		look(LIST_OWNER(node, struct connection, node), context, now_ms);
}

bool connections_shed(struct connections *connections)
{
	struct connection *slowest = NULL;

	LIST_EACH(node, &connections->open) {
		struct connection *connection =
			LIST_OWNER(node, struct connection, node);

		if (connection->partial == 0 || connection->is_cut)
			continue;
		if (slowest == NULL ||
		    connection->guard.partial_ms < slowest->guard.partial_ms)
			slowest = connection;
	}
	if (slowest == NULL || connections->partial_n < 2)
		return false;
	connections->partial_n--;
	connections->partial_bytes -= slowest->partial_bytes;
	connection_reset(slowest);
	return true;
}
