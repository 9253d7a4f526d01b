/*
 * The sockets on the way upstream: what libcurl has open, so that the kernel can be
 * told how long it may try to deliver a write, that nothing is sent behind its deadline
 * (deadline.h), and that what is still in its buffer when a connection is given up is
 * to be thrown away (a close alone goes on sending). Those whose peer is not there any
 * more (liveness.h) are shut down, so that libcurl sees it.
 */
#ifndef RINGSIDE_NET_SOCKETS_H
#define RINGSIDE_NET_SOCKETS_H

#include <curl/curl.h>
#include <stdint.h>

#include "proxy/base/list.h"
#include "proxy/net/deadline.h"
#include "proxy/net/loop.h"

struct sockets {
	struct list open;
	struct deadlines *deadlines; /* NULL: the kernel has no timers for us */
	struct loop *loop;
	struct loop_timer look; /* for peers that are dead */
};

void sockets_init(struct sockets *sockets, struct loop *loop);
/* libcurl has closed them all. */
void sockets_finish(struct sockets *sockets);

/* libcurl opens and closes the transfer's sockets through us; they outlive it. */
void sockets_watch(struct sockets *sockets, CURL *easy);

/*
 * How long bytes sent on the connection from this local port may stay without an
 * acknowledgement (TCP_USER_TIMEOUT); 0: as long as the system lets them. And until
 * when they may be sent at all, by the loop's clock; 0: whenever.
 */
void sockets_limit(struct sockets *sockets, int local_port, int64_t timeout_ms,
		   int64_t until_ms);

/* What had that deadline has been answered: the connection stays. */
void sockets_relax(struct sockets *sockets, int local_port, int64_t until_ms);

#endif
