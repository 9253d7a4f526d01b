#include "proxy/member/labeller.h"

#include <assert.h>
#include <stdlib.h>

#include "proxy/member/label_feed.h"
#include "proxy/member/label_judge.h"
#include "proxy/member/label_pass.h"
#include "proxy/member/pace.h"

#define TICK_MS 250

/* How long nothing is tried after a failure of the API server, or of a resource. */
#define GATE_MIN_MS 200
#define GATE_MAX_MS 10000
#define RESOURCE_GATE_MIN_MS 500
#define RESOURCE_GATE_MAX_MS 30000

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

static int64_t now_of(const struct labeller *labeller)
{
	return loop_now_ms(labeller->env.loop);
}

static struct resource *resource_of(struct labeller *labeller, int source)
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
static void queue_changed(struct labeller *labeller, int source)
{
	if (labeller->is_full[source] && has_room(labeller, source))
		label_feed_resume(resource_of(labeller, source)->feed, source);
	labeller->values[LABELLER_WAITING] =
		(int64_t)label_queue_count(labeller->queue);
	pump_soon(labeller);
}

static void item_remove(struct labeller *labeller, struct label_item *item)
{
	int source = item->source;

	label_pass_leave(&resource_of(labeller, source)->pass, item);
	label_queue_remove(labeller->queue, item);
	queue_changed(labeller, source);
}

static void item_finish(struct labeller *labeller, struct label_item *item)
{
	int source = item->source;

	if (!item->is_detached)
		label_pass_leave(&resource_of(labeller, source)->pass, item);
	label_queue_finish(labeller->queue, item);
	queue_changed(labeller, source);
}

static void item_enter(struct labeller *labeller, struct label_item *item,
		       struct label_item *former)
{
	struct label_pass *pass = &resource_of(labeller, item->source)->pass;

	if (former != NULL)
		item->since_ms = former->since_ms;
	label_pass_enter(pass, item, former);
	if (former != NULL)
		label_pass_leave(pass, former);
	label_queue_add(labeller->queue, item, former);
	queue_changed(labeller, item->source);
}

/* --- what the feeds tell --- */

/* Whatever it was before (former, or NULL), this is what the object is now. */
static void object_judge(struct labeller *labeller, int source,
			 const struct object_meta *meta, struct label_item *former)
{
	struct label_item *item = label_judge(
		&labeller->judge, resource_of(labeller, source)->pass.resource, source,
		meta, now_of(labeller));

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

	object_judge(labeller, source, meta,
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

	label_pass_on_list(&resource_of(labeller, source)->pass, source);
}

/* What the LIST has not brought is gone, or has its label. */
static void on_synced(void *arg, int source)
{
	struct labeller *labeller = arg;
	struct label_pass *pass = &resource_of(labeller, source)->pass;
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
			 label_feed_sources(resource->feed), now_of(labeller));
}

static void resources_advance(struct labeller *labeller)
{
	for (int i = 0; i < labeller->env.spec->resources_n; i++) {
		struct resource *resource = &labeller->resources[i];

		if (resource->feed == NULL && may_start(labeller, &resource->pass))
			resource_start(labeller, resource);
		if (!label_pass_completes(&resource->pass, now_of(labeller)))
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

/* --- what came of an item --- */

static void item_fail(struct labeller *labeller, struct label_item *item,
		      const struct label_result *result)
{
	int source = item->source;
	struct resource *resource = resource_of(labeller, source);
	int64_t now_ms = now_of(labeller);
	bool is_server = result->status == 0 || result->status == 429 ||
			 result->status >= 500;
	bool is_resource = result->status == 403 ||
			   result->status == LABEL_LOOKUP_FAILED;

	labeller->values[LABELLER_FAILURES]++;
	label_pass_tell_failure(&resource->pass, item, result, now_ms);
	if (is_server || is_resource)
		gate_shut(is_server ? &labeller->gate : &resource->gate, now_ms,
			  result->retry_after_ms, backoff_random());
	label_queue_retry(labeller->queue, item, now_ms, backoff_random());
	/* It may have been set aside, and made room. */
	queue_changed(labeller, source);
}

static void on_done(void *arg, struct label_item *item,
		    const struct label_result *result)
{
	struct labeller *labeller = arg;
	struct resource *resource = resource_of(labeller, item->source);
	int64_t now_ms = now_of(labeller);

	switch (result->outcome) {
	case LABEL_SET:
		labeller->values[LABELLER_LABELLED]++;
		resource->pass.objects += item->is_first;
		gate_open(&labeller->gate);
		gate_open(&resource->gate);
		item_finish(labeller, item);
		break;
	case LABEL_FOREIGN:
		labeller->values[LABELLER_UNRELATED]++;
		foreign_add(
			label_judge_foreign(&labeller->judge, resource->pass.resource),
			item->uid, item->owners, now_ms);
		item_finish(labeller, item);
		break;
	case LABEL_GONE:
		item_finish(labeller, item);
		break;
	case LABEL_CONFLICT:
		labeller->values[LABELLER_CONFLICTS]++;
		object_judge(labeller, item->source, result->meta, item);
		item_finish(labeller, item);
		break;
	case LABEL_FAILED:
		item_fail(labeller, item, result);
		break;
	}
}

/* --- the pump: keeps as much work under way as may be --- */

/* Starts the next item: 0. Else when to try again; INT64_MAX: not by itself. */
static int64_t pump_one(struct labeller *labeller, int64_t now_ms)
{
	int64_t wait_ms = token_bucket_wait_ms(&labeller->tokens,
					       labeller->env.conf->label_rate, now_ms);
	struct label_item *item;
	const struct gate *gate;

	if (gate_is_shut(&labeller->gate, now_ms))
		return labeller->gate.until_ms;
	if (wait_ms > 0)
		return now_ms + wait_ms;
	item = label_queue_next(labeller->queue, now_ms);
	if (item == NULL)
		return label_queue_due_ms(labeller->queue);
	gate = &resource_of(labeller, item->source)->gate;
	if (gate_is_shut(gate, now_ms)) {
		label_queue_wait(labeller->queue, item, gate->until_ms);
		return 0;
	}
	token_bucket_take(&labeller->tokens);
	label_work_start(&labeller->work, item);
	return 0;
}

static void pump_run(void *arg)
{
	struct labeller *labeller = arg;
	size_t active_max = (size_t)labeller->env.conf->label_concurrency;
	int64_t now_ms = now_of(labeller);
	int64_t again_ms = 0;

	resources_advance(labeller);
	while (again_ms == 0 && label_queue_active(labeller->queue) < active_max)
		again_ms = pump_one(labeller, now_ms);
	/* With as much under way as may be, an answer is what we wait for. */
	if (again_ms != 0 && again_ms != INT64_MAX)
		loop_timer_start(labeller->env.loop, &labeller->wake,
				 again_ms - now_ms);
}

/* Gauges, progress, and whether the catalog knows more by now. */
static void tick_run(void *arg)
{
	struct labeller *labeller = arg;
	int64_t now_ms = now_of(labeller);

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
		.on_done = on_done,
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
	token_bucket_init(&labeller->tokens, env->conf->label_rate, now_of(labeller));
	gate_init(&labeller->gate, GATE_MIN_MS, GATE_MAX_MS);
	loop_task_init(&labeller->pump, pump_run, labeller);
	loop_task_init(&labeller->tell, tell_run, labeller);
	loop_timer_init(&labeller->wake, pump_run, labeller);
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
	pump_soon(labeller);
}

void labeller_count_into(struct labeller *labeller, int64_t *values)
{
	for (int i = 0; i < LABELLER_METRICS_N; i++)
		values[i] += labeller->values[i];
	labeller->values = values;
}
