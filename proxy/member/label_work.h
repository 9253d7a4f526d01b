/*
 * What is done about one object that has no label: find its bucket (its owner's,
 * or its placement), and patch the label onto it, with uid and resourceVersion as
 * preconditions. What changed meanwhile is read again, to be judged anew: the
 * watch brings it too, but may be held up, for lack of room, by such as this.
 */
#ifndef RINGSIDE_MEMBER_LABEL_WORK_H
#define RINGSIDE_MEMBER_LABEL_WORK_H

#include "proxy/member/label_queue.h"
#include "proxy/net/locate.h"

enum label_outcome {
	LABEL_SET,
	LABEL_GONE,     /* the object is gone, or was seen anew meanwhile */
	LABEL_FOREIGN,  /* it belongs to nobody of the ring */
	LABEL_CONFLICT, /* it changed: `meta` is what it is now */
	LABEL_FAILED,
};

#define LABEL_LOOKUP_FAILED (-1)

struct label_result {
	enum label_outcome outcome;
	/* Of LABEL_FAILED: the patch's HTTP status, 0 without an answer; or it or
	 * its owner could not be looked up. */
	int status;
	int64_t retry_after_ms;
	const char *reason;             /* borrowed */
	const struct object_meta *meta; /* of LABEL_CONFLICT; borrowed */
};

struct label_work {
	const struct api *api;
	const struct ring_spec *spec;
	const struct catalog *catalog;
	struct locator *locator;
	/* From the loop, once for each item started, unless cancelled. */
	void (*on_done)(void *arg, struct label_item *item,
			const struct label_result *result);
	void *arg;
};

/* The work outlives what it started; the item stays until on_done. */
void label_work_start(struct label_work *work, struct label_item *item);

void label_work_cancel(struct label_item *item);

#endif
