#include "proxy/kube/event_mark.h"

#include <errno.h>

#include "proxy/kube/event.h"
#include "proxy/kube/frame.h"
#include "proxy/kube/meta.h"
#include "tests/unit/kube/rows.h"

#define AT_S 1767323045 /* 2026-01-02T03:04:05Z */
#define STAMP "\"deletionTimestamp\":\"2026-01-02T03:04:05Z\""

START_TEST(json_object_is_given_a_time_and_keeps_all_else)
{
	static const struct {
		const char *name, *frame, *marked;
	} rows[] = {
		{ "an object",
		  "{\"type\":\"DELETED\",\"object\":{\"kind\":\"Foo\",\"metadata\":{"
		  "\"name\":\"n\"},\"spec\":{\"metadata\":{}}}}\n",
		  "{\"type\":\"DELETED\",\"object\":{\"kind\":\"Foo\","
		  "\"metadata\":{" STAMP
		  ",\"name\":\"n\"},\"spec\":{\"metadata\":{}}}}\n" },
		{ "one with space in it",
		  "{ \"object\" : { \"metadata\" : {\t\"name\" : \"n\" } } }\n",
		  "{ \"object\" : { \"metadata\" : {" STAMP
		  ",\t\"name\" : \"n\" } } }\n" },
		{ "one without members", "{\"object\":{\"metadata\":{ }}}\n",
		  "{\"object\":{\"metadata\":{" STAMP " }}}\n" },
		{ "one that says null",
		  "{\"object\":{\"metadata\":{\"deletionTimestamp\":null,\"a\":1}}}\n",
		  "{\"object\":{\"metadata\":{" STAMP ",\"a\":1}}}\n" },
		{ "one that bears a time",
		  "{\"object\":{\"metadata\":{\"deletionTimestamp\":\"x\"}}}\n",
		  "{\"object\":{\"metadata\":{\"deletionTimestamp\":\"x\"}}}\n" },
		{ "one whose annotation says so",
		  "{\"object\":{\"metadata\":{\"annotations\":{"
		  "\"deletionTimestamp\":\"x\"}}}}\n",
		  "{\"object\":{\"metadata\":{" STAMP ",\"annotations\":{"
		  "\"deletionTimestamp\":\"x\"}}}}\n" },
		{ "the last metadata, which counts",
		  "{\"object\":{\"metadata\":{\"a\":1},\"metadata\":{\"b\":1}}}\n",
		  "{\"object\":{\"metadata\":{\"a\":1},\"metadata\":{" STAMP
		  ",\"b\":1}}}\n" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf out;

		buf_init(&out, 4096);
		ck_row(rows[i].name,
		       event_write_marked(&out, KUBE_JSON, slice_of(rows[i].frame),
					  AT_S) == 0);
		ck_row_slice(rows[i].name, buf_slice(&out), rows[i].marked);
		buf_finish(&out);
	}
}
END_TEST

/* Foo n, version 5, label l: 77, and a spec; as an item of a list is. */
#define PB_ITEM \
	SLICE_LITERAL("\x0a\x0f\x0a\x01n\x32\x01" \
		      "5Z\x07\x0a\x01l\x12\x02" \
		      "77\x12\x01s")

static void write_pb_frame(struct buf *out)
{
	const struct event_item item = { .type = WATCH_DELETED,
					 .object = PB_ITEM,
					 .kind = "Foo",
					 .api_version = "g/v1" };

	buf_init(out, 4096);
	ck_assert_int_eq(event_write_item(out, KUBE_PROTOBUF, &item), 0);
}

static bool is_deleting(enum kube_encoding encoding, struct slice frame)
{
	static const struct meta_keys none;
	struct arena *arena = arena_create();
	enum watch_event_type type;
	struct object_meta meta;
	struct slice object;
	struct err err = { "" };
	bool is_marked;

	ck_assert_int_eq(event_open(encoding, frame, &type, &object), 0);
	ck_assert_msg(meta_parse(&meta, arena, encoding, object, &none, &err) == 0,
		      "%s", err.text);
	is_marked = meta.is_deleting;
	arena_destroy(arena);
	return is_marked;
}

START_TEST(protobuf_object_is_given_a_time_and_keeps_all_else)
{
	struct frame_scanner scanner;
	struct event_head before, after;
	struct buf frame, marked;
	struct err err;
	size_t n;

	write_pb_frame(&frame);
	buf_init(&marked, 4096);
	ck_assert(!is_deleting(KUBE_PROTOBUF, buf_slice(&frame)));
	ck_assert_int_eq(
		event_write_marked(&marked, KUBE_PROTOBUF, buf_slice(&frame), AT_S), 0);
	frame_init(&scanner, KUBE_PROTOBUF);
	ck_assert_int_eq(frame_scan(&scanner, buf_slice(&marked), &n, &err), 1);
	ck_assert_uint_eq(n, marked.len);
	ck_assert(is_deleting(KUBE_PROTOBUF, buf_slice(&marked)));
	ck_assert_int_eq(event_read(&before, KUBE_PROTOBUF, buf_slice(&frame),
				    SLICE_LITERAL("l"), &err),
			 0);
	ck_assert_int_eq(event_read(&after, KUBE_PROTOBUF, buf_slice(&marked),
				    SLICE_LITERAL("l"), &err),
			 0);
	ck_assert_int_eq(before.type, after.type);
	ck_assert_uint_eq(before.version, after.version);
	ck_assert_str_eq(before.object, after.object);
	ck_assert_str_eq(before.label, after.label);
	/* Time{seconds} in field 9 of the metadata: 8 bytes more. */
	ck_assert_uint_eq(marked.len, frame.len + 8);
	ck_assert_int_eq(memcmp(marked.data + marked.len - 11,
				"\x4a\x06\x08\xa5\xeb\xdc\xca\x06\x12\x01s", 11),
			 0);
	buf_finish(&frame);
	buf_finish(&marked);
}
END_TEST

START_TEST(what_is_marked_already_stays_as_it_is)
{
	struct buf frame, once, twice;

	write_pb_frame(&frame);
	buf_init(&once, 4096);
	buf_init(&twice, 4096);
	ck_assert_int_eq(event_write_marked(&once, KUBE_PROTOBUF, buf_slice(&frame), 1),
			 0);
	ck_assert_int_eq(event_write_marked(&twice, KUBE_PROTOBUF, buf_slice(&once), 2),
			 0);
	ck_assert(slice_eq(buf_slice(&once), buf_slice(&twice)));
	buf_finish(&frame);
	buf_finish(&once);
	buf_finish(&twice);
}
END_TEST

START_TEST(what_has_no_metadata_leaves_nothing)
{
	static const struct {
		enum kube_encoding encoding;
		struct slice frame;
	} rows[] = {
		{ KUBE_JSON, SLICE_LITERAL("") },
		{ KUBE_JSON, SLICE_LITERAL("{\"type\":\"DELETED\"}\n") },
		{ KUBE_JSON, SLICE_LITERAL("{\"object\":{}}\n") },
		{ KUBE_JSON, SLICE_LITERAL("{\"object\":{\"metadata\":null}}\n") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\0") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\x04\x12\x02\x0a\x00") },
		{ KUBE_PROTOBUF,
		  SLICE_LITERAL("\0\0\0\x0a\x12\x08\x0a\x06k8s\0\x12\x00") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\x04\x12\x02\x0a\x07") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf out;

		buf_init(&out, 4096);
		ck_assert_int_eq(buf_append_text(&out, "before"), 0);
		ck_assert_msg(event_write_marked(&out, rows[i].encoding, rows[i].frame,
						 AT_S) == -EINVAL,
			      "row %zu", i);
		ck_assert_slice(buf_slice(&out), "before");
		buf_finish(&out);
	}
}
END_TEST

START_TEST(what_does_not_fit_leaves_nothing)
{
	struct buf frame;

	write_pb_frame(&frame);
	for (size_t cap = 0; cap < frame.len + 8; cap++) {
		struct buf out;

		buf_init(&out, cap);
		ck_assert_int_eq(event_write_marked(&out, KUBE_PROTOBUF,
						    buf_slice(&frame), AT_S),
				 -EMSGSIZE);
		ck_assert_uint_eq(out.len, 0);
		buf_finish(&out);
	}
	buf_finish(&frame);
}
END_TEST

UNIT_MAIN("kube/event_mark", json_object_is_given_a_time_and_keeps_all_else,
	  protobuf_object_is_given_a_time_and_keeps_all_else,
	  what_is_marked_already_stays_as_it_is, what_has_no_metadata_leaves_nothing,
	  what_does_not_fit_leaves_nothing)
