/*
 * Included by the one program that needs it, with the fakes of the floor below:
 * programs beside it have a loop and an API server of their own.
 */
#include "tests/unit/member/town/town.h"

#include <stdio.h>

#include "tests/unit/net/fake_api.c"  // NOLINT(bugprone-suspicious-include)
#include "tests/unit/net/fake_ring.c" // NOLINT(bugprone-suspicious-include)

static const char *const plurals[] = { "foos", "deployments", "replicasets" };
static const char *const kinds[] = { "Foo", "Deployment", "ReplicaSet" };
static const char *const versions[] = { "g/v1", "apps/v1", "apps/v1" };

int town_bucket(const struct object *object)
{
	return bucket_of_label(slice_of(object->label), 256);
}

/* --- objects as JSON --- */

static void object_write(struct buf *out, const struct object *object)
{
	(void)buf_printf(
		out,
		"{\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\",\"uid\":\"%s\","
		"\"resourceVersion\":\"%ju\"",
		object->name, object->uid, (uintmax_t)object->version);
	if (object->label[0] != '\0')
		(void)buf_printf(out, ",\"labels\":{\"bucket.ringside.dev/r\":\"%s\"}",
				 object->label);
	if (object->owner[0] != '\0')
		(void)buf_printf(out, ",\"ownerReferences\":[{%s}]", object->owner);
	if (object->boss != NULL)
		(void)buf_printf(out, ",\"annotations\":{\"boss\":\"%s\"}",
				 object->boss);
	(void)buf_append_text(out, "}}");
}

/* --- watches --- */

/* Whoever watched may have ended it. */
static void watches_prune(struct town *town)
{
	int kept = 0;

	for (int i = 0; i < town->watches_n; i++)
		if (fake_is_open(town->ring.fake, town->watches[i].transfer))
			town->watches[kept++] = town->watches[i];
	town->watches_n = kept;
}

static void watches_tell(struct town *town, int resource, const char *type,
			 const struct object *object)
{
	struct buf frame;

	if (town->is_dumb)
		return;
	watches_prune(town);
	buf_init(&frame, 4096);
	(void)buf_printf(&frame, "{\"type\":\"%s\",\"object\":", type);
	object_write(&frame, object);
	(void)buf_append(&frame, slice_make("}\n", 3));
	for (int i = 0; i < town->watches_n; i++)
		if (town->watches[i].resource == resource)
			fake_send(town->watches[i].transfer, frame.data);
	buf_finish(&frame);
}

void town_touch(struct town *town, struct object *object)
{
	object->version = ++town->version;
	if (town_bucket(object) == BUCKET_NONE)
		watches_tell(town, object->resource, "MODIFIED", object);
	else
		watches_tell(town, object->resource, "DELETED", object);
}

void town_delete(struct town *town, struct object *object)
{
	object->is_gone = true;
	object->version = ++town->version;
	watches_tell(town, object->resource, "DELETED", object);
}

void town_expire(struct town *town, int resource)
{
	int kept = 0;

	for (int i = 0; i < town->watches_n; i++) {
		if (town->watches[i].resource == resource)
			fake_send(town->watches[i].transfer,
				  "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n");
		else
			town->watches[kept++] = town->watches[i];
	}
	town->watches_n = kept;
}

/* --- what is asked --- */

static int resource_of(const char *line)
{
	for (int i = 0; i < 3; i++)
		if (strstr(line, plurals[i]) != NULL)
			return i;
	ck_abort_msg("asked for %s", line);
	return -1;
}

static struct object *object_named(struct town *town, const char *line)
{
	const char *name = strrchr(line, '/') + 1;
	size_t len = strcspn(name, "?");

	for (int i = 0; i < town->objects_n; i++) {
		struct object *object = &town->objects[i];

		if (!object->is_gone && object->resource == resource_of(line) &&
		    strlen(object->name) == len && memcmp(object->name, name, len) == 0)
			return object;
	}
	return NULL;
}

static void answer_absent(struct transfer *transfer)
{
	const char *name = strrchr(fake_line(transfer), '/') + 1;
	char body[200];

	snprintf(body, sizeof(body),
		 "{\"kind\":\"Status\",\"reason\":\"NotFound\","
		 "\"details\":{\"name\":\"%.*s\"}}",
		 (int)strcspn(name, "?"), name);
	fake_answer(transfer, 404, body);
}

static void answer_object(struct transfer *transfer, const struct object *object)
{
	struct buf body;

	buf_init(&body, 4096);
	object_write(&body, object);
	(void)buf_append(&body, slice_make("", 1));
	fake_answer(transfer, 200, body.data);
	buf_finish(&body);
}

/* The number behind "limit=" or "continue=", or fallback. */
static int number_of(const char *line, const char *key, int fallback)
{
	const char *at = strstr(line, key);

	return at != NULL ? atoi(at + strlen(key)) : fallback;
}

/* Of all pages of a list: the version at which its first page was read. */
static uint64_t list_version(const struct town *town, const char *line)
{
	const char *token = strstr(line, "continue=");

	return token != NULL ? strtoull(strchr(token, '.') + 1, NULL, 10)
			     : town->version;
}

static void serve_list(struct town *town, struct transfer *transfer)
{
	const char *line = fake_line(transfer);
	int limit = number_of(line, "limit=", 1), i = number_of(line, "continue=", 0);
	int resource = resource_of(line), n = 0;
	uintmax_t version = list_version(town, line);
	/* Of what has a label, or (not in any bucket) of what has none. */
	bool wants_labelled = strstr(line, "notin") == NULL;
	struct buf body;

	ck_assert_str_eq(fake_accept(transfer), API_METADATA_LIST);
	town->lists += i == 0;
	buf_init(&body, 1 << 20);
	(void)buf_append_text(&body, "{\"items\":[");
	for (; i < town->objects_n && n < limit; i++) {
		const struct object *object = &town->objects[i];

		if (object->is_gone || object->resource != resource ||
		    (town_bucket(object) != BUCKET_NONE) != wants_labelled)
			continue;
		(void)buf_append_text(&body, n++ > 0 ? "," : "");
		object_write(&body, object);
	}
	(void)buf_printf(&body, "],\"metadata\":{\"resourceVersion\":\"%ju\"", version);
	if (i < town->objects_n)
		(void)buf_printf(&body, ",\"continue\":\"%d.%ju\"", i, version);
	(void)buf_append(&body, slice_make("}}", 3));
	fake_answer(transfer, 200, body.data);
	buf_finish(&body);
}

/* What has happened since the position: the last of it, for each object. */
static void watch_catch_up(struct town *town, int resource, uint64_t version)
{
	for (int i = 0; i < town->objects_n; i++) {
		const struct object *object = &town->objects[i];

		if (object->resource != resource || object->version <= version)
			continue;
		if (object->is_gone || town_bucket(object) != BUCKET_NONE)
			watches_tell(town, resource, "DELETED", object);
		else
			watches_tell(town, resource, "MODIFIED", object);
	}
}

/* What has a label, as events: a WATCH that begins with a list. */
static void serve_stream(struct town *town, struct transfer *transfer)
{
	int resource = resource_of(fake_line(transfer));
	struct buf body;

	ck_assert_str_eq(fake_accept(transfer), API_METADATA);
	town->lists++;
	buf_init(&body, 4 << 20);
	for (int i = 0; i < town->objects_n; i++) {
		const struct object *object = &town->objects[i];

		if (object->is_gone || object->resource != resource ||
		    town_bucket(object) == BUCKET_NONE)
			continue;
		(void)buf_append_text(&body, "{\"type\":\"ADDED\",\"object\":");
		object_write(&body, object);
		(void)buf_append_text(&body, "}\n");
	}
	(void)buf_append_text(&body, "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{"
				     "\"annotations\":{\"k8s.io/initial-events-end\":"
				     "\"true\"},");
	(void)buf_printf(&body, "\"resourceVersion\":\"%ju\"}}}\n",
			 (uintmax_t)town->version);
	fake_begin(transfer, 200, NULL);
	fake_send(transfer, body.data);
	buf_finish(&body);
}

static void serve_watch(struct town *town, struct transfer *transfer)
{
	const char *line = fake_line(transfer);
	int resource = resource_of(line);

	watches_prune(town);
	ck_assert_int_lt(town->watches_n, TOWN_WATCHES_MAX);
	town->watches[town->watches_n].transfer = transfer;
	town->watches[town->watches_n++].resource = resource;
	fake_begin(transfer, 200, NULL);
	watch_catch_up(town, resource,
		       (uint64_t)number_of(line, "&resourceVersion=", 0));
}

static void note_patch(struct town *town, const struct object *object)
{
	size_t used = strlen(town->patched);

	snprintf(town->patched + used, sizeof(town->patched) - used, "%s ",
		 object->name);
}

/* The patch as it must be; *label: what it sets. False: its preconditions fail. */
static bool patch_read(const struct object *object, struct slice body, char label[16])
{
	struct arena *arena = arena_create();
	struct json *json;
	const struct json *labels;
	bool fits;

	ck_assert_int_eq(json_parse(&json, arena, body, NULL, NULL), 0);
	labels = json_at(json, "metadata.labels");
	ck_assert_uint_eq(labels->count, 1);
	ck_assert_slice(labels->first->key, "bucket.ringside.dev/r");
	ck_assert_int_ne(bucket_of_label(labels->first->text, 256), BUCKET_NONE);
	snprintf(label, 16, "%.*s", SLICE_ARGS(labels->first->text));
	fits = slice_is(json_text(json, "metadata.uid"), object->uid) &&
	       (uint64_t)atoll(json_text(json, "metadata.resourceVersion").data) ==
		       object->version;
	arena_destroy(arena);
	return fits;
}

static void serve_patch(struct town *town, struct transfer *transfer)
{
	struct object *object = object_named(town, fake_line(transfer));
	char label[16];

	ck_assert_ptr_nonnull(strstr(fake_line(transfer), "?fieldManager=ringside"));
	if (object == NULL) {
		answer_absent(transfer);
		return;
	}
	object->patches++;
	note_patch(town, object);
	if (object->refusals > 0) {
		object->refusals--;
		fake_answer(transfer, object->refusal, "{\"message\":\"refused\"}");
		return;
	}
	if (object->races > 0) {
		object->races--;
		if (object->is_disowned_by_race)
			town_set_owner(object, NULL);
		town_touch(town, object);
	}
	if (!patch_read(object, fake_body(transfer), label)) {
		fake_answer(transfer, 409, "{\"message\":\"changed\"}");
		return;
	}
	snprintf(object->label, sizeof(object->label), "%s", label);
	town_touch(town, object);
	answer_object(transfer, object);
}

static void serve_get(struct town *town, struct transfer *transfer)
{
	const struct object *object = object_named(town, fake_line(transfer));

	town->gets++;
	if (object != NULL)
		answer_object(transfer, object);
	else
		answer_absent(transfer);
}

static void serve(void *arg, struct transfer *transfer)
{
	struct town *town = arg;
	const char *line = fake_line(transfer);

	if (slice_starts_with(slice_of(line), "PATCH "))
		serve_patch(town, transfer);
	else if (strstr(line, "&sendInitialEvents=true") != NULL && town->is_old)
		fake_answer(transfer, 422, "{\"message\":\"forbidden\"}");
	else if (strstr(line, "&sendInitialEvents=true") != NULL)
		serve_stream(town, transfer);
	else if (strstr(line, "&watch=true") != NULL)
		serve_watch(town, transfer);
	else if (strstr(line, "limit=") != NULL)
		serve_list(town, transfer);
	else
		serve_get(town, transfer);
	if (town->active_max < (int)fake_open(town->ring.fake) - town->watches_n)
		town->active_max = (int)fake_open(town->ring.fake) - town->watches_n;
}

/* --- the town --- */

void town_init(struct town *town)
{
	memset(town, 0, sizeof(*town));
	fake_ring_init(&town->ring);
	fake_ring_learn(&town->ring);
	town->ring.fake->serve = serve;
	town->ring.fake->arg = town;
	town->version = 100;
}

void town_finish(struct town *town)
{
	fake_ring_finish(&town->ring);
}

void town_set_owner(struct object *object, const struct object *owner)
{
	object->owner[0] = '\0';
	if (owner != NULL)
		snprintf(object->owner, sizeof(object->owner),
			 "\"apiVersion\":\"%s\",\"kind\":\"%s\",\"name\":\"%s\","
			 "\"uid\":\"%s\",\"controller\":true",
			 versions[owner->resource], kinds[owner->resource], owner->name,
			 owner->uid);
}

static struct object *object_add(struct town *town, int resource, const char *name)
{
	struct object *object = &town->objects[town->objects_n++];

	ck_assert_int_le(town->objects_n, TOWN_OBJECTS_MAX);
	object->resource = resource;
	object->version = ++town->version;
	snprintf(object->name, sizeof(object->name), "%s", name);
	snprintf(object->uid, sizeof(object->uid), "u%d", town->objects_n);
	return object;
}

static void object_tell(struct town *town, const struct object *object)
{
	if (town_bucket(object) == BUCKET_NONE)
		watches_tell(town, object->resource, "ADDED", object);
}

struct object *town_add(struct town *town, int resource, const char *name,
			const char *label)
{
	struct object *object = object_add(town, resource, name);

	snprintf(object->label, sizeof(object->label), "%s", label);
	object_tell(town, object);
	return object;
}

struct object *town_add_owned(struct town *town, int resource, const char *name,
			      const struct object *owner)
{
	struct object *object = object_add(town, resource, name);

	town_set_owner(object, owner);
	object_tell(town, object);
	return object;
}
