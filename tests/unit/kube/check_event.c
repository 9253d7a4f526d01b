#include "proxy/kube/event.h"

#include <errno.h>

#include "proxy/kube/frame.h"
#include "proxy/kube/pb.h"
#include "tests/unit/kube/rows.h"

#define LABEL SLICE_LITERAL("l")
#define OBJECT \
	"{\"metadata\":{\"name\":\"n\",\"resourceVersion\":\"5\",\"labels\":{\"l\":" \
	"\"77\"}},\"spec\":{\"resourceVersion\":\"no\"}}"

static struct buf out;

static void begin(void)
{
	buf_init(&out, 4096);
}

/* What was written is one frame, and reads as this. */
static void check_frame(enum kube_encoding encoding, enum watch_event_type type,
			uint64_t version, const char *label)
{
	struct frame_scanner scanner;
	struct event_head head;
	struct err err = { "" };
	size_t n;

	frame_init(&scanner, encoding);
	ck_assert_int_eq(frame_scan(&scanner, buf_slice(&out), &n, &err), 1);
	ck_assert_uint_eq(n, out.len);
	ck_assert_msg(event_read(&head, encoding, buf_slice(&out), LABEL, &err) == 0,
		      "%s", err.text);
	ck_assert_int_eq(head.type, type);
	ck_assert_uint_eq(head.version, version);
	ck_assert_int_eq(head.has_label, label != NULL);
	if (label != NULL)
		ck_assert_str_eq(head.label, label);
}

START_TEST(item_of_a_typed_list_is_given_its_kind)
{
	struct event_item item = { .type = WATCH_ADDED,
				   .object = SLICE_LITERAL(OBJECT),
				   .kind = "Foo",
				   .api_version = "g/v1" };

	begin();
	ck_assert_int_eq(event_write_item(&out, KUBE_JSON, &item), 0);
	ck_assert_slice(buf_slice(&out),
			"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Foo\","
			"\"apiVersion\":\"g/v1\",\"metadata\":{\"name\":\"n\","
			"\"resourceVersion\":\"5\",\"labels\":{\"l\":\"77\"}},"
			"\"spec\":{\"resourceVersion\":\"no\"}}}\n");
	check_frame(KUBE_JSON, WATCH_ADDED, 5, "77");
	buf_finish(&out);
}
END_TEST

START_TEST(deleted_item_has_the_version_of_its_deletion_and_keeps_all_else)
{
	struct event_item item = {
		.type = WATCH_DELETED,
		.object =
			SLICE_LITERAL("{\"kind\":\"Foo\",\n \"apiVersion\":\"g/v1\",\n"
				      "\"metadata\": {\"resourceVersion\": \"5\"}}"),
		.kind = "",
		.api_version = "",
		.version = "123",
	};

	begin();
	ck_assert_int_eq(event_write_item(&out, KUBE_JSON, &item), 0);
	ck_assert_slice(buf_slice(&out),
			"{\"type\":\"DELETED\",\"object\":{\"kind\":\"Foo\",  "
			"\"apiVersion\":\"g/v1\", \"metadata\": {\"resourceVersion\": "
			"\"123\"}}}\n");
	check_frame(KUBE_JSON, WATCH_DELETED, 123, NULL);
	buf_finish(&out);
}
END_TEST

START_TEST(protobuf_item_is_given_an_envelope_and_a_version)
{
	/* metadata {name n, resourceVersion 5, labels {l: 77}}, spec "s" */
	struct event_item item = {
		.object = SLICE_LITERAL("\x0a\x0f\x0a\x01n\x32\x01"
					"5Z\x07\x0a\x01l\x12\x02"
					"77\x12\x01s"),
		.kind = "Foo",
		.api_version = "g/v1",
	};

	begin();
	item.type = WATCH_ADDED;
	ck_assert_int_eq(event_write_item(&out, KUBE_PROTOBUF, &item), 0);
	check_frame(KUBE_PROTOBUF, WATCH_ADDED, 5, "77");
	buf_clear(&out);
	item.type = WATCH_DELETED;
	item.version = "12345";
	ck_assert_int_eq(event_write_item(&out, KUBE_PROTOBUF, &item), 0);
	check_frame(KUBE_PROTOBUF, WATCH_DELETED, 12345, "77");
	buf_finish(&out);
}
END_TEST

START_TEST(bookmark_says_a_version_and_a_kind)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF };
	const struct event_item of = { .kind = "Foo",
				       .api_version = "g/v1",
				       .version = "99" };

	for (int i = 0; i < 2; i++) {
		begin();
		ck_assert_int_eq(event_write_bookmark(&out, encodings[i], &of), 0);
		check_frame(encodings[i], WATCH_BOOKMARK, 99, NULL);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(item_that_cannot_be_an_event_leaves_nothing)
{
	static const struct {
		enum kube_encoding encoding;
		struct slice object;
		const char *kind, *version;
	} rows[] = {
		{ KUBE_JSON, SLICE_LITERAL(OBJECT), "", NULL },
		{ KUBE_JSON, SLICE_LITERAL("{\"spec\":{}}"), "Foo", "1" },
		{ KUBE_JSON, SLICE_LITERAL("{\"metadata\":{}}"), "Foo", "1" },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\x0a\x00"), "", NULL },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\x12\x01s"), "Foo", "1" },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\x0a\x09x"), "Foo", "1" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		const struct event_item item = { .type = WATCH_DELETED,
						 .object = rows[i].object,
						 .kind = rows[i].kind,
						 .api_version = "g/v1",
						 .version = rows[i].version };

		begin();
		ck_assert_msg(event_write_item(&out, rows[i].encoding, &item) ==
				      -EINVAL,
			      "row %zu", i);
		ck_assert_uint_eq(out.len, 0);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(what_is_no_event_is_an_error)
{
	static const struct {
		enum kube_encoding encoding;
		struct slice frame;
	} rows[] = {
		{ KUBE_JSON, SLICE_LITERAL("") },
		{ KUBE_JSON, SLICE_LITERAL("{}\n") },
		{ KUBE_JSON, SLICE_LITERAL("{\"type\":\"ADDED\"}\n") },
		{ KUBE_JSON,
		  SLICE_LITERAL("{\"type\":\"NEW\",\"object\":" OBJECT "}") },
		{ KUBE_JSON, SLICE_LITERAL("{\"type\":\"ADDED\",\"object\":{}}\n") },
		{ KUBE_JSON,
		  SLICE_LITERAL("{\"type\":\"ADDED\",\"object\":{\"a\"}}\n") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\x02\x0a\x05") },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\x07\x0a\x05"
					       "ADDED") },
	};
	struct event_head head;
	struct err err;

	for (size_t i = 0; i < ROWS(rows); i++)
		ck_assert_msg(event_read(&head, rows[i].encoding, rows[i].frame, LABEL,
					 &err) < 0,
			      "row %zu", i);
}
END_TEST

START_TEST(error_has_no_version)
{
	struct slice frame = SLICE_LITERAL(
		"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n");
	struct event_head head;
	struct err err;

	ck_assert_int_eq(event_read(&head, KUBE_JSON, frame, LABEL, &err), 0);
	ck_assert_int_eq(head.type, WATCH_ERROR);
	ck_assert_uint_eq(head.version, 0);
}
END_TEST

UNIT_MAIN("kube/event", item_of_a_typed_list_is_given_its_kind,
	  deleted_item_has_the_version_of_its_deletion_and_keeps_all_else,
	  protobuf_item_is_given_an_envelope_and_a_version,
	  bookmark_says_a_version_and_a_kind,
	  item_that_cannot_be_an_event_leaves_nothing, what_is_no_event_is_an_error,
	  error_has_no_version)
