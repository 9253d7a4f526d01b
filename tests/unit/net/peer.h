/*
 * The other end of a connection, on the loop: a client that speaks by hand, or
 * the server that a client under test connects to. Bytes are text; what comes is
 * gathered until a test looks at it.
 */
#ifndef RINGSIDE_UNIT_NET_PEER_H
#define RINGSIDE_UNIT_NET_PEER_H

#include "proxy/base/buf.h"
#include "proxy/net/loop.h"
#include "tests/unit/unit.h"

#define PEERS_MAX 16

struct peer {
	struct loop *loop;
	int fd; /* -1: closed by us */
	struct loop_fd *watch;
	struct buf received;
	bool is_over; /* the other side has closed, or broken it */
};

struct peer_server {
	struct loop *loop;
	int fd;
	int port;
	struct loop_fd *watch;
	struct peer peers[PEERS_MAX]; /* in the order of connecting */
	int n;
};

/* A port on 127.0.0.1 on which nobody listens. */
int peer_free_port(void);

void peer_server_open(struct peer_server *server, struct loop *loop);
void peer_server_close(struct peer_server *server);

void peer_connect(struct peer *peer, struct loop *loop, int port);
void peer_send(struct peer *peer, const char *text);
/* Reads on, or does not: a slow reader. */
void peer_read(struct peer *peer, bool is_on);
void peer_close(struct peer *peer);

/* Runs the loop until the peer has received this text; forgets all up to its end. */
void peer_expect(struct peer *peer, const char *text);

/* Runs the loop until the number is at least n, and fails when that takes too long. */
void peer_wait(struct loop *loop, const int *number, int n);
void peer_wait_over(struct peer *peer);

/* Some turns of the loop: what happens at once has happened then. */
void peer_settle(struct loop *loop);

#endif
