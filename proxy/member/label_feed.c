#include "proxy/member/label_feed.h"

#include <assert.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/net/reflector.h"

/* The same failure is logged again after this time. */
#define LOG_AGAIN_MS 60000
#define PATH_BYTES_MAX 4096
#define SELECTOR_BYTES_MAX (16 * 1024)

struct source {
	struct label_feed *feed;
	struct reflector *reflector;
	int number;
	const char *namespace; /* NULL: all, or none */
	int logged_status;
	int64_t logged_ms; /* 0: never */
};

struct label_feed {
	const struct label_feed_env *env;
	const struct ring_resource *resource;
	char *name; /* "foos.samplecontroller.k8s.io" */
	struct arena *arena;
	int first_source;
	int sources_n;
	struct source *sources;
	const char *selector;
	struct loop_timer relist;
};

/* --- the log --- */

static bool is_news(struct source *source, int status)
{
	int64_t now_ms = loop_now_ms(source->feed->env->api->loop);

	if (source->logged_ms != 0 && source->logged_status == status &&
	    now_ms - source->logged_ms < LOG_AGAIN_MS)
		return false;
	source->logged_status = status;
	source->logged_ms = now_ms;
	return true;
}

static void failure_log(struct source *source, const struct api_answer *answer)
{
	struct log_field resource = log_text("resource", source->feed->name);
	struct log_field reason = log_text("reason", answer->err.text);
	struct log_field namespace =
		log_text("namespace", source->namespace ? source->namespace : "*");

	if (answer->status == 403)
		log_error(
			"labeller",
			"RBAC must allow \"list\" and \"watch\"; nothing gets a label",
			resource, namespace, reason);
	else
		log_warn("labeller", "cannot read what is to be labelled; trying again",
			 resource, namespace, reason);
}

/* --- the reflector's events --- */

static void on_failure(void *arg, const struct api_answer *answer)
{
	struct source *source = arg;
	const struct label_feed_env *env = source->feed->env;

	/* A position that expired is no trouble: it lists again. */
	if (answer->status == 410)
		return;
	env->events->on_failure(env->arg);
	if (is_news(source, answer->status))
		failure_log(source, answer);
}

static void on_list(void *arg)
{
	struct source *source = arg;
	const struct label_feed_env *env = source->feed->env;

	env->events->on_list(env->arg, source->number);
}

static void on_synced(void *arg)
{
	struct source *source = arg;
	const struct label_feed_env *env = source->feed->env;

	env->events->on_synced(env->arg, source->number);
}

static bool has_room(void *arg)
{
	struct source *source = arg;
	const struct label_feed_env *env = source->feed->env;

	return env->events->has_room(env->arg, source->number);
}

static void meta_tell(struct source *source, const struct json *object,
		      void (*tell)(void *arg, int source,
				   const struct object_meta *meta))
{
	const struct label_feed_env *env = source->feed->env;
	struct arena *arena = arena_create();
	struct object_meta meta;
	struct err err;

	if (meta_of_json(&meta, arena, object, &source->feed->resource->keys, &err) ==
	    0) {
		tell(env->arg, source->number, &meta);
	} else {
		env->events->on_failure(env->arg);
		log_warn(
			"labeller", "an object cannot be read; it gets no label",
			log_text("resource", source->feed->name),
			log_slice("namespace", json_text(object, "metadata.namespace")),
			log_slice("name", json_text(object, "metadata.name")),
			log_text("reason", err.text));
	}
	arena_destroy(arena);
}

static void on_object(void *arg, const struct json *object)
{
	struct source *source = arg;

	meta_tell(source, object, source->feed->env->events->on_object);
}

static void on_gone(void *arg, const struct json *object)
{
	struct source *source = arg;

	meta_tell(source, object, source->feed->env->events->on_gone);
}

static const struct reflector_events reflector_events = {
	.on_list = on_list,
	.on_object = on_object,
	.on_gone = on_gone,
	.on_synced = on_synced,
	.on_failure = on_failure,
	.has_room = has_room,
};

/* --- the feed --- */

static void source_open(struct source *source)
{
	struct label_feed *feed = source->feed;
	struct buf path;
	struct reflector_source from = {
		.selector = feed->selector,
		.metadata_only = true,
		.limit = feed->env->page,
		/* Of what has a label there is much, and it is read again and again. */
		.streams_list = feed->env->is_labelled,
	};
	int rc;

	buf_init(&path, PATH_BYTES_MAX);
	rc = catalog_path(feed->env->catalog, feed->resource,
			  slice_of(source->namespace), slice_of(NULL), &path);
	assert(rc == 0 && "the resource is known, and namespaces were checked");
	(void)rc;
	from.path = arena_text(feed->arena, buf_slice(&path));
	buf_finish(&path);
	source->reflector =
		reflector_create(feed->env->api, &from, &reflector_events, source);
}

static void on_relist(void *arg)
{
	struct label_feed *feed = arg;

	for (int i = 0; i < feed->sources_n; i++) {
		reflector_destroy(feed->sources[i].reflector);
		source_open(&feed->sources[i]);
	}
	loop_timer_start(feed->env->api->loop, &feed->relist, feed->env->relist_ms);
}

static const char *selector_text(struct label_feed *feed)
{
	const char *text;
	struct buf out;
	int rc;

	if (feed->env->is_labelled)
		return arena_text(feed->arena, feed->env->spec->label);
	buf_init(&out, SELECTOR_BYTES_MAX);
	rc = ring_selector_write_unplaced(&out, feed->env->spec);
	assert(rc == 0 && "BUCKETS_MAX numbers fit");
	(void)rc;
	text = arena_text(feed->arena, buf_slice(&out));
	buf_finish(&out);
	return text;
}

static int count_sources(const struct label_feed *feed)
{
	const struct catalog_entry *entry =
		catalog_entry(feed->env->catalog, feed->resource->index);
	int n = 0;

	while (entry->is_namespaced && feed->env->namespaces[n] != NULL)
		n++;
	return n > 0 ? n : 1;
}

struct label_feed *label_feed_create(const struct label_feed_env *env,
				     const struct ring_resource *resource,
				     int first_source)
{
	struct label_feed *feed = calloc(1, sizeof(*feed));
	bool is_namespaced;

	if (feed == NULL)
		abort();
	feed->env = env;
	feed->resource = resource;
	feed->arena = arena_create();
	feed->name = ring_resource_name(resource, feed->arena);
	feed->first_source = first_source;
	feed->sources_n = count_sources(feed);
	feed->sources = arena_alloc(feed->arena,
				    (size_t)feed->sources_n * sizeof(*feed->sources));
	feed->selector = selector_text(feed);
	is_namespaced = catalog_entry(env->catalog, resource->index)->is_namespaced;
	for (int i = 0; i < feed->sources_n; i++) {
		struct source *source = &feed->sources[i];

		source->feed = feed;
		source->number = first_source + i;
		source->namespace = is_namespaced ? env->namespaces[i] : NULL;
		source_open(source);
	}
	loop_timer_init(&feed->relist, on_relist, feed);
	if (resource->keys.owner.len > 0 && !env->is_labelled)
		loop_timer_start(env->api->loop, &feed->relist, env->relist_ms);
	return feed;
}

void label_feed_destroy(struct label_feed *feed)
{
	if (feed == NULL)
		return;
	loop_timer_stop(&feed->relist);
	for (int i = 0; i < feed->sources_n; i++)
		reflector_destroy(feed->sources[i].reflector);
	arena_destroy(feed->arena);
	free(feed);
}

int label_feed_sources(const struct label_feed *feed)
{
	return feed->sources_n;
}

void label_feed_resume(struct label_feed *feed, int source)
{
	reflector_resume(feed->sources[source - feed->first_source].reflector);
}
