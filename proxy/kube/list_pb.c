/*
 * A list in protobuf: "k8s\0", then runtime.Unknown, whose field 1 says kind and
 * apiVersion and whose field 2 is the list: metadata in field 1, items in field 2
 * (k8s.io/apimachinery runtime and meta/v1 generated.proto; every list type).
 */
#include <errno.h>

#include "proxy/kube/list_reader.h"
#include "proxy/kube/pb.h"

enum place {
	MAGIC,   /* its four bytes; `left` counts those that came */
	TAG,     /* of a field of the envelope, or of the list while raw_left > 0 */
	LENGTH,  /* of the field */
	NUMBER,  /* the field is one */
	CONTENT, /* of the field */
	BROKEN,
};

/* Fields: of runtime.Unknown, of a list, of TypeMeta, of ListMeta. */
enum {
	UNKNOWN_TYPE = 1,
	UNKNOWN_RAW = 2,
	LIST_META = 1,
	LIST_ITEMS = 2,
	TYPE_API_VERSION = 1,
	TYPE_KIND = 2,
	META_VERSION = 2,
	META_CONTINUE = 3,
};

#define IN_LIST 0x80000000u /* of `tag`: the field is one of the list */
#define WIRE_MASK 7u
#define VARINT_BITS_MAX 63u

static const char magic[4] = { 'k', '8', 's', '\0' };

static int fail(struct list_reader *reader, struct err *err, const char *what)
{
	reader->place = BROKEN;
	return err_set(err, -EINVAL, "protobuf list: %s", what);
}

static uint32_t field_of(const struct list_reader *reader)
{
	return (reader->tag & ~IN_LIST) >> 3;
}

static bool is_item(const struct list_reader *reader)
{
	return (reader->tag & IN_LIST) && field_of(reader) == LIST_ITEMS;
}

static bool is_kept(const struct list_reader *reader)
{
	return (reader->tag & IN_LIST)
		       ? field_of(reader) == LIST_META || field_of(reader) == LIST_ITEMS
		       : field_of(reader) == UNKNOWN_TYPE;
}

static int read_type(struct list_reader *reader)
{
	struct pb_reader fields = { .rest = buf_slice(&reader->value) };
	struct pb_field field;
	bool fits = true;

	while (fits && pb_next(&fields, &field)) {
		if (field.number == TYPE_API_VERSION && field.wire == PB_BYTES)
			fits = list_reader_copy(reader->api_version,
						sizeof(reader->api_version),
						field.bytes);
		if (field.number == TYPE_KIND && field.wire == PB_BYTES)
			fits = list_reader_copy(reader->kind, sizeof(reader->kind),
						field.bytes);
	}
	return fits && !fields.is_broken ? 0 : -EINVAL;
}

static int read_meta(struct list_reader *reader)
{
	struct pb_reader fields = { .rest = buf_slice(&reader->value) };
	struct pb_field field;
	bool fits = true;

	while (fits && pb_next(&fields, &field)) {
		if (field.number == META_VERSION && field.wire == PB_BYTES)
			fits = list_reader_copy(reader->version,
						sizeof(reader->version), field.bytes);
		if (field.number == META_CONTINUE && field.wire == PB_BYTES) {
			buf_clear(&reader->next);
			fits = buf_append(&reader->next, field.bytes) == 0;
		}
	}
	return fits && !fields.is_broken ? 0 : -EINVAL;
}

/* The field's bytes are complete. 1: it is an item. */
static int end_content(struct list_reader *reader, struct err *err)
{
	int rc = 0;

	reader->place = TAG;
	if (is_item(reader))
		return 1;
	if (is_kept(reader))
		rc = (reader->tag & IN_LIST) ? read_meta(reader) : read_type(reader);
	buf_clear(&reader->value);
	return rc == 0 ? 0 : fail(reader, err, "its head cannot be read");
}

static int begin_content(struct list_reader *reader, struct err *err)
{
	uint64_t length = reader->number;

	if (reader->tag & IN_LIST) {
		if (length > reader->raw_left)
			return fail(reader, err, "a field is longer than the list");
		reader->raw_left -= length;
	} else if (field_of(reader) == UNKNOWN_RAW) {
		reader->raw_left = length;
		reader->place = TAG;
		return 0;
	}
	if (is_kept(reader) && length > LIST_ITEM_BYTES_MAX)
		return err_set(err, -EMSGSIZE, "protobuf list: an item above %u bytes",
			       LIST_ITEM_BYTES_MAX);
	reader->left = length;
	reader->place = CONTENT;
	return length == 0 ? end_content(reader, err) : 0;
}

static int begin_field(struct list_reader *reader, bool is_in_list, struct err *err)
{
	uint64_t number = reader->number;

	if (number >= IN_LIST || number >> 3 == 0)
		return fail(reader, err, "a field without a number");
	reader->tag = (uint32_t)number | (is_in_list ? IN_LIST : 0);
	if ((number & WIRE_MASK) == PB_BYTES)
		reader->place = LENGTH;
	else if ((number & WIRE_MASK) == PB_VARINT)
		reader->place = NUMBER;
	else
		return fail(reader, err, "a field of a kind that lists have not");
	return 0;
}

/* A byte of a varint; once it is complete, what it means. */
static int take_varint(struct list_reader *reader, uint8_t byte, struct err *err)
{
	/* The byte is the list's if any of the list is left before it. */
	bool is_in_list = reader->raw_left > 0;

	reader->raw_left -= is_in_list;
	if (reader->shift >= VARINT_BITS_MAX && byte > 1)
		return fail(reader, err, "a number beyond 64 bits");
	reader->number |= (uint64_t)(byte & 0x7f) << reader->shift;
	reader->shift += 7;
	if (byte & 0x80)
		return 0;

	int rc = 0;

	if (reader->place == TAG)
		rc = begin_field(reader, is_in_list, err);
	else if (reader->place == LENGTH)
		rc = begin_content(reader, err);
	else
		reader->place = TAG; /* a number, and none that we read */
	reader->number = 0;
	reader->shift = 0;
	return rc;
}

static int take_content(struct list_reader *reader, struct slice bytes, size_t *at,
			struct err *err)
{
	struct slice rest = slice_from(bytes, *at);
	size_t n = rest.len < reader->left ? rest.len : (size_t)reader->left;

	if (is_kept(reader) &&
	    buf_append(&reader->value, slice_make(rest.data, n)) != 0)
		return err_set(err, -EMSGSIZE, "protobuf list: an item too large");
	*at += n;
	reader->left -= n;
	return reader->left == 0 ? end_content(reader, err) : 0;
}

static int take_magic(struct list_reader *reader, char c, struct err *err)
{
	if (c != magic[reader->left])
		return fail(reader, err, "expected the magic of Kubernetes");
	if (++reader->left == sizeof(magic)) {
		reader->left = 0;
		reader->place = TAG;
	}
	return 0;
}

int list_pb_next(struct list_reader *reader, struct slice bytes, size_t *at,
		 struct err *err)
{
	int rc = 0;

	while (rc == 0 && *at < bytes.len) {
		if (reader->place == BROKEN)
			rc = fail(reader, err, "it cannot be read on");
		else if (reader->place == CONTENT)
			rc = take_content(reader, bytes, at, err);
		else if (reader->place == MAGIC)
			rc = take_magic(reader, bytes.data[(*at)++], err);
		else
			rc = take_varint(reader, (uint8_t)bytes.data[(*at)++], err);
	}
	return rc;
}

bool list_pb_is_complete(const struct list_reader *reader)
{
	return reader->place == TAG && reader->shift == 0 && reader->raw_left == 0 &&
	       reader->version[0] != '\0';
}
