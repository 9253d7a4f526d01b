#include <errno.h>
#include <stdlib.h>

#include "proxy/kube/pb.h"
#include "proxy/kube/rename.h"
#include "tests/unit/kube/scraps.h"

static const struct rename lock = { SLICE_LITERAL("lock"), SLICE_LITERAL("lock.a"),
				    false };

static void check_json(const char *text, const char *expected)
{
	struct buf out;
	struct err err;

	buf_init(&out, 4096);
	ck_assert_int_eq(rename_body(&out, KUBE_JSON, slice_of(text), &lock, &err), 0);
	ck_assert_msg(slice_is(buf_slice(&out), expected), "%s became %.*s", text,
		      SLICE_ARGS(buf_slice(&out)));
	buf_finish(&out);
}

START_TEST(rename_changes_the_name_and_no_other_byte)
{
	check_json("{\"metadata\" : {\"name\":\"lock\",\"uid\":\"lock\"},\n"
		   "\"spec\":{\"holderIdentity\":\"lock\",\"name\":\"lock\"}}",
		   "{\"metadata\" : {\"name\":\"lock.a\",\"uid\":\"lock\"},\n"
		   "\"spec\":{\"holderIdentity\":\"lock\",\"name\":\"lock\"}}");
	check_json("{\"metadata\":{\"name\":\"another\"}}",
		   "{\"metadata\":{\"name\":\"another\"}}");
	check_json(" {\"metadata\":{\"name\":\"l\\u006fck\"}}",
		   " {\"metadata\":{\"name\":\"lock.a\"}}");
	check_json(
		"{\"metadata\":{\"name\":\"lock\"},\"metadata\":{\"name\":\"lock\"}}",
		"{\"metadata\":{\"name\":\"lock.a\"},"
		"\"metadata\":{\"name\":\"lock.a\"}}");
	check_json("{\"metadata\":null,\"name\":\"lock\"}",
		   "{\"metadata\":null,\"name\":\"lock\"}");
}
END_TEST

START_TEST(rename_knows_lists_tables_and_events)
{
	check_json(
		"{\"items\":[{\"metadata\":{\"name\":\"lock\"}},"
		"{\"metadata\":{\"name\":\"x\"}}, {\"metadata\":{\"name\":\"lock\"}}]}",
		"{\"items\":[{\"metadata\":{\"name\":\"lock.a\"}},"
		"{\"metadata\":{\"name\":\"x\"}}, "
		"{\"metadata\":{\"name\":\"lock.a\"}}]}");
	check_json("{\"kind\":\"Table\",\"rows\":[{\"cells\":[\"lock\",\"h\",3],"
		   "\"object\":{\"metadata\":{\"name\":\"lock\"}}}]}",
		   "{\"kind\":\"Table\",\"rows\":[{\"cells\":[\"lock.a\",\"h\",3],"
		   "\"object\":{\"metadata\":{\"name\":\"lock.a\"}}}]}");
	check_json(
		"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"lock\"}}}\n",
		"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"lock.a\"}}}"
		"\n");
	check_json("{\"items\":[]}", "{\"items\":[]}");
}
END_TEST

START_TEST(rename_changes_a_status_and_words_of_its_message)
{
	check_json(
		"{\"kind\":\"Status\",\"message\":\"leases \\\"lock\\\" not found: "
		"lock, lock. block lock-2 lock.b\",\"details\":{\"name\":\"lock\","
		"\"kind\":\"lock\"}}",
		"{\"kind\":\"Status\",\"message\":\"leases \\\"lock.a\\\" not found: "
		"lock.a, lock.a. block lock-2 lock.b\",\"details\":{\"name\":"
		"\"lock.a\",\"kind\":\"lock\"}}");
}
END_TEST

START_TEST(rename_keeps_messages_where_it_is_told_to)
{
	const struct rename keeping = { lock.from, lock.to, true };
	const char *text = "{\"message\":\"lock\",\"details\":{\"name\":\"lock\"}}";
	struct buf out;
	struct err err;

	buf_init(&out, 4096);
	ck_assert_int_eq(rename_body(&out, KUBE_JSON, slice_of(text), &keeping, &err),
			 0);
	ck_assert(slice_is(buf_slice(&out),
			   "{\"message\":\"lock\",\"details\":{\"name\":\"lock.a\"}}"));
	buf_finish(&out);
}
END_TEST

START_TEST(rename_refuses_what_is_no_object_and_what_does_not_fit)
{
	static const char *const broken[] = {
		"", "[]", "{", "{]", "{\"items\":[1", "{\"metadata\":{}"
	};
	struct buf out;
	struct err err;

	buf_init(&out, 10);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		ck_assert_int_eq(
			rename_body(&out, KUBE_JSON, slice_of(broken[i]), &lock, &err),
			-EINVAL);
	ck_assert_int_eq(rename_body(&out, KUBE_PROTOBUF, slice_of("k8s"), &lock, &err),
			 -EINVAL);
	ck_assert_int_eq(rename_body(&out, KUBE_CBOR, slice_of("{}"), &lock, &err),
			 -ENOTSUP);
	ck_assert_int_eq(rename_body(&out, KUBE_JSON,
				     slice_of("{\"metadata\":{\"name\":\"lock\"}}"),
				     &lock, &err),
			 -EMSGSIZE);
	buf_finish(&out);
}
END_TEST

START_TEST(rename_has_a_bound_on_depth)
{
	struct buf text, out;
	struct err err;

	buf_init(&text, 4096);
	buf_init(&out, 4096);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(buf_append_text(&text, "{\"object\":"), 0);
	ck_assert_int_eq(buf_append_text(&text, "1"), 0);
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(buf_append_text(&text, "}"), 0);
	ck_assert_int_eq(rename_body(&out, KUBE_JSON, buf_slice(&text), &lock, &err),
			 -EINVAL);
	buf_finish(&text);
	buf_finish(&out);
}
END_TEST

/* --- protobuf --- */

/* metadata { name, uid } and an unknown field behind it. */
static void write_object(struct buf *out, const char *name)
{
	struct buf meta;

	buf_init(&meta, 256);
	ck_assert_int_eq(pb_write_bytes(&meta, 1, slice_of(name)), 0);
	ck_assert_int_eq(pb_write_bytes(&meta, 5, slice_of("lock")), 0);
	ck_assert_int_eq(pb_write_bytes(out, 1, buf_slice(&meta)), 0);
	ck_assert_int_eq(pb_write_bytes(out, 2, slice_of("lock")), 0);
	ck_assert_int_eq(pb_write_varint(out, 9, 300), 0);
	buf_finish(&meta);
}

static void write_body(struct buf *out, const char *kind, struct slice raw)
{
	ck_assert_int_eq(pb_write_envelope(out, "coordination.k8s.io/v1", kind, raw),
			 0);
}

static void write_lease(struct buf *out, const char *name)
{
	struct buf object;

	buf_init(&object, 256);
	write_object(&object, name);
	write_body(out, "Lease", buf_slice(&object));
	buf_finish(&object);
}

static void check_renamed(const struct buf *body, const struct buf *expected)
{
	struct buf out;
	struct err err;

	buf_init(&out, 4096);
	ck_assert_int_eq(rename_body(&out, KUBE_PROTOBUF, buf_slice(body), &lock, &err),
			 0);
	ck_assert(slice_eq(buf_slice(&out), buf_slice(expected)));
	buf_finish(&out);
}

START_TEST(rename_changes_the_name_in_protobuf)
{
	struct buf body, expected;

	buf_init(&body, 1024);
	buf_init(&expected, 1024);
	write_lease(&body, "lock");
	write_lease(&expected, "lock.a");
	check_renamed(&body, &expected);
	buf_clear(&body);
	buf_clear(&expected);
	write_lease(&body, "another");
	write_lease(&expected, "another");
	check_renamed(&body, &expected);
	buf_finish(&body);
	buf_finish(&expected);
}
END_TEST

static void write_list(struct buf *out, const char *first, const char *second)
{
	struct buf list, item;

	buf_init(&list, 1024);
	buf_init(&item, 256);
	ck_assert_int_eq(pb_write_bytes(&list, 1, slice_of("")), 0);
	write_object(&item, first);
	ck_assert_int_eq(pb_write_bytes(&list, 2, buf_slice(&item)), 0);
	buf_clear(&item);
	write_object(&item, second);
	ck_assert_int_eq(pb_write_bytes(&list, 2, buf_slice(&item)), 0);
	write_body(out, "LeaseList", buf_slice(&list));
	buf_finish(&item);
	buf_finish(&list);
}

static void write_status(struct buf *out, const char *message, const char *name)
{
	struct buf status, details;

	buf_init(&status, 1024);
	buf_init(&details, 256);
	ck_assert_int_eq(pb_write_bytes(&details, 1, slice_of(name)), 0);
	ck_assert_int_eq(pb_write_bytes(&details, 3, slice_of("lock")), 0);
	ck_assert_int_eq(pb_write_bytes(&status, 2, slice_of("Failure")), 0);
	ck_assert_int_eq(pb_write_bytes(&status, 3, slice_of(message)), 0);
	ck_assert_int_eq(pb_write_bytes(&status, 5, buf_slice(&details)), 0);
	ck_assert_int_eq(pb_write_varint(&status, 6, 404), 0);
	write_body(out, "Status", buf_slice(&status));
	buf_finish(&details);
	buf_finish(&status);
}

START_TEST(rename_knows_lists_and_status_in_protobuf)
{
	struct buf body, expected;

	buf_init(&body, 2048);
	buf_init(&expected, 2048);
	write_list(&body, "lock", "x");
	write_list(&expected, "lock.a", "x");
	check_renamed(&body, &expected);
	buf_clear(&body);
	buf_clear(&expected);
	write_status(&body, "leases \"lock\" not found", "lock");
	write_status(&expected, "leases \"lock.a\" not found", "lock.a");
	check_renamed(&body, &expected);
	buf_finish(&body);
	buf_finish(&expected);
}
END_TEST

static void write_frame(struct buf *out, const char *name)
{
	struct buf lease, raw, event;
	char length[4] = { 0 };

	buf_init(&lease, 1024);
	buf_init(&raw, 1024);
	buf_init(&event, 1024);
	write_lease(&lease, name);
	ck_assert_int_eq(pb_write_bytes(&raw, 1, buf_slice(&lease)), 0);
	ck_assert_int_eq(pb_write_bytes(&event, 1, slice_of("ADDED")), 0);
	ck_assert_int_eq(pb_write_bytes(&event, 2, buf_slice(&raw)), 0);
	ck_assert_uint_lt(event.len, 256);
	length[3] = (char)event.len;
	ck_assert_int_eq(buf_append(out, slice_make(length, 4)), 0);
	ck_assert_int_eq(buf_append(out, buf_slice(&event)), 0);
	buf_finish(&lease);
	buf_finish(&raw);
	buf_finish(&event);
}

START_TEST(rename_changes_a_frame_of_protobuf_and_its_length)
{
	struct buf frame, expected, out;
	struct err err;

	buf_init(&frame, 1024);
	buf_init(&expected, 1024);
	buf_init(&out, 1024);
	write_frame(&frame, "lock");
	write_frame(&expected, "lock.a");
	ck_assert_int_eq(
		rename_frame(&out, KUBE_PROTOBUF, buf_slice(&frame), &lock, &err), 0);
	ck_assert(slice_eq(buf_slice(&out), buf_slice(&expected)));
	buf_finish(&frame);
	buf_finish(&expected);
	buf_finish(&out);
}
END_TEST

START_TEST(rename_survives_any_text)
{
	uint32_t seed = 1;

	for (int i = 0; i < 20000; i++) {
		struct slice text = scrap_make(&seed);
		struct buf out;
		struct err err;

		buf_init(&out, 4096);
		(void)rename_body(&out, KUBE_JSON, text, &lock, &err);
		(void)rename_body(&out, KUBE_PROTOBUF, text, &lock, &err);
		buf_finish(&out);
		free((char *)(uintptr_t)text.data);
	}
}
END_TEST

UNIT_MAIN("kube/rename", rename_changes_the_name_and_no_other_byte,
	  rename_knows_lists_tables_and_events,
	  rename_changes_a_status_and_words_of_its_message,
	  rename_keeps_messages_where_it_is_told_to,
	  rename_refuses_what_is_no_object_and_what_does_not_fit,
	  rename_has_a_bound_on_depth, rename_changes_the_name_in_protobuf,
	  rename_knows_lists_and_status_in_protobuf,
	  rename_changes_a_frame_of_protobuf_and_its_length, rename_survives_any_text)
