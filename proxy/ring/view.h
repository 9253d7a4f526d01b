/*
 * A view is the set of buckets that answers about one resource are made from,
 * with its floor F: a resourceVersion above every position that was given out
 * under an earlier view (design, section 6). This is the arithmetic of floors:
 * what a LIST or WATCH that names a position may be answered with. Pure.
 */
#ifndef RINGSIDE_RING_VIEW_H
#define RINGSIDE_RING_VIEW_H

#include "proxy/ring/bucket.h"

/* Where the position that a WATCH comes back with was given out (past.h). */
enum view_standing {
	VIEW_STANDS_BY_FLOOR, /* not judged: the floor alone decides */
	VIEW_STANDS_HERE,     /* under this view */
	VIEW_STANDS_FORMER,   /* under a former one, for certain */
	VIEW_STANDS_DOUBTED,  /* perhaps in a move that was not completed */
	VIEW_STANDS_UNKNOWN,  /* under none that is known any more */
};

struct view {
	struct bucket_set set;
	uint64_t floor;
	/*
	 * The floor could not be compared with our own write (the resource lives
	 * in another storage): a position that equals it may have been given out
	 * before, and is not trusted either.
	 */
	bool distrusts_positions;
	/* Of the WATCH that is answered from it; of a view as such not judged. */
	enum view_standing standing;
	struct bucket_set former; /* VIEW_STANDS_FORMER: what its client holds */
	/*
	 * What a client that does not see by a new list what has left may hold, and has
	 * not been told of; of others nothing.
	 */
	struct bucket_set held;
	/*
	 * Not 0: its client is told what left before it is told to list anew; why it
	 * must, to whoever judged.
	 */
	int relists;
};

/*
 * Whether a client that stands at this position got it, for certain, under this
 * view or a later one. Where the floor could not be put above a write of ours, a
 * position that equals it may have been given out before.
 */
bool view_trusts(const struct view *view, uint64_t position);

enum view_verdict {
	VIEW_PASS,    /* as it is */
	VIEW_REWRITE, /* with the parameters in struct view_answer */
	VIEW_MOVE,    /* as it is, behind the move from the former view to this one */
	VIEW_EXPIRED, /* 410 Expired: HTTP on a LIST, in the stream on a WATCH */
};

/* What a LIST or WATCH says about positions; slices decoded, has_* tells "". */
struct view_question {
	bool is_watch;
	bool has_version;
	struct slice version; /* resourceVersion */
	struct slice match;   /* resourceVersionMatch; "" when absent */
	struct slice token;   /* continue; "" when absent */
	bool sends_initial_events;
};

struct view_answer {
	bool sets_version; /* resourceVersion becomes `version`, "" removes it */
	char version[24];
	bool sets_match; /* resourceVersionMatch becomes this; NULL removes it */
	const char *match;
	bool drops_limit;
};

/*
 * LIST: "" and no version stay; 0 or one below F becomes F with NotOlderThan, and
 * of 0 the limit goes, as kube-apiserver answers that from its cache, whole;
 * any other match below F is expired; so is a continue token of a list below F, or
 * one whose list cannot be told. WATCH: no version and "" stay, 0 becomes no
 * version: the most recent state; a version below F is expired, unless its client
 * can be moved; one that sends initial events is only taken up to F. Without a floor
 * (0) all versions pass. What is no number is passed on for the API server to refuse.
 */
enum view_verdict view_ask(const struct view *view,
			   const struct view_question *question,
			   struct view_answer *answer);

#endif
