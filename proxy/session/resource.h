/*
 * One sharded resource and its view, for the files of sessions: session.c (what is
 * called), resource.c (the steps of a change of view), moving.c (WATCHes that come
 * back from a former view).
 */
#ifndef RINGSIDE_SESSION_RESOURCE_H
#define RINGSIDE_SESSION_RESOURCE_H

#include "proxy/session/doubts.h"
#include "proxy/session/floor.h"
#include "proxy/session/move.h"
#include "proxy/session/step.h"
#include "proxy/session/stream.h"
#include "proxy/session/watchers.h"

/* One sharded resource. */
struct resource {
	struct sessions *sessions;
	const struct ring_resource *resource;
	enum session_step step;
	struct view view;
	bool view_stands;
	struct bucket_set wanted; /* the set of the next view */
	struct list streams;
	struct loop_timer end; /* the next stream's time has come; in ENDING */
	int64_t ending_ms;     /* since when ENDING */
	int64_t changing_ms;   /* since when requests wait */
	struct floor_reader floor;
	bool has_floor;
	uint64_t next_floor;
	bool next_is_foreign;
	/* The past, and who cannot be told by it. */
	struct past past;
	struct doubts *doubts;
	bool doubts_all; /* somebody could not be noted there */
	/* Clients of the former view, since this one is served. */
	int ended;                /* WATCHes that this change has ended */
	int returning;            /* of these, what has not come back */
	int64_t served_ms;        /* since when */
	struct loop_timer moving; /* looks at them, while there are some */
	struct view admitted;     /* the view, as it was given to the last request */
	struct watchers watchers; /* of it */
	bool was_watched;         /* somebody has been told all, since we run */
	uint64_t first_floor;     /* of the first view that was served */
};

struct sessions {
	struct sessions_env env;
	struct session_conf conf;
	struct list strays; /* streams under no view, until they are closed */
	int64_t values[SESSIONS_METRICS_N];
	int64_t moves[MOVES_METRICS_N];
	int64_t farewells[FAREWELLS_METRICS_N];
	int64_t began_ms;
	struct loop_timer
		survivors; /* who outlived our predecessor is held no longer */
	int resources_n;
	struct resource resources[SPEC_RESOURCES_MAX];
};

void resource_init(struct resource *resource, struct sessions *sessions,
		   const struct ring_resource *of);
/* Nothing of it is open. */
void resource_finish(struct resource *resource);

/* Goes where the facts ask it to go. */
void resource_follow(struct resource *resource);
void resource_on_ring(struct resource *resource);

/* A stream's time to end has changed. */
void resource_look_again(struct resource *resource);

/* "serving", "changing", "held": for /ring. */
const char *resource_state(const struct resource *resource);

/* The view, with where the request's position stands; until the next call. */
const struct view *resource_admit(struct resource *resource,
				  const struct relay_request *request);

/* The move that the stream of a WATCH begins with that was admitted so; or NULL. */
struct move *resource_move(struct resource *resource,
			   const struct relay_request *request,
			   const struct view *view);

/*
 * Where it is noted what a client was shown that does not see by a new list what has
 * left (nodiff); NULL: others, and those for which there is no room.
 */
struct doubt *resource_holder(struct resource *resource,
			      const struct relay_request *request);

/* What stands around the way of a WATCH, its move (NULL: none); or NULL. */
struct farewell *resource_farewell(struct resource *resource,
				   const struct relay_request *request,
				   struct move *move);

/* Where the stream of a WATCH notes what it begins with; NULL: it need not. */
struct doubt *resource_seeds(struct resource *resource,
			     const struct relay_request *request);

/*
 * Clients of the former view begin to come back; the view is about to change, or is
 * served no more; a stream of it has gone on.
 */
void resource_moves_begin(struct resource *resource);
void resource_moves_end(struct resource *resource);
void resource_moves_changed(struct resource *resource);

/*
 * Whether what left has been told to all of them that came back, those that were
 * expected included; whether they have arrived, or had the time to.
 */
bool resource_is_released(const struct resource *resource);
bool resource_is_settled(const struct resource *resource);

/* sessions_are_blind and sessions_lack, of it alone. */
bool resource_is_blind(struct resource *resource);
bool resource_lacks(struct resource *resource);

/* The view is replaced by the next one: it belongs to the past. */
void resource_remember(struct resource *resource, const struct view *next);

/* Whether a client of a process that ran here before us may ask only now. */
bool sessions_may_have_survivors(const struct sessions *sessions);

static inline int64_t sessions_now_ms(const struct sessions *sessions)
{
	return loop_now_ms(sessions->env.loop);
}

#endif
