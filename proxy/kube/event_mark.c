#include "proxy/kube/event_mark.h"

#include <errno.h>
#include <time.h>

#include "proxy/kube/json_span.h"
#include "proxy/kube/pb.h"

#define TIME_BYTES 32

/* --- JSON --- */

static int write_time(struct buf *out, int64_t at_s)
{
	time_t at = (time_t)at_s;
	char text[TIME_BYTES];
	struct tm utc;

	if (gmtime_r(&at, &utc) == NULL ||
	    strftime(text, sizeof(text), "\"%Y-%m-%dT%H:%M:%SZ\"", &utc) == 0)
		return -EINVAL;
	return buf_append_text(out, text);
}

/* The frame with the time in place of `old`, a part of it. */
static int replace(struct buf *out, struct slice frame, struct slice old, int64_t at_s)
{
	size_t at = (size_t)(old.data - frame.data);
	int rc = buf_append(out, slice_make(frame.data, at));

	if (rc == 0)
		rc = write_time(out, at_s);
	return rc < 0 ? rc : buf_append(out, slice_from(frame, at + old.len));
}

static bool has_members(struct slice object)
{
	size_t i = 1;

	while (i < object.len && json_is_space(object.data[i]))
		i++;
	return i < object.len && object.data[i] != '}';
}

/* A first member of the metadata. */
static int insert(struct buf *out, struct slice frame, struct slice metadata,
		  int64_t at_s)
{
	size_t at = (size_t)(metadata.data - frame.data) + 1;
	int rc = buf_append(out, slice_make(frame.data, at));

	if (rc == 0)
		rc = buf_append_text(out, "\"deletionTimestamp\":");
	if (rc == 0)
		rc = write_time(out, at_s);
	if (rc == 0 && has_members(metadata))
		rc = buf_append_text(out, ",");
	return rc < 0 ? rc : buf_append(out, slice_from(frame, at));
}

static int mark_json(struct buf *out, struct slice frame, int64_t at_s)
{
	struct slice object, metadata, former;

	if (!json_span(frame, "object", &object) ||
	    !json_span(object, "metadata", &metadata) || metadata.data[0] != '{')
		return -EINVAL;
	if (!json_span(metadata, "deletionTimestamp", &former))
		return insert(out, frame, metadata, at_s);
	if (slice_is(former, "null"))
		return replace(out, frame, former, at_s);
	return buf_append(out, frame);
}

/* --- protobuf --- */

#define FRAME_HEAD_BYTES 4
#define MAGIC_BYTES 4

enum {
	META_DELETION_TIMESTAMP = 9,
	TIME_SECONDS = 1,
};

/*
 * The way to the metadata: WatchEvent, RawExtension, the envelope behind its magic,
 * the object. Of a field that comes twice the last one counts, or is merged with the
 * others.
 */
static const struct level {
	size_t head_bytes;
	uint32_t field;
} levels[] = {
	{ 0, 2 },
	{ 0, 1 },
	{ MAGIC_BYTES, 2 },
	{ 0, 1 },
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

struct place {
	size_t start, end; /* of the field, with its tag */
	struct slice bytes;
};

static int find_last(struct slice message, size_t head_bytes, uint32_t number,
		     struct place *out)
{
	struct pb_reader reader = { 0 };
	struct pb_field field;
	bool is_found = false;
	size_t at = head_bytes;

	if (message.len < head_bytes)
		return -EINVAL;
	reader.rest = slice_from(message, head_bytes);
	while (pb_next(&reader, &field)) {
		size_t end = message.len - reader.rest.len;

		if (field.number == number && field.wire == PB_BYTES) {
			*out = (struct place){ at, end, field.bytes };
			is_found = true;
		}
		at = end;
	}
	return is_found && !reader.is_broken ? 0 : -EINVAL;
}

static bool is_marked(struct slice object)
{
	struct pb_reader reader = { .rest = object };
	struct pb_field part, field;
	bool is_found = false;

	while (pb_next(&reader, &part)) {
		struct pb_reader meta = { .rest = part.bytes };

		if (part.number != levels[LEVELS - 1].field || part.wire != PB_BYTES)
			continue;
		while (pb_next(&meta, &field))
			is_found |= field.number == META_DELETION_TIMESTAMP &&
				    field.wire == PB_BYTES;
	}
	return is_found;
}

/* metadata, and behind its fields the time. */
static int write_metadata(struct buf *out, struct slice metadata, int64_t at_s)
{
	struct buf when;
	int rc;

	buf_init(&when, TIME_BYTES);
	rc = buf_append(out, metadata);
	if (rc == 0)
		rc = pb_write_varint(&when, TIME_SECONDS, (uint64_t)at_s);
	if (rc == 0)
		rc = pb_write_bytes(out, META_DELETION_TIMESTAMP, buf_slice(&when));
	buf_finish(&when);
	return rc;
}

/* The message with other bytes in the field that stands at the place. */
static int write_around(struct buf *out, struct slice message,
			const struct place *place, uint32_t number, struct slice bytes)
{
	int rc = buf_append(out, slice_make(message.data, place->start));

	if (rc == 0)
		rc = pb_write_bytes(out, number, bytes);
	return rc < 0 ? rc : buf_append(out, slice_from(message, place->end));
}

static int write_frame(struct buf *out, struct slice event)
{
	char head[FRAME_HEAD_BYTES];
	int rc;

	for (int i = 0; i < FRAME_HEAD_BYTES; i++)
		head[i] = (char)(event.len >> (8 * (FRAME_HEAD_BYTES - 1 - i)));
	rc = buf_append(out, slice_make(head, FRAME_HEAD_BYTES));
	return rc < 0 ? rc : buf_append(out, event);
}

/* The messages down to the object, and where in each the next one stands. */
struct nest {
	struct slice messages[LEVELS];
	struct place places[LEVELS];
};

static int open_nest(struct nest *nest, struct slice frame)
{
	struct slice message;

	if (frame.len < FRAME_HEAD_BYTES)
		return -EINVAL;
	message = slice_from(frame, FRAME_HEAD_BYTES);
	for (size_t i = 0; i < LEVELS; i++) {
		nest->messages[i] = message;
		if (find_last(message, levels[i].head_bytes, levels[i].field,
			      &nest->places[i]) < 0)
			return -EINVAL;
		message = nest->places[i].bytes;
	}
	return 0;
}

/* From the metadata outwards. */
static int mark_pb(struct buf *out, struct slice frame, int64_t at_s)
{
	struct buf inner, outer;
	struct nest nest;
	int rc = open_nest(&nest, frame);

	if (rc < 0)
		return rc;
	if (is_marked(nest.messages[LEVELS - 1]))
		return buf_append(out, frame);
	buf_init(&inner, out->cap);
	buf_init(&outer, out->cap);
	rc = write_metadata(&inner, nest.places[LEVELS - 1].bytes, at_s);
	for (size_t i = LEVELS; i-- > 0 && rc == 0;) {
		rc = write_around(&outer, nest.messages[i], &nest.places[i],
				  levels[i].field, buf_slice(&inner));
		buf_swap(&inner, &outer);
		buf_clear(&outer);
	}
	if (rc == 0)
		rc = write_frame(out, buf_slice(&inner));
	buf_finish(&inner);
	buf_finish(&outer);
	return rc;
}

/* --- both --- */

int event_write_marked(struct buf *out, enum kube_encoding encoding, struct slice frame,
		       int64_t at_s)
{
	size_t start = out->len;
	int rc = encoding == KUBE_PROTOBUF ? mark_pb(out, frame, at_s)
					   : mark_json(out, frame, at_s);

	if (rc < 0)
		out->len = start;
	return rc;
}
