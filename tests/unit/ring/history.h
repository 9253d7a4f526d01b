/*
 * Views as a machine: an API server that remembers every version and may lag, a member
 * that shows views of it by the decisions of ring/view, ring/past and ring/newcomers,
 * and clients of one key with caches. They list, whole or in pages, watch with
 * bookmarks and without, are cut off anywhere, and come back. Objects are made without
 * a bucket, labelled later, deleted, and made again in another bucket.
 *
 * An oracle looks at each event, by the rules of a watch, and at each cache. A lapse
 * leaves out a rule of those who carry the decisions out; what is left out of the
 * decisions themselves is in tests/mutants.
 */
#ifndef RINGSIDE_UNIT_RING_HISTORY_H
#define RINGSIDE_UNIT_RING_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

enum lapse {
	LAPSE_NONE,
	LAPSE_NO_WRITE,     /* the floor is read without a write of ours before it */
	LAPSE_FLOOR_EARLY,  /* it is read while answers are still open */
	LAPSE_RELEASE_NOW,  /* what left is listed as it is now, not as it was at r */
	LAPSE_ACQUIRE_NOW,  /* what came is listed as it is now, not as it was at F */
	LAPSE_NAMELESS,     /* the names of what came are not kept */
	LAPSE_UNNOTED,      /* positions that are given in a move are not noted */
	LAPSE_SEED_UNNOTED, /* nor are those a WATCH without one begins with */
	LAPSE_BACK_AT_R, /* a move that ends early sets its client back to r, always */
	LAPSES_N,
};

extern const char *const lapses[LAPSES_N];

#define HISTORY_OPS 800

/* Each op is a number from which follows what happens; any of them may be left out. */
struct history {
	bool shows_unlabelled; /* to all, as of an owned resource */
	/*
	 * Somebody gives objects other labels: caches must be right, but an event may
	 * be MODIFIED where it is the first, as bytes of frames are not changed.
	 */
	bool relabels;
	uint64_t ops[HISTORY_OPS];
	int n;
};

/* What all runs did together. */
struct history_counts {
	uint64_t steps;
	uint64_t moved, settled, told, cut, dropped, seeded, pages;
};

extern struct history_counts history_counts;

/* The same seed makes the same history. */
void history_make(struct history *history, uint64_t seed);

/* The rule that it breaks, or NULL. */
const char *history_run(const struct history *history, enum lapse lapse);

/* Leaves out of one that breaks a rule all that it breaks it without. */
void history_shrink(struct history *history, enum lapse lapse);

/* Runs it, and prints what happens. */
void history_tell(const struct history *history, enum lapse lapse);

#endif
