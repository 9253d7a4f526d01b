#include "proxy/member/labeller.h"

#include <stdlib.h>

#include "proxy/member/labelling.h"

#define TICK_MS 250

/* How long nothing is tried after a failure of the API server, or of a resource. */
#define GATE_MIN_MS 200
#define GATE_MAX_MS 10000
#define RESOURCE_GATE_MIN_MS 500
#define RESOURCE_GATE_MAX_MS 30000

int64_t labeller_now_ms(const struct labeller *labeller)
{
	return loop_now_ms(labeller->env.loop);
}

struct resource *labeller_resource(struct labeller *labeller, int source)
{
	return &labeller->resources[source / labeller->sources_each];
}

static void pump_soon(struct labeller *labeller)
{
	loop_task_start(labeller->env.loop, &labeller->pump);
}

/* --- entering and leaving the queue --- */

/* A page is asked for when all of it has room. */
static bool has_room(void *arg, int source)
{
	struct labeller *labeller = arg;
	size_t page = (size_t)labeller->feed_env.page;

	labeller->is_full[source] =
		!label_queue_has_room(labeller->queue, source, page);
	return !labeller->is_full[source];
}

/* Something has left the queue, or has entered it. */
void labeller_queue_changed(struct labeller *labeller, int source)
{
	if (labeller->is_full[source] && has_room(labeller, source))
		label_feed_resume(labeller_resource(labeller, source)->feed, source);
	label_audit_resume(labeller->audit);
	labeller->values[LABELLER_WAITING] =
		(int64_t)label_queue_count(labeller->queue);
	pump_soon(labeller);
}

static void item_remove(struct labeller *labeller, struct label_item *item)
{
	int source = item->source;

	label_pass_leave(&labeller_resource(labeller, source)->pass, item);
	label_queue_remove(labeller->queue, item);
	labeller_queue_changed(labeller, source);
}

void labeller_finish(struct labeller *labeller, struct label_item *item)
{
	int source = item->source;

	if (!item->is_detached)
		label_pass_leave(&labeller_resource(labeller, source)->pass, item);
	label_queue_finish(labeller->queue, item);
	labeller_queue_changed(labeller, source);
}

static void item_enter(struct labeller *labeller, struct label_item *item,
		       struct label_item *former)
{
	struct label_pass *pass = &labeller_resource(labeller, item->source)->pass;

	if (former != NULL)
		item->since_ms = former->since_ms;
	label_pass_enter(pass, item, former);
	if (former != NULL)
		label_pass_leave(pass, former);
	label_queue_add(labeller->queue, item, former);
	labeller_queue_changed(labeller, item->source);
}

/* --- what the feeds tell --- */

/* Whatever it was before (former, or NULL), this is what the object is now. */
void labeller_judge(struct labeller *labeller, int source,
		    const struct object_meta *meta, struct label_item *former)
{
	struct label_item *item = label_judge(
		&labeller->judge, labeller_resource(labeller, source)->pass.resource,
		source, meta, labeller_now_ms(labeller));

	labeller->values[LABELLER_UNRELATED] += item == NULL;
	labeller->values[LABELLER_GARBAGE] += item != NULL && meta->has_label;
	if (item != NULL)
		item_enter(labeller, item, former);
	else if (former != NULL)
		item_remove(labeller, former);
}

static void on_object(void *arg, int source, const struct object_meta *meta)
{
	struct labeller *labeller = arg;

	labeller_judge(labeller, source, meta,
		       label_queue_find(labeller->queue, source, meta));
}

static void on_gone(void *arg, int source, const struct object_meta *meta)
{
	struct labeller *labeller = arg;
	struct label_item *item = label_queue_find(labeller->queue, source, meta);

	if (item != NULL)
		item_remove(labeller, item);
}

static void on_list(void *arg, int source)
{
	struct labeller *labeller = arg;

	label_pass_on_list(&labeller_resource(labeller, source)->pass, source);
}

/* What the LIST has not brought is gone, or has its label. */
static void on_synced(void *arg, int source)
{
	struct labeller *labeller = arg;
	struct label_pass *pass = &labeller_resource(labeller, source)->pass;
	struct label_item *item;

	for (size_t cursor = 0; label_queue_walk(labeller->queue, &cursor, &item);)
		if (item->source == source && label_pass_has_lost(pass, item))
			item_remove(labeller, item);
	label_pass_on_synced(pass, source);
	pump_soon(labeller);
}

static void on_failure(void *arg)
{
	struct labeller *labeller = arg;

	labeller->values[LABELLER_FAILURES]++;
}

static const struct label_feed_events feed_events = {
	.on_list = on_list,
	.on_object = on_object,
	.on_gone = on_gone,
	.on_synced = on_synced,
	.on_failure = on_failure,
	.has_room = has_room,
};

/* --- what the audit tells --- */

static bool has_room_for_misplaced(void *arg, const struct ring_resource *resource,
				   int source)
{
	struct labeller *labeller = arg;

	return label_queue_has_room(labeller->queue,
				    resource->index * labeller->sources_each + source,
				    (size_t)labeller->feed_env.page);
}

static void on_misplaced(void *arg, const struct ring_resource *resource, int source,
			 const struct object_meta *meta)
{
	struct labeller *labeller = arg;
	struct label_item *item;

	source += resource->index * labeller->sources_each;
	/* Before that, and while it is worked on, the next audit is soon enough. */
	if (!labeller_resource(labeller, source)->pass.is_done ||
	    labeller_resource(labeller, source)->feed == NULL ||
	    label_queue_find(labeller->queue, source, meta) != NULL)
		return;
	item = label_judge_misplaced(&labeller->judge, resource, source, meta,
				     labeller_now_ms(labeller));
	labeller->values[LABELLER_MISPLACED] += item != NULL;
	if (item != NULL)
		item_enter(labeller, item, NULL);
}

static const struct label_audit_events audit_events = {
	.on_misplaced = on_misplaced,
	.on_failure = on_failure,
	.has_room = has_room_for_misplaced,
};

/* --- first passes --- */

static bool is_every_owned_done(const struct labeller *labeller)
{
	for (int i = 0; i < labeller->env.spec->resources_n; i++) {
		const struct label_pass *pass = &labeller->resources[i].pass;

		if (pass->resource->role == RESOURCE_OWNED && !pass->is_done)
			return false;
	}
	return true;
}

/*
 * Owned objects are judged by kinds, so all must be known. Main ones come after
 * the first pass of all owned ones, unless they are served already.
 */
static bool may_start(const struct labeller *labeller, const struct label_pass *pass)
{
	const struct catalog *catalog = labeller->env.catalog;

	if (pass->resource->role == RESOURCE_OWNED)
		return catalog_is_complete(catalog);
	return catalog_entry(catalog, pass->resource->index)->is_known &&
	       (pass->is_done || is_every_owned_done(labeller));
}

static void resource_start(struct labeller *labeller, struct resource *resource)
{
	int first_source = resource->pass.resource->index * labeller->sources_each;

	resource->feed = label_feed_create(&labeller->feed_env, resource->pass.resource,
					   first_source);
	label_pass_start(&resource->pass, labeller->arena, first_source,
			 label_feed_sources(resource->feed), labeller_now_ms(labeller));
}

void labeller_advance(struct labeller *labeller)
{
	for (int i = 0; i < labeller->env.spec->resources_n; i++) {
		struct resource *resource = &labeller->resources[i];

		if (resource->feed == NULL && may_start(labeller, &resource->pass))
			resource_start(labeller, resource);
		if (!label_pass_completes(&resource->pass, labeller_now_ms(labeller)))
			continue;
		labeller->untold |= (uint32_t)1 << i;
		loop_task_start(labeller->env.loop, &labeller->tell);
		pump_soon(labeller);
	}
}

/* on_labelled may destroy us: one resource a turn, and nothing after it. */
static void tell_run(void *arg)
{
	struct labeller *labeller = arg;
	int i = __builtin_ctz(labeller->untold);

	labeller->untold &= labeller->untold - 1;
	if (labeller->untold != 0)
		loop_task_start(labeller->env.loop, &labeller->tell);
	labeller->env.on_labelled(labeller->env.arg, i);
}

/* Gauges, progress, and whether the catalog knows more by now. */
static void tick_run(void *arg)
{
	struct labeller *labeller = arg;
	int64_t now_ms = labeller_now_ms(labeller);

	labeller->values[LABELLER_OLDEST_MS] =
		now_ms - label_queue_oldest_ms(labeller->queue, now_ms);
	for (int i = 0; i < labeller->env.spec->resources_n; i++)
		label_pass_tell(&labeller->resources[i].pass, now_ms);
	pump_soon(labeller);
	loop_timer_start(labeller->env.loop, &labeller->tick, TICK_MS);
}

/* --- the labeller --- */

static void queue_init(struct labeller *labeller)
{
	struct label_queue_size size = { .aside_max = LABELLER_ASIDE_MAX };

	while (labeller->env.namespaces[labeller->sources_each] != NULL)
		labeller->sources_each++;
	if (labeller->sources_each == 0)
		labeller->sources_each = 1;
	size.sources = labeller->env.spec->resources_n * labeller->sources_each;
	size.share = LABELLER_QUEUE_MAX / (size_t)size.sources;
	if (size.share < LABELLER_SHARE_MIN)
		size.share = LABELLER_SHARE_MIN;
	labeller->queue = label_queue_create(&size);
	labeller->is_full = arena_alloc(
		labeller->arena, (size_t)size.sources * sizeof(*labeller->is_full));
	labeller->feed_env = (struct label_feed_env){
		.api = labeller->env.api,
		.spec = labeller->env.spec,
		.catalog = labeller->env.catalog,
		.namespaces = labeller->env.namespaces,
		.page = (int)size.share / 2,
		.relist_ms = labeller->env.relist_ms,
		.events = &feed_events,
		.arg = labeller,
	};
}

static void resources_init(struct labeller *labeller, uint32_t labelled)
{
	for (int i = 0; i < labeller->env.spec->resources_n; i++) {
		struct resource *resource = &labeller->resources[i];

		label_pass_init(&resource->pass, labeller->arena,
				&labeller->env.spec->resources[i], labelled >> i & 1);
		gate_init(&resource->gate, RESOURCE_GATE_MIN_MS, RESOURCE_GATE_MAX_MS);
	}
}

struct labeller *labeller_create(const struct labeller_env *env, uint32_t labelled)
{
	struct labeller *labeller = calloc(1, sizeof(*labeller));

	if (labeller == NULL)
		abort();
	labeller->env = *env;
	labeller->values = labeller->unwanted;
	labeller->arena = arena_create();
	if (labeller->env.relist_ms == 0)
		labeller->env.relist_ms = LABELLER_RELIST_MS;
	queue_init(labeller);
	resources_init(labeller, labelled);
	labeller->work = (struct label_work){
		.api = env->api,
		.spec = env->spec,
		.catalog = env->catalog,
		.locator = env->locator,
		.on_done = label_pump_on_done,
		.arg = labeller,
	};
	labeller->judge = (struct label_judge){
		.spec = env->spec,
		.catalog = env->catalog,
		.foreign =
			foreign_create(LABELLER_FOREIGN_MAX, LABELLER_FOREIGN_AGE_MS),
		/* Forgotten by the next LIST, which is to judge anew. */
		.foreign_named = foreign_create(LABELLER_FOREIGN_MAX,
						labeller->env.relist_ms * 2 / 3),
	};
	token_bucket_init(&labeller->tokens, env->conf->label_rate,
			  labeller_now_ms(labeller));
	gate_init(&labeller->gate, GATE_MIN_MS, GATE_MAX_MS);
	labeller->audit = label_audit_create(&labeller->feed_env,
					     env->conf->label_audit_ms, &audit_events,
					     labeller);
	loop_task_init(&labeller->pump, label_pump_run, labeller);
	loop_task_init(&labeller->tell, tell_run, labeller);
	loop_timer_init(&labeller->wake, label_pump_run, labeller);
	loop_timer_init(&labeller->tick, tick_run, labeller);
	loop_timer_start(env->loop, &labeller->tick, 0);
	return labeller;
}

void labeller_destroy(struct labeller *labeller)
{
	struct label_item *item;

	if (labeller == NULL)
		return;
	loop_task_stop(&labeller->pump);
	loop_task_stop(&labeller->tell);
	loop_timer_stop(&labeller->wake);
	loop_timer_stop(&labeller->tick);
	for (int i = 0; i < labeller->env.spec->resources_n; i++)
		label_feed_destroy(labeller->resources[i].feed);
	label_audit_destroy(labeller->audit);
	while ((item = label_queue_active_one(labeller->queue)) != NULL) {
		label_work_cancel(item);
		label_queue_finish(labeller->queue, item);
	}
	label_queue_destroy(labeller->queue);
	foreign_destroy(labeller->judge.foreign);
	foreign_destroy(labeller->judge.foreign_named);
	labeller->values[LABELLER_WAITING] = 0;
	labeller->values[LABELLER_OLDEST_MS] = 0;
	arena_destroy(labeller->arena);
	free(labeller);
}

void labeller_reload(struct labeller *labeller, const struct member_conf *conf)
{
	labeller->env.conf = conf;
	label_audit_reload(labeller->audit, conf->label_audit_ms);
	pump_soon(labeller);
}

void labeller_count_into(struct labeller *labeller, int64_t *values)
{
	for (int i = 0; i < LABELLER_METRICS_N; i++)
		values[i] += labeller->values[i];
	labeller->values = values;
}
