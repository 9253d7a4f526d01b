/*
 * Sessions: sharded LISTs and WATCHes, and how they follow when this member's
 * buckets change (design, section 6). Each resource has a view that its answers
 * are made from; step.h is the machine that changes it: open answers end, a floor
 * is read, the next view is served.
 *
 * It takes part in exchanges through the hooks of proxy/net/relay.h. A stream is
 * opened in the turn of the loop in which its view was admitted; one that is not,
 * and finds the view gone, passes nothing and is cut.
 *
 * A WATCH that comes back from a former view is moved to the one that is served
 * (move.h); where that cannot be done it is told 410 in its stream, and its client
 * lists again.
 */
#ifndef RINGSIDE_SESSION_SESSION_H
#define RINGSIDE_SESSION_SESSION_H

#include "proxy/base/metric.h"
#include "proxy/net/api.h"
#include "proxy/net/catalog.h"
#include "proxy/net/relay.h"
#include "proxy/ring/ring.h"
#include "proxy/session/conf.h"

enum {
	SESSIONS_CHANGES,       /* views that were served anew */
	SESSIONS_ENDED,         /* WATCHes ended between two frames */
	SESSIONS_CUT,           /* WATCHes that did not end in time */
	SESSIONS_LISTS_ABORTED, /* LISTs that did not end in time */
	SESSIONS_OPEN,          /* gauge: open WATCHes */
	SESSIONS_METRICS_N,
};

extern const struct metric sessions_metrics[];

/* What env points to outlives the sessions; conf is copied. */
struct sessions_env {
	struct loop *loop;
	const struct api *api;
	const struct ring_spec *spec;
	const struct catalog *catalog;
	struct ring_holder *ring;
	const struct session_conf *conf;
	/*
	 * Writes something of our own to the API server; done comes once, not from
	 * inside the call, with its resourceVersion, or 0: it failed.
	 */
	void (*write_barrier)(void *arg, void (*done)(void *arg, uint64_t version),
			      void *done_arg);
	void *barrier_arg;
	/*
	 * Whether a process of this member ran here before us, whose clients may be
	 * ours now; may be NULL.
	 */
	bool (*had_former)(void *arg);
	void *former_arg;
	/* What sessions_follow says may have changed; may be NULL. Decide later. */
	void (*on_step)(void *arg);
	void *step_arg;
	/* Who was not admitted may ask again. */
	void (*readmit)(void *arg);
	void *readmit_arg;
};

struct sessions;

/* Nothing is served before the first sessions_on_ring. */
struct sessions *sessions_create(const struct sessions_env *env);

/* All streams have been closed. NULL is fine. */
void sessions_destroy(struct sessions *sessions);

/* The hooks; good as long as the sessions. */
struct relay sessions_relay(struct sessions *sessions);

/* The ring's snapshot changed. Not from inside a hook. */
void sessions_on_ring(struct sessions *sessions);

/*
 * Whether all resources of the role are where the current ring wants them: what is
 * served is the view of exactly what it shows, nothing of a former view is open, and
 * its clients that came back have been told what left; of one that is not served
 * nothing is open.
 */
bool sessions_follow(const struct sessions *sessions, enum resource_role role);

/*
 * Whether a client that watches a resource of the role may lack objects that the
 * resource's view shows: its WATCH broke or was ended, or has only begun. Not for ever:
 * see watchers.h.
 */
bool sessions_are_blind(struct sessions *sessions, enum resource_role role);

/*
 * Whether it may lack objects that came with the view: the same, but for clients that
 * have come back from a position of the view.
 */
bool sessions_lack(struct sessions *sessions, enum resource_role role);

void sessions_reload(struct sessions *sessions, const struct session_conf *conf);

/*
 * What the process that goes on in our place is to know of our views: with it, clients
 * that come back to it are told what has changed, and need not list anew. Good once no
 * answer is made from them any more. 0 or -EMSGSIZE.
 */
int sessions_save(const struct sessions *sessions, struct buf *out);
/*
 * What sessions_save wrote, before the first sessions_on_ring: how many views are
 * known from it; -EINVAL: it is of other settings, or garbage, and counts for nothing
 * from where it is. It may be used once: what another process served meanwhile it does
 * not tell.
 */
int sessions_load(struct sessions *sessions, struct slice text);

struct sessions_resource_report {
	const struct ring_resource *resource;
	const struct view *view; /* the last one served; empty before the first */
	const char *state;       /* "serving", "changing", "held" */
	size_t sessions;         /* open WATCHes */
};

/* For /ring: fills SPEC_RESOURCES_MAX places at most; how many. */
int sessions_report(const struct sessions *sessions,
		    struct sessions_resource_report *out);

/* SESSIONS_METRICS_N of them, as long as the sessions. */
const int64_t *sessions_values(const struct sessions *sessions);
/* FAREWELLS_METRICS_N of them (farewell.h). */
const int64_t *sessions_farewells(const struct sessions *sessions);
/* MOVES_METRICS_N of them (move.h). */
const int64_t *sessions_moves(const struct sessions *sessions);

#endif
