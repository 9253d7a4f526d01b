/*
 * Another name in protobuf: k8s.io/apimachinery meta/v1 and runtime
 * generated.proto. Messages on the way to a name are written anew, as their length
 * changes; of them all other fields keep their bytes.
 */
#include <errno.h>

#include "proxy/kube/pb.h"
#include "proxy/kube/rename.h"

#define MAGIC_BYTES 4
#define LENGTH_BYTES 4

enum message {
	OBJECT,
	LIST,
	STATUS,
	NAMED, /* ObjectMeta, StatusDetails: the name is their first field */
	EVENT,
	RAW_EXTENSION,
	/* What is no message. */
	NAME,
	TEXT,
	ENVELOPE,
};

static const struct {
	enum message in;
	uint32_t number;
	enum message to;
} ways[] = {
	{ OBJECT, 1, NAMED },        { LIST, 2, OBJECT },
	{ STATUS, 3, TEXT },         { STATUS, 5, NAMED },
	{ EVENT, 2, RAW_EXTENSION }, { RAW_EXTENSION, 1, ENVELOPE },
	{ NAMED, 1, NAME },
};

static int write_value(struct buf *out, struct slice bytes, enum message what,
		       const struct rename *rename);

/* What stands in this field, as far as it is on the way to a name. */
static bool way_of(enum message in, const struct pb_field *field, enum message *to)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i].in != in || ways[i].number != field->number ||
		    field->wire != PB_BYTES)
			continue;
		*to = ways[i].to;
		return true;
	}
	return false;
}

static int write_field(struct buf *out, const struct pb_field *field, enum message what,
		       const struct rename *rename)
{
	struct buf value;
	int rc;

	buf_init(&value, out->cap);
	rc = write_value(&value, field->bytes, what, rename);
	if (rc == 0)
		rc = pb_write_bytes(out, field->number, buf_slice(&value));
	buf_finish(&value);
	return rc;
}

static int write_message(struct buf *out, struct slice bytes, enum message what,
			 const struct rename *rename)
{
	struct pb_reader reader = { .rest = bytes };
	struct slice before = bytes;
	struct pb_field field;
	enum message to;
	int rc = 0;

	while (rc == 0 && pb_next(&reader, &field)) {
		if (way_of(what, &field, &to))
			rc = write_field(out, &field, to, rename);
		else
			rc = buf_append(out, slice_make(before.data,
							before.len - reader.rest.len));
		before = reader.rest;
	}
	return reader.is_broken ? -EINVAL : rc;
}

static enum message message_of_kind(struct slice kind)
{
	if (slice_is(kind, "Status"))
		return STATUS;
	if (kind.len > 4 && slice_is(slice_from(kind, kind.len - 4), "List"))
		return LIST;
	return OBJECT;
}

/* Of several raws the last one counts; the others are no object of anybody's. */
static int write_envelope(struct buf *out, struct slice body,
			  const struct rename *rename)
{
	struct slice raw, kind, before;
	struct pb_reader reader;
	struct pb_field field;
	int rc = pb_open_envelope(body, NULL, &kind, &raw);

	if (rc < 0)
		return rc;
	reader = (struct pb_reader){ .rest = slice_from(body, MAGIC_BYTES) };
	before = reader.rest;
	rc = buf_append(out, slice_make(body.data, MAGIC_BYTES));
	while (rc == 0 && pb_next(&reader, &field)) {
		if (raw.data && field.wire == PB_BYTES && field.bytes.data == raw.data)
			rc = write_field(out, &field, message_of_kind(kind), rename);
		else
			rc = buf_append(out, slice_make(before.data,
							before.len - reader.rest.len));
		before = reader.rest;
	}
	return rc;
}

static int write_value(struct buf *out, struct slice bytes, enum message what,
		       const struct rename *rename)
{
	switch (what) {
	case NAME:
		return buf_append(out,
				  slice_eq(bytes, rename->from) ? rename->to : bytes);
	case TEXT:
		return rename->keeps_messages ? buf_append(out, bytes)
					      : rename_text(out, bytes, rename);
	case ENVELOPE:
		return write_envelope(out, bytes, rename);
	default:
		return write_message(out, bytes, what, rename);
	}
}

int rename_pb_body(struct buf *out, struct slice body, const struct rename *rename)
{
	return write_envelope(out, body, rename);
}

int rename_pb_frame(struct buf *out, struct slice frame, const struct rename *rename)
{
	struct buf event;
	int rc;

	if (frame.len < LENGTH_BYTES)
		return -EINVAL;
	buf_init(&event, out->cap);
	rc = write_message(&event, slice_from(frame, LENGTH_BYTES), EVENT, rename);
	if (rc == 0) {
		const char length[LENGTH_BYTES] = { (char)(event.len >> 24),
						    (char)(event.len >> 16),
						    (char)(event.len >> 8),
						    (char)event.len };

		rc = buf_append(out, slice_make(length, LENGTH_BYTES));
	}
	if (rc == 0)
		rc = buf_append(out, buf_slice(&event));
	buf_finish(&event);
	return rc;
}
