/*
 * The ring as the request path sees it: an immutable, reference-counted
 * snapshot of what this member may do. Membership makes a new one whenever
 * something changed and publishes it through the holder; requests read.
 *
 * An exchange pins one at admission to judge by; the fence looks at the current
 * one, at the last moment, and never at a pinned one.
 */
#ifndef RINGSIDE_RING_RING_H
#define RINGSIDE_RING_RING_H

#include "proxy/base/arena.h"
#include "proxy/ring/inflight.h"
#include "proxy/ring/owners.h"
#include "proxy/ring/spec.h"
#include "proxy/ring/vitals.h"

enum ring_state {
	RING_NOT_READY,  /* no assignment seen, first pass not done, settings differ */
	RING_STANDBY,    /* a member, named for nothing */
	RING_ACTIVE,     /* owns buckets */
	RING_WAITING,    /* a replica leads that runs without Ringside: shows nothing */
	RING_RIGHT_LOST, /* our Lease was not renewed in time: fences everything */
	RING_LEAVING, /* shutting down: no new write passes, objects leave the views */
};

struct ring {
	int refs;
	enum ring_state state;
	const struct ring_spec *spec; /* outlives the ring */
	struct bucket_set owned;      /* ours to write to */
	/*
	 * What clients are to be shown of main and of owned resources. Another set
	 * than `owned` while buckets come or go (changeover.h).
	 */
	struct bucket_set shown[RESOURCE_ROLES_N];
	uint64_t epoch;
	const char *member;    /* our id, for messages; outlives the ring; NULL: none */
	struct owners *owners; /* of this epoch, for messages; may be NULL */
	uint32_t served;       /* bit i: resource i has had its first pass */
	/* Bit i: what it shows is about to come; better not served than served empty.
	 */
	uint32_t held;
	int64_t right_until_ms; /* CLOCK_BOOTTIME; writes end here */
	const char *reason;     /* why not ready: static text, for messages */
};

const char *ring_state_name(enum ring_state state);

/* A heap copy of *values with one reference; it shares their owners. */
struct ring *ring_create(const struct ring *values);
struct ring *ring_ref(struct ring *ring);
void ring_unref(struct ring *ring);

/* Whether a write to this bucket may leave at now_ms. */
bool ring_may_write(const struct ring *ring, int bucket, int64_t now_ms);

/*
 * Whether any write may: the right stands and something is owned. It ends in the
 * millisecond right_until_ms itself.
 */
bool ring_has_right(const struct ring *ring, int64_t now_ms);

/*
 * Whether the controller beside this member may lead: a standby's, too, so that its
 * controller runs, with empty views.
 */
bool ring_may_lead(const struct ring *ring, int64_t now_ms);

/* Whether the member can answer: with its share, or with nothing. */
bool ring_is_ready(const struct ring *ring);

/* Whether LIST and WATCH of the resource can be answered (else they are held). */
bool ring_serves(const struct ring *ring, const struct ring_resource *resource);

/* Whether they could, and are held for nothing but what is about to come. */
bool ring_holds(const struct ring *ring, const struct ring_resource *resource);

/* The buckets that a view of the resource is to be made from. */
const struct bucket_set *ring_shown(const struct ring *ring,
				    const struct ring_resource *resource);

/* Where the current snapshot is found, and writes in flight are counted. */
struct ring_holder {
	struct ring *current; /* owned; never NULL once initialised */
	struct inflight inflight;
	struct vitals vitals; /* of the controller, as requests and connections tell */
	/* How long after its time-out a write without an answer may arrive yet. */
	int64_t margin_ms;
	void (*on_change)(void *arg); /* after a publish; may be NULL */
	void *arg;
};

void ring_holder_init(struct ring_holder *holder, const struct ring_spec *spec);
void ring_holder_finish(struct ring_holder *holder);

/* Replaces the current snapshot by a copy of *values, then calls on_change. */
void ring_publish(struct ring_holder *holder, const struct ring *values);

#endif
