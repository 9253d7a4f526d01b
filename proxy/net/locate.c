#include "proxy/net/locate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/map.h"
#include "proxy/net/known.h"

/* Look-ups under way, each for one object. */
#define FETCHES_MAX 4096
#define PATH_BYTES_MAX 4096

/* One GET, for all calls that want this object. */
struct fetch {
	struct locator *locator;
	const struct ring_resource *resource;
	char *key;
	struct slice name;
	struct api_call *call;
	struct list waiters;
};

/* One question, at whatever object of the chain it has come to. */
struct locate_call {
	struct locator *locator;
	struct list node;    /* in a fetch's waiters, or on no list */
	struct list of_all;  /* in locator->calls */
	struct fetch *fetch; /* NULL: none under way */
	const struct ring_resource *resource;
	char *key; /* of the object looked at now; namespace and name are in it */
	struct slice namespace;
	struct slice name;
	char *uid;
	int depth; /* 0: the object itself; above: an owner, whose uid must fit */
	bool places_main;
	bool takes_aged;
	struct loop_task tell;
	struct evidence evidence;
	bool is_failed;
	struct err failure;
	locate_done *done;
	void *arg;
};

struct locator {
	const struct api *api;
	const struct catalog *catalog;
	const struct ring_spec *spec;
	struct map *fetches; /* by key */
	struct known *known;
	struct list calls;
	int64_t values[LOCATOR_METRICS_N];
};

const int64_t *locator_values(const struct locator *locator)
{
	return locator->values;
}

static char *text_copy(struct slice text)
{
	char *copy = strndup(text.len > 0 ? text.data : "", text.len);

	if (copy == NULL)
		abort();
	return copy;
}

/* --- the end of a call --- */

static void call_free(struct locate_call *call)
{
	list_remove(&call->node);
	list_remove(&call->of_all);
	loop_task_stop(&call->tell);
	free(call->key);
	free(call->uid);
	free(call);
}

static void call_tell(void *arg)
{
	struct locate_call call = *(struct locate_call *)arg;

	call_free(arg);
	call.done(call.arg, call.evidence, call.is_failed ? &call.failure : NULL);
}

static void call_conclude(struct locate_call *call, enum placement_known known,
			  int bucket)
{
	call->evidence.known = known;
	call->evidence.bucket = bucket;
	loop_task_start(call->locator->api->loop, &call->tell);
}

static void call_fail(struct locate_call *call, const struct err *err)
{
	call->is_failed = true;
	call->failure = *err;
	call_conclude(call, PLACED_UNKNOWN, BUCKET_NONE);
}

/* No such object: of an owner that means that the owned one belongs to nobody. */
static void call_miss(struct locate_call *call)
{
	call_conclude(call, call->depth > 0 ? PLACED_FOREIGN : PLACED_ABSENT,
		      BUCKET_NONE);
}

/* --- judging what was found --- */

/* The answer to one GET, as far as it says anything about the object. */
struct found {
	bool is_absent;
	bool is_failed;
	struct err failure;
	struct object_meta meta;
};

static void call_look(struct locate_call *call);

/* Aims at an object. False when no object can have these names. */
static bool call_aim(struct locate_call *call, const struct locate_question *at)
{
	char *key = at->uid.len > KNOWN_NAME_BYTES_MAX
			    ? NULL
			    : known_key(at->resource->index, at->namespace, at->name);

	if (key == NULL)
		return false;
	free(call->key);
	free(call->uid);
	call->key = key;
	call->uid = text_copy(at->uid);
	call->resource = at->resource;
	call->name = slice_make(key + strlen(key) - at->name.len, at->name.len);
	call->namespace =
		slice_make(call->name.data - 1 - at->namespace.len, at->namespace.len);
	return true;
}

/* Goes on with the owner that the object names. */
static void call_climb(struct locate_call *call, const struct owned *owned)
{
	const struct locator *locator = call->locator;
	struct locate_question at;
	struct err err;

	if (!owner_is_certain(locator->catalog, owned)) {
		err_set(&err, -EAGAIN, "not every sharded resource is known yet");
		call_fail(call, &err);
	} else if (!owner_find(&at, locator->catalog, locator->spec, owned) ||
		   ++call->depth > LOCATE_DEPTH_MAX) {
		call_conclude(call, PLACED_FOREIGN, BUCKET_NONE);
	} else if (call_aim(call, &at)) {
		call_look(call);
	} else {
		call_miss(call);
	}
}

static int place_main(const struct locate_call *call, const struct object_meta *found)
{
	struct object_meta meta = *found;

	meta.namespace = call->namespace;
	meta.name = call->name;
	return ring_spec_place(call->locator->spec, call->resource, &meta);
}

static int bucket_of_meta(const struct locator *locator, const struct object_meta *meta)
{
	return meta->has_label ? bucket_of_label(meta->label, locator->spec->buckets)
			       : BUCKET_NONE;
}

static void call_judge(struct locate_call *call, const struct found *found)
{
	int bucket = bucket_of_meta(call->locator, &found->meta);
	const struct owned owned = { .resource = call->resource,
				     .namespace = found->meta.namespace,
				     .meta = &found->meta };

	if (found->is_failed)
		call_fail(call, &found->failure);
	else if (found->is_absent)
		call_miss(call);
	else if (call->depth > 0 && call->uid[0] != '\0' &&
		 !slice_is(found->meta.uid, call->uid))
		call_miss(call);
	else if (bucket != BUCKET_NONE)
		call_conclude(call, PLACED_AT, bucket);
	else if (call->resource->role == RESOURCE_OWNED)
		call_climb(call, &owned);
	else if (call->places_main)
		call_conclude(call, PLACED_AT, place_main(call, &found->meta));
	else
		call_conclude(call, PLACED_NOWHERE, BUCKET_NONE);
}

/* --- fetching --- */

static void fetch_free(struct fetch *fetch)
{
	map_remove(fetch->locator->fetches, slice_of(fetch->key));
	api_cancel(fetch->call);
	free(fetch->key);
	free(fetch);
}

/*
 * Of a 404: whether it is about this object. A type that is not served (any
 * more) has 404 too, and says nothing about whom the object belongs to.
 */
static bool is_about_object(const struct fetch *fetch, const struct api_answer *answer)
{
	return slice_is(json_text(answer->json, "reason"), "NotFound") &&
	       slice_eq(json_text(answer->json, "details.name"), fetch->name);
}

static int failure_text(const struct fetch *fetch, const struct api_answer *answer,
			struct err *err)
{
	char *name = ring_resource_name(fetch->resource, answer->arena);

	if (answer->status == 403)
		return err_set(err, -EACCES, "RBAC must allow \"get\" on %s: %s", name,
			       answer->err.text);
	return err_set(err, -EIO, "get %s: %s", name, answer->err.text);
}

static void answer_read(struct found *found, const struct fetch *fetch,
			const struct api_answer *answer)
{
	*found = (struct found){ .is_failed = true };
	if (api_is_success(answer) && answer->json != NULL)
		found->is_failed = meta_of_json(&found->meta, answer->arena,
						answer->json, &fetch->resource->keys,
						&found->failure) < 0;
	else if (answer->status == 404 && is_about_object(fetch, answer))
		*found = (struct found){ .is_absent = true };
	else
		failure_text(fetch, answer, &found->failure);
}

static void on_answer(void *arg, const struct api_answer *answer)
{
	struct fetch *fetch = arg;
	struct locator *locator = fetch->locator;
	struct found found;
	int bucket;

	fetch->call = NULL;
	answer_read(&found, fetch, answer);
	bucket = bucket_of_meta(locator, &found.meta);
	if (!found.is_failed && bucket != BUCKET_NONE)
		/* Of when we asked: what changed since may not be in the answer. */
		known_put(locator->known, slice_of(fetch->key), found.meta.uid, bucket,
			  answer->sent_ms);
	while (!list_is_empty(&fetch->waiters)) {
		struct locate_call *call =
			LIST_OWNER(fetch->waiters.next, struct locate_call, node);

		list_remove(&call->node);
		call->fetch = NULL;
		call_judge(call, &found);
	}
	fetch_free(fetch);
}

static struct fetch *fetch_create(struct locate_call *call, const char *target)
{
	struct locator *locator = call->locator;
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	struct api_request request = {
		.method = "GET",
		.target = target,
		.accept = API_METADATA,
	};

	if (fetch == NULL)
		abort();
	fetch->locator = locator;
	fetch->resource = call->resource;
	fetch->key = text_copy(slice_of(call->key));
	fetch->name =
		slice_make(fetch->key + (call->name.data - call->key), call->name.len);
	list_init(&fetch->waiters);
	(void)map_put(locator->fetches, slice_of(fetch->key), fetch, NULL);
	fetch->call = api_start(locator->api, &request, on_answer, fetch);
	return fetch;
}

static int count_of(enum known_answer answer)
{
	switch (answer) {
	case KNOWN_AGED:
	case KNOWN_OLD:
		return LOCATOR_FETCHED_OLD;
	case KNOWN_REUSED:
		return LOCATOR_FETCHED_REUSED;
	case KNOWN:
	case KNOWN_NOT:
		break;
	}
	return LOCATOR_FETCHED_NEW;
}

/* The GET for the object aimed at: one under way, or a new one; NULL: none. */
static struct fetch *fetch_for(struct locate_call *call, enum known_answer why, int *rc)
{
	struct locator *locator = call->locator;
	struct fetch *fetch = map_get(locator->fetches, slice_of(call->key));
	struct buf path;

	*rc = 0;
	locator->values[fetch ? LOCATOR_JOINED : count_of(why)]++;
	if (fetch != NULL)
		return fetch;
	if (map_count(locator->fetches) == FETCHES_MAX) {
		*rc = -ENOSPC;
		return NULL;
	}
	buf_init(&path, PATH_BYTES_MAX);
	*rc = catalog_path(locator->catalog, call->resource, call->namespace,
			   call->name, &path);
	if (*rc == 0)
		*rc = buf_append(&path, slice_make("", 1));
	if (*rc == 0)
		fetch = fetch_create(call, path.data);
	buf_finish(&path);
	return fetch;
}

/* Why there is no fetch. */
static void call_fail_to_fetch(struct locate_call *call, int rc)
{
	struct err err;

	if (rc == -EINVAL && call->depth > 0) {
		call_miss(call);
		return;
	}
	if (rc == -ENOSPC)
		err_set(&err, rc, "%d look-ups are under way already", FETCHES_MAX);
	else if (rc == -ENOENT)
		err_set(&err, rc, "the API server does not serve %.*s yet",
			SLICE_ARGS(call->resource->resource));
	else
		err_set(&err, rc, "no object can have this name");
	call_fail(call, &err);
}

/* Looks at the object aimed at: in what is known, else at the API server. */
static void call_look(struct locate_call *call)
{
	struct locator *locator = call->locator;
	int bucket, rc;
	enum known_answer answer = known_find(locator->known, slice_of(call->key),
					      slice_of(call->uid),
					      loop_now_ms(locator->api->loop), &bucket);

	if (answer == KNOWN || (answer == KNOWN_AGED && call->takes_aged)) {
		call->evidence.is_aged = answer == KNOWN_AGED;
		locator->values[call->evidence.is_aged ? LOCATOR_KNOWN_AGED
						       : LOCATOR_KNOWN]++;
		call_conclude(call, PLACED_AT, bucket);
		return;
	}
	call->fetch = fetch_for(call, answer, &rc);
	if (call->fetch != NULL)
		list_add(&call->fetch->waiters, &call->node);
	else
		call_fail_to_fetch(call, rc);
}

/* --- asking --- */

static struct locate_call *call_create(struct locator *locator, locate_done *done,
				       void *arg)
{
	struct locate_call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		abort();
	call->locator = locator;
	call->done = done;
	call->arg = arg;
	list_init(&call->node);
	list_init(&call->of_all);
	list_add(&locator->calls, &call->of_all);
	loop_task_init(&call->tell, call_tell, call);
	return call;
}

struct locate_call *locate_object(struct locator *locator,
				  const struct locate_question *question,
				  locate_done *done, void *arg)
{
	struct locate_call *call = call_create(locator, done, arg);

	call->resource = question->resource;
	call->takes_aged = question->takes_aged;
	if (call_aim(call, question))
		call_look(call);
	else
		call_fail_to_fetch(call, -EINVAL);
	return call;
}

struct locate_call *locate_owner(struct locator *locator, const struct owned *owned,
				 locate_done *done, void *arg)
{
	struct locate_call *call = call_create(locator, done, arg);

	call->takes_aged = owned->takes_aged;
	call_climb(call, owned);
	return call;
}

struct locate_call *locate_owner_planned(struct locator *locator,
					 const struct owned *owned, locate_done *done,
					 void *arg)
{
	struct locate_call *call = call_create(locator, done, arg);

	call->places_main = true;
	call_climb(call, owned);
	return call;
}

void locator_learn(struct locator *locator, const struct owned *object, int64_t at_ms)
{
	struct slice uid = object->meta->uid;
	char *key = known_key(object->resource->index, object->namespace,
			      object->meta->name);
	int bucket = bucket_of_meta(locator, object->meta);

	if (key && bucket != BUCKET_NONE && uid.len > 0 &&
	    uid.len <= KNOWN_NAME_BYTES_MAX)
		known_put(locator->known, slice_of(key), uid, bucket, at_ms);
	free(key);
}

void locate_cancel(struct locate_call *call)
{
	struct fetch *fetch;

	if (call == NULL)
		return;
	fetch = call->fetch;
	call_free(call);
	if (fetch != NULL && list_is_empty(&fetch->waiters))
		fetch_free(fetch);
}

/* --- the locator --- */

struct locator *locator_create(const struct api *api, const struct catalog *catalog,
			       const struct ring_spec *spec)
{
	struct locator *locator = calloc(1, sizeof(*locator));

	if (locator == NULL)
		abort();
	locator->api = api;
	locator->catalog = catalog;
	locator->spec = spec;
	locator->fetches = map_create(FETCHES_MAX);
	locator->known =
		known_create(LOCATE_ENTRIES_MAX, LOCATE_AGE_MS, LOCATE_AGED_MS);
	list_init(&locator->calls);
	return locator;
}

void locator_destroy(struct locator *locator)
{
	if (locator == NULL)
		return;
	LIST_EACH(node, &locator->calls)
		locate_cancel(LIST_OWNER(node, struct locate_call, of_all));
	map_destroy(locator->fetches);
	known_destroy(locator->known);
	free(locator);
}
