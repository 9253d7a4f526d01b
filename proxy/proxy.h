/*
 * The proxy: all parts, built bottom-up from one configuration and taken down in
 * reverse. It runs until SIGTERM or SIGINT, drains, and leaves the ring; SIGHUP
 * and a change of the file make it read the file again.
 */
#ifndef RINGSIDE_PROXY_H
#define RINGSIDE_PROXY_H

#include "config/overrides.h"

#define RINGSIDE_VERSION "0.1.0"

struct proxy;

/*
 * Builds everything and begins to listen. config is the proxy's from here on
 * (destroyed with it, or here on failure); overrides are applied again at each
 * reload and outlive it. -errno with the reason.
 */
int proxy_create(struct proxy **out, struct config *config,
		 const struct overrides *overrides, struct err *err);

/* Until it has been told to end and is done. */
void proxy_run(struct proxy *proxy);

void proxy_destroy(struct proxy *proxy);

#endif
