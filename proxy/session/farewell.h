/*
 * A farewell: the way upstream of a WATCH whose controller is told of objects that
 * leave in another manner than the API server's (retelling.h). It stands around the way
 * that the WATCH would take otherwise, a move or the API server's, and retells every
 * DELETED event that comes out of it, whoever made it.
 *
 * Where nothing is to be told of what exists elsewhere, the object of a DELETED event
 * is looked up, with our own identity; meanwhile nothing more is read. It is told if
 * there is no such object any more, or none that the client's own selectors match.
 * Where that cannot be found out the answer breaks: its client comes back from before
 * the event, and nothing was said that may be wrong.
 *
 * An answer that is no stream of JSON or protobuf frames passes as it is. Memory: one
 * frame as it came, and what was made of one more than a batch.
 */
#ifndef RINGSIDE_SESSION_FAREWELL_H
#define RINGSIDE_SESSION_FAREWELL_H

#include "proxy/base/metric.h"
#include "proxy/net/api.h"
#include "proxy/net/catalog.h"
#include "proxy/ring/spec.h"

enum {
	FAREWELLS_LOOKED_UP, /* DELETED events whose object was looked up */
	FAREWELLS_HUSHED,    /* that were not told: the object exists elsewhere */
	FAREWELLS_UNKNOWN,   /* WATCHes broken off: it could not be found out */
	FAREWELLS_METRICS_N,
};

extern const struct metric farewells_metrics[];

/* Whether a resource's WATCHes with that Accept need one. */
bool farewell_is_wanted(const struct ring_resource *resource, struct slice accept);

/* What is pointed to outlives the farewell. */
struct farewell_plan {
	const struct api *api; /* for look-ups */
	const struct catalog *catalog;
	const struct ring_resource *resource;
	struct slice label_selector, field_selector; /* the client's own */
	bool allows_bookmarks;
	int64_t *values; /* FAREWELLS_METRICS_N of them, counted up */
};

struct farewell;

/* Shared (ref): one reference is the caller's, one its transfer's. */
struct farewell *farewell_create(struct upstream *around,
				 const struct farewell_plan *plan);
/* NULL is fine. */
void farewell_unref(struct farewell *farewell);

/* To start the one transfer on. `around` must live as long as that. */
struct upstream *farewell_way(struct farewell *farewell);

/* Whether all that was taken out of the way around which it stands has left. */
bool farewell_is_idle(const struct farewell *farewell);

#endif
