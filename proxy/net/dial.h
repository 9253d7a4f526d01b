/*
 * A connection of one's own to the API server, for bytes that are no libcurl
 * transfer: upgrades. libcurl makes it (names, proxies, TLS and whom to trust are
 * decided where they are for every other connection) and then leaves it to us.
 *
 * One libcurl handle each: there are few, they live long, and none is kept.
 */
#ifndef RINGSIDE_NET_DIAL_H
#define RINGSIDE_NET_DIAL_H

#include "proxy/net/credentials.h"
#include "proxy/net/loop.h"

struct dial;

/* From the loop, never from inside a call. Either may close the dial. */
struct dial_events {
	/* It is connected; once. Or not, and never will be: err says why. */
	void (*on_open)(void *arg);
	void (*on_fail)(void *arg, const struct err *err);
	/* What dial_want asked for may be possible now. */
	void (*on_ready)(void *arg);
};

struct dial_target {
	const struct cluster *cluster; /* outlives the dial */
	int64_t connect_timeout_ms;
	bool is_member; /* show our own client certificate */
};

/* -EINVAL when the cluster makes no sense; events and arg outlive the dial. */
int dial_open(struct dial **out, struct loop *loop, const struct dial_target *target,
	      const struct dial_events *events, void *arg);

/* Closes the connection; no event comes after. NULL is fine. */
void dial_close(struct dial *dial);

/* The dial's own; for the request that is sent on it. */
struct credentials *dial_credentials(struct dial *dial);

/*
 * Sends what can be sent now: 0 with *n (above 0), -EAGAIN, or -EPIPE. After
 * -EAGAIN the next call has the same bytes at the same place (OpenSSL's rule).
 */
int dial_send(struct dial *dial, const char *data, size_t size, size_t *n);

/* 0 with *n, where 0 is the end; -EAGAIN; -EIO. */
int dial_recv(struct dial *dial, char *data, size_t size, size_t *n);

/* What on_ready is called for, until changed. Only once open. */
void dial_want(struct dial *dial, bool to_recv, bool to_send);

#endif
