/*
 * A view is the set of buckets that answers about one resource are made from,
 * with its floor F: a resourceVersion above every position that was given out
 * under an earlier view (design, section 6). This is the arithmetic of floors:
 * what a LIST or WATCH that names a position may be answered with. Pure.
 */
#ifndef RINGSIDE_RING_VIEW_H
#define RINGSIDE_RING_VIEW_H

#include "proxy/ring/bucket.h"

struct view {
	struct bucket_set set;
	uint64_t floor;
	/*
	 * The floor could not be compared with our own write (the resource lives
	 * in another storage): a position that equals it may have been given out
	 * before, and is not trusted either.
	 */
	bool distrusts_positions;
};

enum view_verdict {
	VIEW_PASS,    /* as it is */
	VIEW_REWRITE, /* with the parameters in struct view_answer */
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
};

/*
 * LIST: "" and no version stay; 0 or one below F becomes F with NotOlderThan;
 * any other match below F is expired; so is a continue token of a list below F, or
 * one whose list cannot be told. WATCH: no version and "" stay, 0 becomes no
 * version: the most recent state; a version below F is expired; one that sends
 * initial events is only moved up to F. Without a floor (0) all versions pass.
 * What is no number is passed on for the API server to refuse.
 */
enum view_verdict view_ask(const struct view *view,
			   const struct view_question *question,
			   struct view_answer *answer);

#endif
