/*
 * How a bucket changes hands (design, section 5, "Handover of a bucket"), on the
 * member's side: what its clients are to be shown while buckets come and go, and
 * up to which epoch it has let go of what it was asked for. Pure; handover.h is the
 * coordinator's side.
 *
 * Letting go: the fence closes with the assignment that names another target. Main
 * objects leave the views, then owned ones; writes come to their end, and after a
 * while of quiet the bucket is released. Taking: owned objects enter the views, then,
 * a while after clients have them, main ones.
 *
 * It follows from the facts of each moment, whatever they were before: a release
 * that is cancelled is an acquire, and versions of the assignment may be skipped.
 */
#ifndef RINGSIDE_RING_CHANGEOVER_H
#define RINGSIDE_RING_CHANGEOVER_H

#include "proxy/ring/assignment.h"

struct changeover_times {
	int64_t quiet_ms;
	int64_t settle_ms;
	int64_t drain_timeout_ms;
};

struct changeover_facts {
	const struct assignment *known;
	struct slice identity; /* ours; "" while nothing can be ours */
	bool is_serving;       /* views can be made */
	bool is_barred;  /* somebody outside the ring works: nothing is ours for now */
	bool is_leaving; /* all that is ours is to be released */
	bool follows[RESOURCE_ROLES_N]; /* views of the role are what was asked for */
	bool clients_lack;              /* some owned object that they are shown */
	/*
	 * When writes to `releasing`, as asked last, are over: INT64_MAX while one may
	 * be answered yet.
	 */
	int64_t writes_over_ms;
	int64_t now_ms;
	const struct changeover_times *times;
};

/* Zeroed memory is a member that shows nothing. */
struct changeover {
	/* Results; they change in changeover_step alone. */
	struct bucket_set kept;                    /* ours to write to */
	struct bucket_set shown[RESOURCE_ROLES_N]; /* what clients are to see */
	struct bucket_set releasing;               /* asked for, and not yet released */
	uint64_t acknowledged; /* all that was asked for up to this epoch is released */
	int64_t wake_ms;       /* step again then, at the latest; INT64_MAX */
	bool resets;           /* writes have had their time: cut them */
	bool is_coming;        /* the first buckets are about to be given to us */
	/* Its own. */
	struct bucket_set released;  /* of what we are asked for */
	struct bucket_set settling;  /* waits to be shown of main resources */
	int64_t drain_ms;            /* when releasing began; 0: it has not */
	int64_t quiet_ms, settle_ms; /* when these whiles end; 0: not begun */
	int64_t came_ms; /* since when we bear this identity; 0: we bear none */
	bool has_come;   /* nothing of it is waited for any more */
};

void changeover_step(struct changeover *changeover,
		     const struct changeover_facts *facts);

/*
 * Whether resources of the role are better not served than served empty: their objects
 * are about to come.
 */
bool changeover_holds(const struct changeover *changeover, enum resource_role role);

#endif
