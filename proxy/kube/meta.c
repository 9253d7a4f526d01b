#include "proxy/kube/meta.h"

#include <errno.h>

#include "proxy/kube/pb.h"

/* A text field: its name in JSON, its number in generated.proto, its place. */
struct text_field {
	const char *name;
	uint32_t number;
	size_t offset;
};

static const struct text_field meta_texts[] = {
	{ "name", 1, offsetof(struct object_meta, name) },
	{ "generateName", 2, offsetof(struct object_meta, generate_name) },
	{ "namespace", 3, offsetof(struct object_meta, namespace) },
	{ "uid", 5, offsetof(struct object_meta, uid) },
	{ "resourceVersion", 6, offsetof(struct object_meta, resource_version) },
	{ 0 },
};

static const struct text_field owner_texts[] = {
	{ "kind", 1, offsetof(struct owner_reference, kind) },
	{ "name", 3, offsetof(struct owner_reference, name) },
	{ "uid", 4, offsetof(struct owner_reference, uid) },
	{ "apiVersion", 5, offsetof(struct owner_reference, api_version) },
	{ 0 },
};

/* A label or an annotation. */
struct pair {
	struct slice key;
	struct slice value;
	bool is_set; /* in a patch it may be null */
};

/* Field numbers of what is no text. */
enum {
	OBJECT_METADATA = 1,
	META_DELETION_TIMESTAMP = 9,
	META_LABELS = 11,
	META_ANNOTATIONS = 12,
	META_OWNER_REFERENCES = 13,
	OWNER_CONTROLLER = 6,
	MAP_KEY = 1,
	MAP_VALUE = 2,
};

static struct slice *text_at(void *object, const struct text_field *row)
{
	return (struct slice *)(void *)((char *)object + row->offset);
}

/* JSON's null counts as absent, as it does for Go. */
static const struct json *present(const struct json *object, const char *key)
{
	const struct json *node = json_get(object, key);

	return node && node->type != JSON_NULL ? node : NULL;
}

static int json_texts(void *out, const struct json *object,
		      const struct text_field *rows, struct err *err)
{
	for (; rows->name; rows++) {
		const struct json *node = present(object, rows->name);

		if (!node)
			continue;
		if (node->type != JSON_STRING)
			return err_set(err, -EINVAL, "%s: expected a string",
				       rows->name);
		*text_at(out, rows) = node->text;
	}
	return 0;
}

/* Where the value of a label or annotation goes. */
static void store(struct object_meta *out, const struct meta_keys *keys,
		  bool is_annotation, const struct pair *pair)
{
	if (!is_annotation && slice_eq(pair->key, keys->label)) {
		out->has_label = pair->is_set;
		out->label = pair->value;
	}
	if (keys->owner.len > 0 && is_annotation == keys->is_owner_annotation &&
	    slice_eq(pair->key, keys->owner))
		out->owner_name = pair->value;
	if (!is_annotation && keys->place.len > 0 && slice_eq(pair->key, keys->place))
		out->place = pair->value;
}

static int json_pairs(struct object_meta *out, const struct json *meta,
		      const struct meta_keys *keys, bool is_annotation, struct err *err)
{
	const char *name = is_annotation ? "annotations" : "labels";
	const struct json *pairs = present(meta, name);

	if (!pairs)
		return 0;
	if (pairs->type != JSON_OBJECT)
		return err_set(err, -EINVAL, "%s: expected an object", name);
	for (const struct json *node = pairs->first; node; node = node->next) {
		struct pair pair = { node->key, node->text, node->type == JSON_STRING };

		if (node->type != JSON_STRING && node->type != JSON_NULL)
			return err_set(err, -EINVAL, "%s: expected strings", name);
		store(out, keys, is_annotation, &pair);
	}
	return 0;
}

static int json_owner(struct owner_reference *out, const struct json *object,
		      struct err *err)
{
	const struct json *controller = present(object, "controller");

	if (object->type != JSON_OBJECT)
		return err_set(err, -EINVAL, "ownerReferences: expected objects");
	if (controller && controller->type != JSON_BOOL)
		return err_set(err, -EINVAL, "controller: expected true or false");
	out->is_controller = controller && controller->boolean;
	return json_texts(out, object, owner_texts, err);
}

static int too_many_owners(struct err *err)
{
	return err_set(err, -E2BIG, "ownerReferences: expected at most %d",
		       META_OWNERS_MAX);
}

static int json_owners(struct object_meta *out, struct arena *arena,
		       const struct json *meta, struct err *err)
{
	const struct json *list = present(meta, "ownerReferences");
	int rc = 0;

	if (!list)
		return 0;
	if (list->type != JSON_ARRAY)
		return err_set(err, -EINVAL, "ownerReferences: expected an array");
	if (list->count > META_OWNERS_MAX)
		return too_many_owners(err);

	struct owner_reference *owners =
		arena_alloc(arena, (list->count + 1) * sizeof(*owners));

	out->owners = owners;
	for (const struct json *node = list->first; node && rc == 0; node = node->next)
		if (!slice_is(json_text(node, "$patch"), "delete"))
			rc = json_owner(&owners[out->owners_n++], node, err);
	return rc;
}

int meta_of_json(struct object_meta *out, struct arena *arena,
		 const struct json *object, const struct meta_keys *keys,
		 struct err *err)
{
	static const struct text_field types[] = {
		{ "apiVersion", 0, offsetof(struct object_meta, api_version) },
		{ "kind", 0, offsetof(struct object_meta, kind) },
		{ 0 },
	};
	const struct json *meta = present(object, "metadata");
	struct object_meta read = { 0 };
	int rc;

	if (!object || object->type != JSON_OBJECT)
		return err_set(err, -EINVAL, "expected an object");
	rc = json_texts(&read, object, types, err);
	if (rc == 0 && meta && meta->type != JSON_OBJECT)
		rc = err_set(err, -EINVAL, "expected an object");
	if (rc == 0)
		rc = json_texts(&read, meta, meta_texts, err);
	if (rc == 0)
		rc = json_pairs(&read, meta, keys, false, err);
	if (rc == 0 && keys->owner.len > 0 && keys->is_owner_annotation)
		rc = json_pairs(&read, meta, keys, true, err);
	if (rc == 0)
		rc = json_owners(&read, arena, meta, err);
	if (rc < 0)
		return err_wrap(err, rc, "metadata");
	read.is_deleting = present(meta, "deletionTimestamp");
	*out = read;
	return 0;
}

/* Whether the field is one of the rows; then it is stored, if it is a text. */
static bool pb_text(void *out, const struct pb_field *field,
		    const struct text_field *rows, bool *is_broken)
{
	for (; rows->name; rows++) {
		if (field->number != rows->number)
			continue;
		*is_broken |= field->wire != PB_BYTES;
		*text_at(out, rows) = field->bytes;
		return true;
	}
	return false;
}

static bool pb_pair(struct object_meta *out, struct slice entry,
		    const struct meta_keys *keys, bool is_annotation)
{
	struct pb_reader reader = { .rest = entry };
	struct pair pair = { .is_set = true };
	struct pb_field field;

	while (pb_next(&reader, &field)) {
		if (field.number != MAP_KEY && field.number != MAP_VALUE)
			continue;
		if (field.wire != PB_BYTES)
			return false;
		*(field.number == MAP_KEY ? &pair.key : &pair.value) = field.bytes;
	}
	store(out, keys, is_annotation, &pair);
	return !reader.is_broken;
}

static bool pb_owner(struct owner_reference *out, struct slice bytes)
{
	struct pb_reader reader = { .rest = bytes };
	struct pb_field field;

	while (pb_next(&reader, &field)) {
		if (pb_text(out, &field, owner_texts, &reader.is_broken))
			continue;
		if (field.number == OWNER_CONTROLLER) {
			reader.is_broken |= field.wire != PB_VARINT;
			out->is_controller = field.value != 0;
		}
	}
	return !reader.is_broken;
}

/* What is being read from protobuf, where messages may come in parts. */
struct pb_meta {
	struct object_meta meta;
	struct owner_reference *owners;
	const struct meta_keys *keys;
};

static int pb_other(struct pb_meta *read, const struct pb_field *field, struct err *err)
{
	struct object_meta *meta = &read->meta;

	if (field->number != META_DELETION_TIMESTAMP && field->number != META_LABELS &&
	    field->number != META_ANNOTATIONS && field->number != META_OWNER_REFERENCES)
		return 0;
	if (field->wire != PB_BYTES)
		return -EINVAL;
	if (field->number == META_DELETION_TIMESTAMP)
		meta->is_deleting = true;
	else if (field->number != META_OWNER_REFERENCES)
		return pb_pair(meta, field->bytes, read->keys,
			       field->number == META_ANNOTATIONS)
			       ? 0
			       : -EINVAL;
	else if (meta->owners_n == META_OWNERS_MAX)
		return too_many_owners(err);
	else if (!pb_owner(&read->owners[meta->owners_n++], field->bytes))
		return -EINVAL;
	return 0;
}

static int pb_metadata(struct pb_meta *read, struct slice bytes, struct err *err)
{
	struct pb_reader reader = { .rest = bytes };
	struct pb_field field;
	int rc = 0;

	while (rc == 0 && pb_next(&reader, &field))
		if (!pb_text(&read->meta, &field, meta_texts, &reader.is_broken))
			rc = pb_other(read, &field, err);
	return reader.is_broken ? -EINVAL : rc;
}

static int pb_fields(struct pb_meta *read, struct slice raw, struct err *err)
{
	struct pb_reader reader = { .rest = raw };
	struct pb_field field;
	int rc = 0;

	while (rc == 0 && pb_next(&reader, &field)) {
		if (field.number != OBJECT_METADATA)
			continue;
		if (field.wire != PB_BYTES)
			return -EINVAL;
		rc = pb_metadata(read, field.bytes, err);
	}
	return reader.is_broken ? -EINVAL : rc;
}

static int pb_object(struct object_meta *out, struct arena *arena, struct slice body,
		     const struct meta_keys *keys, struct err *err)
{
	struct pb_meta read = {
		.keys = keys,
		.owners = arena_alloc(arena, META_OWNERS_MAX * sizeof(*read.owners)),
	};
	struct slice raw;
	int rc = pb_open_envelope(body, &read.meta.api_version, &read.meta.kind, &raw);

	read.meta.owners = read.owners;
	if (rc == 0)
		rc = pb_fields(&read, raw, err);
	if (rc == -EINVAL)
		return err_set(err, rc, "protobuf: expected an object with metadata");
	if (rc == 0)
		*out = read.meta;
	return rc;
}

static int json_object(struct object_meta *out, struct arena *arena, struct slice body,
		       const struct meta_keys *keys, struct err *err)
{
	static const char *const keep[] = { "apiVersion", "kind", "metadata", NULL };
	struct json *object;
	int rc = json_parse(&object, arena, body, keep, err);

	return rc < 0 ? rc : meta_of_json(out, arena, object, keys, err);
}

/* YAML that begins like JSON is read as such: client-go applies in that form. */
static bool is_json(struct slice body)
{
	for (; body.len > 0; body = slice_from(body, 1))
		if (!memchr(" \t\r\n", body.data[0], 4))
			return body.data[0] == '{';
	return false;
}

int meta_parse(struct object_meta *out, struct arena *arena,
	       enum kube_encoding encoding, struct slice body,
	       const struct meta_keys *keys, struct err *err)
{
	if (encoding == KUBE_PROTOBUF)
		return pb_object(out, arena, body, keys, err);
	if (encoding == KUBE_JSON || (encoding == KUBE_YAML && is_json(body)))
		return json_object(out, arena, body, keys, err);
	return err_set(err, -ENOTSUP, "expected JSON or protobuf");
}

const struct owner_reference *meta_owner(const struct object_meta *meta,
					 bool (*is_ring)(void *arg,
							 struct slice api_version,
							 struct slice kind),
					 void *arg)
{
	const struct owner_reference *found = NULL;
	size_t found_n = 0;

	for (size_t i = 0; i < meta->owners_n; i++) {
		const struct owner_reference *owner = &meta->owners[i];

		if (owner->is_controller)
			return owner;
		if (is_ring(arg, owner->api_version, owner->kind)) {
			found = owner;
			found_n++;
		}
	}
	return found_n == 1 ? found : NULL;
}

struct slice meta_group_of(struct slice api_version)
{
	ptrdiff_t slash = slice_find(api_version, '/');

	return slice_make(api_version.data, slash < 0 ? 0 : (size_t)slash);
}
