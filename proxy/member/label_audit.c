#include "proxy/member/label_audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/net/known.h"
#include "proxy/net/owner.h"

/* Names that are longer belong to no object. */
#define KEY_BYTES_MAX 1024

struct source {
	bool is_ended;
	bool is_paused;
};

struct label_audit {
	struct label_feed_env feed_env;
	const struct label_audit_events *events;
	void *arg;
	int64_t every_ms;
	struct loop_timer begin;
	struct loop_task next;
	/* What is read: who owns, then who is owned; of each, one resource at a time.
	 */
	bool is_about_owned;
	int index;
	struct label_feed *feed; /* NULL: no audit is under way */
	struct source *sources;
	int sources_left;     /* that are not read to their end */
	struct known *owners; /* by "<resource>/<namespace>/<name>" */
};

static const struct ring_resource *resource_now(const struct label_audit *audit)
{
	return &audit->feed_env.spec->resources[audit->index];
}

/* --- judging --- */

/* False: no object can have these names. */
static bool key_write(struct slice *out, char key[KEY_BYTES_MAX],
		      const struct locate_question *at)
{
	int n = snprintf(key, KEY_BYTES_MAX, "%d/%.*s/%.*s", at->resource->index,
			 SLICE_ARGS(at->namespace), SLICE_ARGS(at->name));

	*out = slice_make(key, (size_t)n);
	return n < KEY_BYTES_MAX;
}

static void owner_note(struct label_audit *audit, const struct object_meta *meta,
		       int bucket)
{
	const struct locate_question at = { .resource = resource_now(audit),
					    .namespace = meta->namespace,
					    .name = meta->name };
	char text[KEY_BYTES_MAX];
	struct slice key;

	if (key_write(&key, text, &at))
		known_put(audit->owners, key, meta->uid, bucket, 0);
}

static bool is_misplaced(const struct label_audit *audit,
			 const struct object_meta *meta, int bucket)
{
	const struct owned owned = { .resource = resource_now(audit),
				     .namespace = meta->namespace,
				     .meta = meta };
	struct locate_question at;
	char text[KEY_BYTES_MAX];
	struct slice key;
	int owners;

	if (!owner_find(&at, audit->feed_env.catalog, audit->feed_env.spec, &owned) ||
	    !key_write(&key, text, &at))
		return false;
	return known_find(audit->owners, key, at.uid, 0, &owners) == KNOWN &&
	       owners != bucket;
}

/* --- what the feed tells --- */

static void on_object(void *arg, int source, const struct object_meta *meta)
{
	struct label_audit *audit = arg;
	int bucket = meta->has_label ? bucket_of_label(meta->label,
						       audit->feed_env.spec->buckets)
				     : BUCKET_NONE;

	/* Garbage is mended elsewhere. */
	if (bucket == BUCKET_NONE)
		return;
	if (!audit->is_about_owned)
		owner_note(audit, meta, bucket);
	else if (is_misplaced(audit, meta, bucket))
		audit->events->on_misplaced(audit->arg, resource_now(audit), source,
					    meta);
}

static void on_synced(void *arg, int source)
{
	struct label_audit *audit = arg;

	audit->sources[source].is_ended = true;
	if (--audit->sources_left == 0)
		loop_task_start(audit->feed_env.api->loop, &audit->next);
}

/* A source that was read to its end is not watched: it stays paused. */
static bool has_room(void *arg, int source)
{
	struct label_audit *audit = arg;
	bool has = !audit->sources[source].is_ended &&
		   (!audit->is_about_owned ||
		    audit->events->has_room(audit->arg, resource_now(audit), source));

	audit->sources[source].is_paused = !has;
	return has;
}

static void on_failure(void *arg)
{
	struct label_audit *audit = arg;

	audit->events->on_failure(audit->arg);
}

static void on_list(void *arg, int source)
{
	(void)arg;
	(void)source;
}

static const struct label_feed_events feed_events = {
	.on_list = on_list,
	.on_object = on_object,
	.on_gone = on_object, /* of watches, which there are none of */
	.on_synced = on_synced,
	.on_failure = on_failure,
	.has_room = has_room,
};

/* --- one resource after the other --- */

/* Whether objects of the resource may own others: by reference, those of any may. */
static bool may_own(const struct ring_spec *spec, int index)
{
	for (int i = 0; i < spec->resources_n; i++) {
		const struct ring_resource *owned = &spec->resources[i];

		if (owned->role == RESOURCE_OWNED && i != index &&
		    (owned->keys.owner.len == 0 || owned->owner == index))
			return true;
	}
	return false;
}

/*
 * To the next resource that is to be read. False: the audit is over. Backwards: where
 * there are more owners than are remembered, main objects are.
 */
static bool advance(struct label_audit *audit)
{
	const struct ring_spec *spec = audit->feed_env.spec;

	while (audit->index-- > 0) {
		if (audit->is_about_owned ? resource_now(audit)->role == RESOURCE_OWNED
					  : may_own(spec, audit->index))
			return true;
	}
	if (audit->is_about_owned)
		return false;
	audit->is_about_owned = true;
	audit->index = spec->resources_n;
	return advance(audit);
}

static void feed_close(struct label_audit *audit)
{
	label_feed_destroy(audit->feed);
	free(audit->sources);
	audit->feed = NULL;
	audit->sources = NULL;
}

static void feed_open(struct label_audit *audit)
{
	audit->feed = label_feed_create(&audit->feed_env, resource_now(audit), 0);
	audit->sources_left = label_feed_sources(audit->feed);
	audit->sources = calloc((size_t)audit->sources_left, sizeof(*audit->sources));
	if (audit->sources == NULL)
		abort();
}

static void wait_again(struct label_audit *audit)
{
	known_destroy(audit->owners);
	audit->owners = NULL;
	if (audit->every_ms > 0)
		loop_timer_start(audit->feed_env.api->loop, &audit->begin,
				 audit->every_ms);
	else
		loop_timer_stop(&audit->begin);
}

static void on_next(void *arg)
{
	struct label_audit *audit = arg;

	feed_close(audit);
	if (advance(audit))
		feed_open(audit);
	else
		wait_again(audit);
}

static void on_begin(void *arg)
{
	struct label_audit *audit = arg;

	audit->is_about_owned = false;
	audit->index = audit->feed_env.spec->resources_n;
	if (!catalog_is_complete(audit->feed_env.catalog)) {
		wait_again(audit);
		return;
	}
	audit->owners = known_create(LABEL_AUDIT_OWNERS_MAX, INT64_MAX, INT64_MAX);
	on_next(audit);
}

/* --- the audit --- */

struct label_audit *label_audit_create(const struct label_feed_env *feed_env,
				       int64_t every_ms,
				       const struct label_audit_events *events,
				       void *arg)
{
	struct label_audit *audit = calloc(1, sizeof(*audit));

	if (audit == NULL)
		abort();
	audit->feed_env = *feed_env;
	audit->feed_env.is_labelled = true;
	audit->feed_env.events = &feed_events;
	audit->feed_env.arg = audit;
	audit->events = events;
	audit->arg = arg;
	audit->every_ms = every_ms;
	loop_timer_init(&audit->begin, on_begin, audit);
	loop_task_init(&audit->next, on_next, audit);
	wait_again(audit);
	return audit;
}

void label_audit_destroy(struct label_audit *audit)
{
	if (audit == NULL)
		return;
	loop_timer_stop(&audit->begin);
	loop_task_stop(&audit->next);
	feed_close(audit);
	known_destroy(audit->owners);
	free(audit);
}

void label_audit_resume(struct label_audit *audit)
{
	int n = audit->feed != NULL ? label_feed_sources(audit->feed) : 0;

	for (int i = 0; i < n; i++)
		if (audit->sources[i].is_paused && has_room(audit, i))
			label_feed_resume(audit->feed, i);
}

void label_audit_reload(struct label_audit *audit, int64_t every_ms)
{
	bool is_new = every_ms != audit->every_ms;

	audit->every_ms = every_ms;
	if (is_new && audit->feed == NULL)
		wait_again(audit);
}
