/*
 * The floor of a resource's next view (design, section 6): writes something of
 * our own to the API server, then reads the resource's resourceVersion from a
 * consistent LIST with limit=1. Because of the write, the floor is above every
 * position given out before. What fails is tried again.
 *
 * Its owner starts it once no answer about the resource is open any more.
 */
#ifndef RINGSIDE_SESSION_FLOOR_H
#define RINGSIDE_SESSION_FLOOR_H

#include "proxy/net/backoff.h"
#include "proxy/net/catalog.h"
#include "proxy/session/session.h"

struct floor_ticket;

struct floor_reader {
	const struct sessions_env *env;
	const struct ring_resource *resource;
	/* The floor is known; it is_foreign when it has no order with our write. */
	void (*on_known)(void *arg, uint64_t floor, bool is_foreign);
	void *arg;
	/* Its own. */
	struct floor_ticket *ticket; /* our write is under way */
	struct api_call *call;       /* the LIST is */
	struct loop_timer again;
	struct backoff backoff;
	uint64_t written; /* our write's version; 0: not yet */
	bool has_failed;
};

/* The first four fields are the caller's. */
void floor_init(struct floor_reader *reader);

/* Begins; on_known comes once, from the loop, unless stopped before. */
void floor_start(struct floor_reader *reader);

/*
 * What happened up to now must be below the floor too (another member's last
 * writes): a LIST under way does not count. Our write still does.
 */
void floor_restart_read(struct floor_reader *reader);

/* Whether begun or not. */
void floor_stop(struct floor_reader *reader);

#endif
