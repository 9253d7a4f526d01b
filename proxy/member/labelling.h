/*
 * Between the files of the labeller: labeller.c (what is to be labelled: feeds, audit,
 * first passes) and label_pump.c (doing it, and what comes of it).
 */
#ifndef RINGSIDE_MEMBER_LABELLING_H
#define RINGSIDE_MEMBER_LABELLING_H

#include "proxy/member/label_audit.h"
#include "proxy/member/label_judge.h"
#include "proxy/member/label_pass.h"
#include "proxy/member/labeller.h"
#include "proxy/member/pace.h"

struct resource {
	struct label_pass pass;
	struct label_feed *feed; /* NULL: not started */
	struct gate gate;        /* shut while the API server refuses this resource */
};

struct labeller {
	struct labeller_env env;
	struct arena *arena;
	struct label_feed_env feed_env;
	struct label_judge judge;
	struct label_work work;
	struct label_queue *queue;
	struct label_audit *audit;
	struct token_bucket tokens;
	struct gate gate; /* shut while the API server is not well */
	struct loop_task pump;
	struct loop_task tell;
	struct loop_timer wake;
	struct loop_timer tick;
	struct resource resources[SPEC_RESOURCES_MAX];
	uint32_t untold;  /* bit i: pass i is done, on_labelled is to come */
	int sources_each; /* source numbers of one resource */
	bool *is_full;    /* per source: was told that there is no room */
	int64_t *values;
	int64_t unwanted[LABELLER_METRICS_N]; /* values, before count_into */
};

int64_t labeller_now_ms(const struct labeller *labeller);

/* The resource of a source. */
struct resource *labeller_resource(struct labeller *labeller, int source);

/* Whatever it was before (former, or NULL), this is what the object is now. */
void labeller_judge(struct labeller *labeller, int source,
		    const struct object_meta *meta, struct label_item *former);

/* Something has left the queue, or has entered it. */
void labeller_queue_changed(struct labeller *labeller, int source);

/* An active item is done with. */
void labeller_finish(struct labeller *labeller, struct label_item *item);

/* Starts and completes first passes, where it is time. */
void labeller_advance(struct labeller *labeller);

/* on_done of what is under way; the task and the timer that start more. */
void label_pump_on_done(void *arg, struct label_item *item,
			const struct label_result *result);
void label_pump_run(void *arg);

#endif
