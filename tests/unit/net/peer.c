#include "tests/unit/net/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVED_MAX (16 << 20)
#define TOO_LONG_MS 20000
#define TURNS 20

/* --- sockets --- */

static struct sockaddr_in address_of(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_anywhere(int *port)
{
	struct sockaddr_in address = address_of(0);
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, n), 0);
	ck_assert_int_eq(listen(fd, PEERS_MAX), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

int peer_free_port(void)
{
	int port, fd = listen_anywhere(&port);

	close(fd);
	return port;
}

static void on_readable(void *arg, uint32_t events)
{
	static char bytes[65536];
	struct peer *peer = arg;
	ssize_t n = read(peer->fd, bytes, sizeof(bytes));

	(void)events;
	if (n > 0) {
		ck_assert_int_eq(
			buf_append(&peer->received, slice_make(bytes, (size_t)n)), 0);
		return;
	}
	if (n < 0 && errno == EAGAIN)
		return;
	peer->is_over = true;
	peer_read(peer, false);
}

static void peer_init(struct peer *peer, struct loop *loop, int fd)
{
	*peer = (struct peer){ .loop = loop, .fd = fd };
	buf_init(&peer->received, RECEIVED_MAX);
	peer_read(peer, true);
}

void peer_read(struct peer *peer, bool is_on)
{
	loop_fd_remove(peer->watch);
	peer->watch =
		is_on ? loop_fd_add(peer->loop, peer->fd, EPOLLIN, on_readable, peer)
		      : NULL;
}

void peer_connect(struct peer *peer, struct loop *loop, int port)
{
	struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	peer_init(peer, loop, fd);
}

void peer_send(struct peer *peer, const char *text)
{
	ck_assert_int_eq(send(peer->fd, text, strlen(text), MSG_NOSIGNAL),
			 (ssize_t)strlen(text));
}

void peer_close(struct peer *peer)
{
	if (peer->fd < 0)
		return;
	peer_read(peer, false);
	close(peer->fd);
	peer->fd = -1;
	buf_finish(&peer->received);
}

static void on_accept(void *arg, uint32_t events)
{
	struct peer_server *server = arg;
	int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);

	(void)events;
	ck_assert_int_ge(fd, 0);
	ck_assert_int_lt(server->n, PEERS_MAX);
	peer_init(&server->peers[server->n++], server->loop, fd);
}

void peer_server_open(struct peer_server *server, struct loop *loop)
{
	*server = (struct peer_server){ .loop = loop };
	server->fd = listen_anywhere(&server->port);
	server->watch = loop_fd_add(loop, server->fd, EPOLLIN, on_accept, server);
}

void peer_server_close(struct peer_server *server)
{
	while (server->n > 0)
		peer_close(&server->peers[--server->n]);
	loop_fd_remove(server->watch);
	close(server->fd);
}

/* --- waiting --- */

static void on_too_long(void *arg)
{
	const struct peer *peer = arg;

	if (peer == NULL)
		ck_abort_msg("waited in vain");
	ck_abort_msg("waited in vain; received: '%.*s'",
		     (int)(peer->received.len < 2000 ? peer->received.len : 2000),
		     peer->received.data);
}

struct turns {
	struct loop *loop;
	struct loop_task task;
	int left;
};

static void on_turn(void *arg)
{
	struct turns *turns = arg;

	if (--turns->left > 0)
		loop_task_start(turns->loop, &turns->task);
	else
		loop_stop(turns->loop);
}

void peer_settle(struct loop *loop)
{
	struct turns turns = { .loop = loop, .left = TURNS };

	loop_task_init(&turns.task, on_turn, &turns);
	loop_task_start(loop, &turns.task);
	loop_run(loop);
}

static bool has_received(struct peer *peer, const char *text)
{
	struct buf *buf = &peer->received;
	const char *found =
		buf->len > 0 ? memmem(buf->data, buf->len, text, strlen(text)) : NULL;

	if (found == NULL)
		return false;
	buf_consume(buf, (size_t)(found - buf->data) + strlen(text));
	return true;
}

void peer_expect(struct peer *peer, const char *text)
{
	struct loop_timer too_long;

	loop_timer_init(&too_long, on_too_long, peer);
	loop_timer_start(peer->loop, &too_long, TOO_LONG_MS);
	while (!has_received(peer, text)) {
		ck_assert_msg(!peer->is_over, "closed before '%s' came: '%.*s'", text,
			      (int)peer->received.len, peer->received.data);
		peer_settle(peer->loop);
	}
	loop_timer_stop(&too_long);
}

void peer_wait(struct loop *loop, const int *number, int n)
{
	struct loop_timer too_long;

	loop_timer_init(&too_long, on_too_long, NULL);
	loop_timer_start(loop, &too_long, TOO_LONG_MS);
	while (*number < n)
		peer_settle(loop);
	loop_timer_stop(&too_long);
}

void peer_wait_over(struct peer *peer)
{
	struct loop_timer too_long;

	loop_timer_init(&too_long, on_too_long, NULL);
	loop_timer_start(peer->loop, &too_long, TOO_LONG_MS);
	while (!peer->is_over)
		peer_settle(peer->loop);
	loop_timer_stop(&too_long);
}
