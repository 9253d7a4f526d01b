/* The label in protobuf: k8s.io/apimachinery meta/v1 and runtime generated.proto. */
#include <errno.h>

#include "proxy/kube/label_body.h"
#include "proxy/kube/pb.h"

enum {
	UNKNOWN_RAW = 2,
	OBJECT_METADATA = 1,
	META_LABELS = 11,
	MAP_KEY = 1,
	MAP_VALUE = 2,
};

#define MAGIC_BYTES 4

/* A field as it stands: pb_next has moved `after` behind it. */
static struct slice field_bytes(struct slice before, const struct pb_reader *after)
{
	return slice_make(before.data, before.len - after->rest.len);
}

/* --- setting: metadata { labels { key: value } } --- */

static int write_label(struct buf *out, const struct label_edit *edit)
{
	struct buf entry, meta;
	int rc;

	buf_init(&entry, edit->key.len + edit->value.len + 32);
	buf_init(&meta, edit->key.len + edit->value.len + 64);
	rc = pb_write_bytes(&entry, MAP_KEY, edit->key);
	if (rc == 0)
		rc = pb_write_bytes(&entry, MAP_VALUE, edit->value);
	if (rc == 0)
		rc = pb_write_bytes(&meta, META_LABELS, buf_slice(&entry));
	if (rc == 0)
		rc = pb_write_bytes(out, OBJECT_METADATA, buf_slice(&meta));
	buf_finish(&entry);
	buf_finish(&meta);
	return rc;
}

/* --- taking out --- */

static bool is_label(struct slice entry, struct slice key)
{
	struct pb_reader reader = { .rest = entry };
	struct slice found = { 0 };
	struct pb_field field;

	while (pb_next(&reader, &field))
		if (field.number == MAP_KEY && field.wire == PB_BYTES)
			found = field.bytes;
	return slice_eq(found, key);
}

static int copy_metadata(struct buf *out, struct slice bytes, struct slice key)
{
	struct pb_reader reader = { .rest = bytes };
	struct slice before = reader.rest;
	struct pb_field field;
	struct buf meta;
	int rc = 0;

	buf_init(&meta, bytes.len);
	while (rc == 0 && pb_next(&reader, &field)) {
		bool drops = field.number == META_LABELS && field.wire == PB_BYTES &&
			     is_label(field.bytes, key);

		if (!drops)
			rc = buf_append(&meta, field_bytes(before, &reader));
		before = reader.rest;
	}
	if (reader.is_broken)
		rc = -EINVAL;
	if (rc == 0)
		rc = pb_write_bytes(out, OBJECT_METADATA, buf_slice(&meta));
	buf_finish(&meta);
	return rc;
}

static int copy_without(struct buf *out, struct slice raw, struct slice key)
{
	struct pb_reader reader = { .rest = raw };
	struct slice before = reader.rest;
	struct pb_field field;
	int rc = 0;

	while (rc == 0 && pb_next(&reader, &field)) {
		if (field.number == OBJECT_METADATA && field.wire == PB_BYTES)
			rc = copy_metadata(out, field.bytes, key);
		else
			rc = buf_append(out, field_bytes(before, &reader));
		before = reader.rest;
	}
	return reader.is_broken ? -EINVAL : rc;
}

/* Whether any of the object's labels, in any part of its metadata, has the key. */
static bool has_label(struct slice raw, struct slice key)
{
	struct pb_reader reader = { .rest = raw };
	struct pb_field part, field;
	bool is_found = false;

	while (pb_next(&reader, &part)) {
		struct pb_reader meta = { .rest = part.bytes };

		if (part.number != OBJECT_METADATA || part.wire != PB_BYTES)
			continue;
		while (pb_next(&meta, &field))
			is_found |= field.number == META_LABELS &&
				    field.wire == PB_BYTES &&
				    is_label(field.bytes, key);
	}
	return is_found;
}

/* --- the envelope: of several raws the last one counts --- */

static int write_raw(struct buf *out, const struct label_edit *edit, struct slice raw)
{
	struct buf edited;
	int rc;

	buf_init(&edited, raw.len + edit->key.len + edit->value.len + 128);
	if (edit->value.data) {
		rc = buf_append(&edited, raw);
		if (rc == 0)
			rc = write_label(&edited, edit);
	} else {
		rc = copy_without(&edited, raw, edit->key);
	}
	if (rc == 0)
		rc = pb_write_bytes(out, UNKNOWN_RAW, buf_slice(&edited));
	buf_finish(&edited);
	return rc;
}

int label_pb_edit(struct buf *out, const struct label_edit *edit, struct err *err)
{
	struct slice raw;
	int rc = pb_open_envelope(edit->body, NULL, NULL, &raw);
	struct pb_reader reader = { .rest = slice_from(edit->body,
						       rc == 0 ? MAGIC_BYTES : 0) };
	struct slice before = reader.rest;
	struct pb_field field;

	if (rc == 0 && !raw.data)
		rc = -EINVAL;
	if (rc == 0 && !edit->value.data && !has_label(raw, edit->key))
		return buf_append(out, edit->body);
	if (rc == 0)
		rc = buf_append(out, slice_make(edit->body.data, MAGIC_BYTES));
	while (rc == 0 && pb_next(&reader, &field)) {
		if (field.number == UNKNOWN_RAW && field.bytes.data == raw.data)
			rc = write_raw(out, edit, raw);
		else
			rc = buf_append(out, field_bytes(before, &reader));
		before = reader.rest;
	}
	if (rc < 0)
		return err_set(err, rc, "protobuf: expected an object with metadata");
	return 0;
}
