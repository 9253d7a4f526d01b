/*
 * The admin address: plain HTTP/1.1 for probes, Prometheus and people. No
 * secrets, no changes: GET of
 *
 *	/healthz	"ok" while the loop turns
 *	/readyz		"ok", or 503 with the reason
 *	/metrics	Prometheus' text format
 *	/ring		the ring as this member sees it, JSON
 *
 * It has an h2o context of its own, so that its bounds are not those of the
 * proxied traffic: small requests, few connections, one request on each.
 */
#ifndef RINGSIDE_NET_ADMIN_H
#define RINGSIDE_NET_ADMIN_H

#include "proxy/base/err.h"
#include "proxy/base/metric.h"
#include "proxy/net/loop.h"

struct admin;

/* All of it outlives the admin. */
struct admin_env {
	struct loop *loop;
	struct metrics *metrics;
	/* *reason (borrowed until the next return to the loop) is set where false. */
	bool (*is_ready)(void *arg, const char **reason);
	/* Appends the JSON text. 0 or a negative code. */
	int (*write_ring)(void *arg, struct buf *out);
	void *arg;
};

/* Listens on the address (not "off"). 0, or the code of listen_on. */
int admin_create(struct admin **out, const struct admin_env *env, const char *address,
		 struct err *err);

/*
 * Cuts its connections, for which the loop takes some turns: what else is on the
 * loop may be called back. Not from inside the loop. NULL is fine.
 */
void admin_destroy(struct admin *admin);

#endif
