/*
 * A listening socket from an address as it is written in the configuration:
 * "127.0.0.1:8443", "[::1]:8443", "localhost:0". A name stands for the first of
 * its addresses that can be listened on.
 */
#ifndef RINGSIDE_NET_LISTEN_H
#define RINGSIDE_NET_LISTEN_H

#include "proxy/base/err.h"

/*
 * A listening descriptor (SO_REUSEADDR, non-blocking, close-on-exec), the
 * caller's; or a negative errno: -EINVAL for what is no address, -EADDRINUSE.
 */
int listen_on(const char *address, struct err *err);

/* The port that a socket listens on, for an address with port 0; 0: none. */
int listen_port(int fd);

#endif
