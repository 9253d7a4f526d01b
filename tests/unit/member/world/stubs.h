/*
 * What other modules would do beside membership: a labeller whose first pass takes no
 * time, a catalog that knows everything.
 */
#ifndef RINGSIDE_UNIT_WORLD_STUBS_H
#define RINGSIDE_UNIT_WORLD_STUBS_H

#include <stdlib.h>

#include "proxy/member/labeller.h"

struct labeller {
	struct labeller_env env;
	struct loop_task task;
};

static inline void labeller_run(void *arg)
{
	struct labeller *labeller = arg;

	labeller->env.on_labelled(labeller->env.arg, 0);
}

struct labeller *labeller_create(const struct labeller_env *env, uint32_t labelled)
{
	struct labeller *labeller = calloc(1, sizeof(*labeller));

	labeller->env = *env;
	loop_task_init(&labeller->task, labeller_run, labeller);
	if (labelled == 0)
		loop_task_start(env->loop, &labeller->task);
	return labeller;
}

void labeller_destroy(struct labeller *labeller)
{
	if (labeller)
		loop_task_stop(&labeller->task);
	free(labeller);
}

void labeller_reload(struct labeller *labeller, const struct member_conf *conf)
{
}

void labeller_count_into(struct labeller *labeller, int64_t *values)
{
}

const struct metric labeller_metrics[LABELLER_METRICS_N] = { 0 };

const struct catalog_entry *catalog_entry(const struct catalog *catalog, int index)
{
	static const struct catalog_entry known = { .is_known = true };

	return &known;
}

#endif
