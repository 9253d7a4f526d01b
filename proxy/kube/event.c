#include "proxy/kube/event.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proxy/kube/json_span.h"
#include "proxy/kube/pb.h"

#define FRAME_HEAD_BYTES 4

/* Of WatchEvent, RawExtension, an object, ObjectMeta. */
enum {
	EVENT_TYPE = 1,
	EVENT_OBJECT = 2,
	RAW = 1,
	OBJECT_METADATA = 1,
	META_VERSION = 6,
};

static const char *const names[] = {
	[WATCH_ADDED] = "ADDED",     [WATCH_MODIFIED] = "MODIFIED",
	[WATCH_DELETED] = "DELETED", [WATCH_BOOKMARK] = "BOOKMARK",
	[WATCH_ERROR] = "ERROR",
};

static int type_of(struct slice name, enum watch_event_type *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slice_is(name, names[i]))
			continue;
		*out = (enum watch_event_type)i;
		return 0;
	}
	return -EINVAL;
}

/* --- JSON --- */

/* As it is, on one line: an item that was written for a person has several. */
static int append_line(struct buf *out, struct slice text)
{
	size_t start = out->len;
	int rc = buf_append(out, text);

	if (rc == 0 && slice_find(text, '\n') >= 0)
		for (size_t i = start; i < out->len; i++)
			if (out->data[i] == '\n' || out->data[i] == '\r')
				out->data[i] = ' ';
	return rc;
}

/* From the object's first member on, with the version that it is to have. */
static int append_members(struct buf *out, const struct event_item *item)
{
	struct slice object = item->object, metadata, version;
	size_t before;
	int rc;

	object = slice_from(object, (size_t)slice_find(object, '{') + 1);
	if (!json_span(item->object, "metadata", &metadata) ||
	    !json_span(metadata, "resourceVersion", &version))
		return -EINVAL;
	if (item->version == NULL)
		return append_line(out, object);
	before = (size_t)(version.data - object.data);
	rc = append_line(out, slice_make(object.data, before));
	if (rc == 0)
		rc = buf_printf(out, "\"%s\"", item->version);
	if (rc == 0)
		rc = append_line(out, slice_from(object, before + version.len));
	return rc;
}

static int json_item(struct buf *out, const struct event_item *item)
{
	struct slice kind;
	int rc = buf_printf(out, "{\"type\":\"%s\",\"object\":{", names[item->type]);

	if (rc == 0 && !json_span(item->object, "kind", &kind)) {
		if (item->kind[0] == '\0')
			return -EINVAL;
		rc = buf_printf(out, "\"kind\":\"%s\",\"apiVersion\":\"%s\",",
				item->kind, item->api_version);
	}
	if (rc == 0)
		rc = append_members(out, item);
	return rc < 0 ? rc : buf_append_text(out, "}\n");
}

static int json_bookmark(struct buf *out, const struct event_item *of)
{
	return buf_printf(out,
			  "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"%s\","
			  "\"apiVersion\":\"%s\",\"metadata\":{\"resourceVersion\":"
			  "\"%s\",\"creationTimestamp\":null}}}\n",
			  of->kind, of->api_version, of->version);
}

static int json_parts(struct slice frame, struct slice *type, struct slice *object)
{
	return json_span_text(frame, "type", type) && json_span(frame, "object", object)
		       ? 0
		       : -EINVAL;
}

/* --- protobuf --- */

/* Copies the fields of a message but for one; its bytes go to *left_out. */
static int copy_fields(struct buf *out, struct slice message, uint32_t but,
		       struct slice *left_out)
{
	struct pb_reader reader = { .rest = message };
	struct pb_field field;
	const char *start = message.data;
	int rc = 0;

	while (rc == 0 && pb_next(&reader, &field)) {
		size_t n = (size_t)(reader.rest.data - start);

		if (field.number != but)
			rc = buf_append(out, slice_make(start, n));
		else if (field.wire == PB_BYTES)
			*left_out = field.bytes;
		start += n;
	}
	return reader.is_broken ? -EINVAL : rc;
}

/* The object with that version. */
static int pb_versioned(struct buf *out, struct slice object, const char *version)
{
	struct slice metadata = { 0 }, former = { 0 };
	struct buf meta;
	int rc;

	buf_init(&meta, out->cap);
	rc = copy_fields(out, object, OBJECT_METADATA, &metadata);
	if (rc == 0 && metadata.len == 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = copy_fields(&meta, metadata, META_VERSION, &former);
	if (rc == 0)
		rc = pb_write_bytes(&meta, META_VERSION, slice_of(version));
	if (rc == 0)
		rc = pb_write_bytes(out, OBJECT_METADATA, buf_slice(&meta));
	buf_finish(&meta);
	return rc;
}

static int append_length(struct buf *out, size_t length)
{
	const char bytes[FRAME_HEAD_BYTES] = { (char)(length >> 24),
					       (char)(length >> 16),
					       (char)(length >> 8), (char)length };

	return buf_append(out, slice_make(bytes, FRAME_HEAD_BYTES));
}

static int pb_frame(struct buf *out, const struct event_item *item, struct slice object)
{
	struct buf envelope, raw, event;
	int rc;

	buf_init(&envelope, out->cap);
	buf_init(&raw, out->cap);
	buf_init(&event, out->cap);
	rc = pb_write_envelope(&envelope, item->api_version, item->kind, object);
	if (rc == 0)
		rc = pb_write_bytes(&raw, RAW, buf_slice(&envelope));
	if (rc == 0)
		rc = pb_write_bytes(&event, EVENT_TYPE, slice_of(names[item->type]));
	if (rc == 0)
		rc = pb_write_bytes(&event, EVENT_OBJECT, buf_slice(&raw));
	if (rc == 0)
		rc = append_length(out, event.len);
	if (rc == 0)
		rc = buf_append(out, buf_slice(&event));
	buf_finish(&envelope);
	buf_finish(&raw);
	buf_finish(&event);
	return rc;
}

static int pb_item(struct buf *out, const struct event_item *item)
{
	struct buf object;
	int rc;

	if (item->kind[0] == '\0')
		return -EINVAL;
	if (item->version == NULL)
		return pb_frame(out, item, item->object);
	buf_init(&object, out->cap);
	rc = pb_versioned(&object, item->object, item->version);
	if (rc == 0)
		rc = pb_frame(out, item, buf_slice(&object));
	buf_finish(&object);
	return rc;
}

static int pb_bookmark(struct buf *out, const struct event_item *of)
{
	struct buf meta, object;
	int rc;

	buf_init(&meta, out->cap);
	buf_init(&object, out->cap);
	rc = pb_write_bytes(&meta, META_VERSION, slice_of(of->version));
	if (rc == 0)
		rc = pb_write_bytes(&object, OBJECT_METADATA, buf_slice(&meta));
	if (rc == 0)
		rc = pb_frame(out, of, buf_slice(&object));
	buf_finish(&meta);
	buf_finish(&object);
	return rc;
}

static int pb_parts(struct slice frame, struct slice *type, struct slice *object)
{
	struct pb_reader event, raw = { 0 };
	struct pb_field field;

	if (frame.len < FRAME_HEAD_BYTES)
		return -EINVAL;
	event = (struct pb_reader){ .rest = slice_from(frame, FRAME_HEAD_BYTES) };
	while (pb_next(&event, &field)) {
		if (field.wire == PB_BYTES && field.number == EVENT_TYPE)
			*type = field.bytes;
		if (field.wire == PB_BYTES && field.number == EVENT_OBJECT)
			raw.rest = field.bytes;
	}
	while (pb_next(&raw, &field))
		if (field.wire == PB_BYTES && field.number == RAW)
			*object = field.bytes;
	return event.is_broken || raw.is_broken ? -EINVAL : 0;
}

/* --- both --- */

int event_write_item(struct buf *out, enum kube_encoding encoding,
		     const struct event_item *item)
{
	size_t start = out->len;
	int rc = encoding == KUBE_PROTOBUF ? pb_item(out, item) : json_item(out, item);

	if (rc < 0)
		out->len = start;
	return rc;
}

int event_write_bookmark(struct buf *out, enum kube_encoding encoding,
			 const struct event_item *of)
{
	struct event_item bookmark = *of;
	size_t start = out->len;
	int rc;

	bookmark.type = WATCH_BOOKMARK;
	rc = encoding == KUBE_PROTOBUF ? pb_bookmark(out, &bookmark)
				       : json_bookmark(out, &bookmark);
	if (rc < 0)
		out->len = start;
	return rc;
}

static int read_object(struct event_head *head, enum kube_encoding encoding,
		       struct slice object, struct slice label, struct err *err)
{
	const struct meta_keys keys = { .label = label };
	struct arena *arena = arena_create();
	struct object_meta meta;
	int rc = meta_parse(&meta, arena, encoding, object, &keys, err);

	if (rc == 0 && slice_to_u64(meta.resource_version, &head->version) < 0)
		rc = err_set(err, -EINVAL, "watch event: expected a resourceVersion");
	if (rc == 0 && snprintf(head->object, sizeof(head->object), "%.*s/%.*s",
				SLICE_ARGS(meta.namespace),
				SLICE_ARGS(meta.name)) >= (int)sizeof(head->object))
		rc = err_set(err, -EINVAL, "watch event: the name is too long");
	if (rc == 0 && meta.has_label && meta.label.len < sizeof(head->label)) {
		head->has_label = true;
		if (meta.label.len > 0)
			memcpy(head->label, meta.label.data, meta.label.len);
	}
	arena_destroy(arena);
	return rc;
}

int event_open(enum kube_encoding encoding, struct slice frame,
	       enum watch_event_type *type, struct slice *object)
{
	struct slice name = { 0 }, bytes = { 0 };
	int rc = encoding == KUBE_PROTOBUF ? pb_parts(frame, &name, &bytes)
					   : json_parts(frame, &name, &bytes);

	if (rc < 0 || type_of(name, type) < 0)
		return -EINVAL;
	*object = bytes;
	return 0;
}

int event_read(struct event_head *out, enum kube_encoding encoding, struct slice frame,
	       struct slice label, struct err *err)
{
	struct event_head head = { 0 };
	struct slice object;
	int rc = event_open(encoding, frame, &head.type, &object);

	if (rc < 0)
		return err_set(err, rc, "expected a watch event with a known type");
	if (head.type != WATCH_ERROR)
		rc = read_object(&head, encoding, object, label, err);
	if (rc == 0)
		*out = head;
	return rc;
}
