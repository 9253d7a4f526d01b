#include "proxy/net/connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <h2o.h>
#include <h2o/http2.h>

#include "proxy/net/backlog.h"

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

/* A client that is neither read nor written to is found dead by this alone. */
static void keep_alive(int fd)
{
	int on = 1, idle_s = 20, interval_s = 5;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
			 sizeof(interval_s));
}

void connections_add(struct connections *connections, h2o_socket_t *socket)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int fd = h2o_socket_get_fd(socket);

	if (connection == NULL)
		abort();
	keep_alive(fd);
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

bool connection_begin(struct connection *connection, size_t body_bytes)
{
	connection->completed += body_bytes;
	return guard_begin(&connection->guard);
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

/* HTTP/1, and what waits in front of the first of all frames. */
static void look_at_input(struct connection *connection)
{
	const h2o_buffer_t *input = connection->socket->input;

	connection->partial = 0;
	connection->partial_bytes = 0;
	/* Beside a request that is answered, the next one may wait for its turn. */
	if (connection->guard.open > 0 || input->size == 0)
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
	if (connection->partial == 0 || name < connection->partial)
		connection->partial = name;
	return 0;
}

/*
 * h2o does not tell how much of a body an HTTP/2 stream holds: it is at most what
 * was read since nothing was incomplete, less what has become whole since.
 */
static void count_bytes(struct connection *connection)
{
	uint64_t read = connection->socket->bytes_read;

	if (connection->partial == 0) {
		connection->read_before = read;
		connection->completed = 0;
	} else if (connection->partial_bytes == 0 &&
		   read - connection->read_before > connection->completed) {
		connection->partial_bytes = read - connection->read_before -
					    connection->completed;
	}
}

/* Whether it has taken nothing of what waited for it since the last look. */
static bool is_stuck(struct connection *connection)
{
	bool was_waiting = connection->is_waiting;
	uint64_t before = connection->taken;

	connection->is_waiting = backlog_is_waiting(
		h2o_socket_get_fd(connection->socket), &connection->taken);
	return was_waiting && connection->is_waiting && connection->taken == before;
}

static bool look(struct connection *connection, int64_t now_ms)
{
	struct connections *connections = connection->connections;

	count_bytes(connection);
	connections->stuck_n += is_stuck(connection);
	if (connection->partial != 0 && !connection->is_cut) {
		connections->partial_n++;
		connections->partial_bytes += connection->partial_bytes;
	}
	return guard_look(&connection->guard, connection->partial, now_ms);
}

size_t connections_look(struct connections *connections, h2o_context_t *context,
			int64_t now_ms)
{
	size_t stalled_n = 0;

	LIST_EACH(node, &connections->open)
		look_at_input(LIST_OWNER(node, struct connection, node));
	context->globalconf->http2.callbacks.foreach_request(context, look_at_stream,
							     NULL);
	connections->partial_n = 0;
	connections->partial_bytes = 0;
	connections->stuck_n = 0;
	LIST_EACH(node, &connections->open) {
		struct connection *connection =
			LIST_OWNER(node, struct connection, node);

		if (look(connection, now_ms) || connection->is_cut)
			continue;
		stalled_n++;
		connection_reset(connection);
	}
	return stalled_n;
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
