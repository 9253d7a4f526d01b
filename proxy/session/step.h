/*
 * The decisions of a change of view (design, section 6), as functions of values:
 * what a resource does next, whether its view still stands, and when an open
 * WATCH may be ended. Pure; session.c carries them out.
 *
 *	HELD ----> FLOOR ----> SERVING ----> ENDING ----> FLOOR, HELD
 *	  ^----------'  ^------------'          `-------> SERVING
 *
 * HELD     the ring does not serve the resource, or not yet; requests wait
 * ENDING   the view must change: open answers come to their end; requests wait
 * FLOOR    nothing is open: the floor of the next view is read; requests wait
 * SERVING  requests are answered from the view
 *
 * A change of buckets waits until the last one's clients have arrived (is_settling),
 * and so does a resource that is held back for buckets that are about to come: until
 * then its clients are answered from the view that they are on their way to. A ring
 * that may not serve any more ends all at once.
 * A step follows from the facts alone, whatever the last one was. So the newest
 * ring counts at every point, and a change that comes in mid-change needs no case
 * of its own.
 */
#ifndef RINGSIDE_SESSION_STEP_H
#define RINGSIDE_SESSION_STEP_H

#include "proxy/ring/ring.h"
#include "proxy/ring/view.h"

enum session_step {
	SESSION_HELD,
	SESSION_ENDING,
	SESSION_FLOOR,
	SESSION_SERVING,
	SESSION_STEPS_N,
};

struct step_facts {
	bool is_served;    /* by the ring, now */
	bool is_held_back; /* it could be, and is not for what is about to come */
	bool view_stands;  /* what session_view_stands made of each ring since */
	bool has_streams;  /* LISTs and WATCHes are open */
	bool has_floor;    /* read since the last stream ended and the set changed */
	bool is_settling;  /* in SERVING: clients are still being moved to the view */
};

const char *session_step_name(enum session_step step);

/* The one that the facts ask for; it may be the one that is. */
enum session_step session_step_next(const struct step_facts *facts);

/* Whether a resource in `from` may go to `to`. */
bool session_step_is_edge(enum session_step from, enum session_step to);

/*
 * Whether a view that stood until this ring stands under it. It survives a lost
 * right that leaves us our buckets: nobody else was given them, and no position
 * was given out; and that its resource is held back. It never comes back once its
 * set was not ours, as others may have written meanwhile what its floor does not
 * cover.
 */
bool session_view_stands(const struct view *view, const struct ring *ring,
			 const struct ring_resource *resource);

/* An open WATCH, as far as its end goes. */
struct watch_facts {
	int64_t since_ms; /* when it was asked for, then when its head came */
	int64_t min_age_ms;
	bool has_frames; /* a whole one has passed */
};

/*
 * From when on it may end between two frames: client libraries take a WATCH
 * without events that ends at once for an error.
 */
int64_t session_watch_due_ms(const struct watch_facts *facts);

/*
 * Whether a floor that was read after our own write, stored with version
 * `written`, is none: it counts in another storage, or in no order with it.
 */
bool session_floor_is_foreign(uint64_t floor, uint64_t written);

#endif
