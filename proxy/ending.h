/*
 * How the proxy ends: told to, it decides how to part from the ring
 * (ring/parting), which it does while everything else goes on; then open requests
 * come to their end, and the loop stops.
 */
#ifndef RINGSIDE_PROXY_ENDING_H
#define RINGSIDE_PROXY_ENDING_H

#include "proxy/member/membership.h"
#include "proxy/net/listener.h"
#include "proxy/session/session.h"

struct ending {
	struct loop *loop;
	struct server *server;
	struct listener *listener;
	struct membership *membership;
	const struct sessions *sessions;
	const struct member_conf *conf; /* as it is now */
	struct loop_timer timer;
	int64_t asked_ms;
	int64_t drain_until_ms;
	bool has_begun;
	bool keeps; /* our buckets, for the proxy that comes back */
};

/* The fields above the timer are the caller's, and outlive it. */
void ending_init(struct ending *ending);
/* Also for one that is zeroed. */
void ending_finish(struct ending *ending);

/* A signal asks for it; a second one ends the loop at once. */
void ending_begin(struct ending *ending, int signal);

#endif
