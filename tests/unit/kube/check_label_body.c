#include "proxy/kube/label_body.h"

#include <errno.h>

#include "proxy/kube/meta.h"
#include "proxy/kube/pb.h"
#include "tests/unit/kube/rows.h"
#include "tests/unit/kube/scraps.h"

#define KEY "k"
#define SET \
	{ \
		"5", 1 \
	}
#define OUT \
	{ \
		NULL, 0 \
	}
#define BYTES(text) slice_make(text, sizeof(text) - 1)

struct row {
	const char *body;
	struct slice value;
	const char *edited; /* NULL: it stays; "" in front of what refuses */
	const char *says;   /* of an error */
};

static void check_rows(const struct row *rows, size_t n, const struct label_edit *how)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *arena = arena_create();
		struct label_edit edit = *how;
		struct err err;
		struct slice out;
		int rc;

		edit.body = slice_of(rows[i].body);
		edit.key = slice_of(KEY);
		edit.value = rows[i].value;
		rc = label_body_edit(&out, arena, &edit, &err);
		if (rows[i].says) {
			ck_row(rows[i].body, rc < 0);
			ck_row(rows[i].body, strstr(err.text, rows[i].says));
		} else {
			ck_row(rows[i].body, rc == 0);
			ck_row_slice(rows[i].body, out,
				     rows[i].edited ? rows[i].edited : rows[i].body);
			ck_row(rows[i].body,
			       (out.data == edit.body.data) == !rows[i].edited);
		}
		arena_destroy(arena);
	}
}

START_TEST(an_object_gets_the_label_and_keeps_its_other_bytes)
{
	static const struct row rows[] = {
		{ "{\"metadata\":{\"labels\":{}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ " {\"spec\" : 1,\n\"metadata\": { \"labels\": "
		  "{ \"a\" : \"b\" } } }\n",
		  SET,
		  " {\"spec\" : 1,\n\"metadata\": { \"labels\": {\"k\":\"5\", "
		  "\"a\" : \"b\" } } }\n" },
		{ "{\"metadata\":{\"name\":\"x\"}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"},\"name\":\"x\"}}" },
		{ "{\"metadata\":{\"labels\":null}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"metadata\":null}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{}", SET, "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"kind\":\"Foo\"}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}},\"kind\":\"Foo\"}" },
		/* A claim is overwritten, a true one stays. */
		{ "{\"metadata\":{\"labels\":{\"a\":\"b\",\"k\" : \"7\",\"c\":\"d\"}}}",
		  SET,
		  "{\"metadata\":{\"labels\":{\"a\":\"b\",\"k\":\"5\",\"c\":\"d\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"k\":null}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"\\u006b\":\"7\"}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"k\" :  \"5\"}}}", SET, NULL },
		/* Equal keys: the last counts. */
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\"},\"labels\":{\"a\":\"b\"}}}",
		  SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"7\"},\"labels\":{\"k\":\"5\","
		  "\"a\":\"b\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"k\":\"5\",\"k\":\"7\"}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\",\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":{}},\"metadata\":{\"name\":\"x\"}}", SET,
		  "{\"metadata\":{\"labels\":{}},\"metadata\":{\"labels\":"
		  "{\"k\":\"5\"},"
		  "\"name\":\"x\"}}" },
		/* Only the object's own metadata. */
		{ "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"k\":\"7\"}}}},"
		  "\"metadata\":{}}",
		  SET,
		  "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"k\":\"7\"}}}},"
		  "\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "[]", SET, NULL, "expected an object" },
	};
	struct label_edit how = { .encoding = KUBE_JSON, .form = LABEL_IN_OBJECT };

	check_rows(rows, ROWS(rows), &how);
	how.encoding = KUBE_YAML;
	check_rows(rows, ROWS(rows), &how);
}
END_TEST

START_TEST(a_claim_is_taken_out_of_an_object_that_belongs_to_nobody)
{
	static const struct row rows[] = {
		{ "{\"metadata\":{\"labels\":{ \"k\":\"7\" }}}", OUT,
		  "{\"metadata\":{\"labels\":{}}}" },
		{ "{\"metadata\":{\"labels\":{\"a\": \"b\", \"k\":\"7\",\"c\":1}}}",
		  OUT, "{\"metadata\":{\"labels\":{\"a\": \"b\",\"c\":1}}}" },
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\",\"\\u006b\":\"8\"}}}", OUT,
		  "{\"metadata\":{\"labels\":{}}}" },
		{ "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}", OUT, NULL },
		{ "{\"metadata\":{\"labels\":null}}", OUT, NULL },
		{ "{\"metadata\":{}}", OUT, NULL },
		{ "{}", OUT, NULL },
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\"},\"labels\":{}}}", OUT, NULL,
		  "twice" },
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\"}},\"metadata\":{}}", OUT,
		  NULL, "twice" },
	};
	struct label_edit how = { .encoding = KUBE_JSON, .form = LABEL_IN_OBJECT };

	check_rows(rows, ROWS(rows), &how);
}
END_TEST

START_TEST(a_merge_patch_is_edited_only_where_it_would_change_the_label)
{
	static const struct slice keys[] = { { "a", 1 }, { KEY, 1 }, { "b\"", 2 } };
	static const struct row rows[] = {
		{ "{\"spec\":{}}", SET, NULL },
		{ "{\"metadata\":{\"labels\":{\"a\":null}}}", SET, NULL },
		{ "{\"metadata\":{\"labels\":{}}}", SET, NULL },
		{ "{\"metadata\":{\"labels\":{\"k\":null,\"a\":\"b\"}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\",\"a\":\"b\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\"}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":null,\"name\":\"x\"}}", SET,
		  "{\"metadata\":{\"labels\":{\"a\":null,\"b\\\"\":null,\"k\":\"5\"},"
		  "\"name\":\"x\"}}" },
		/* Of no name: the API server refuses it. */
		{ "{\"metadata\":null}", SET, NULL },
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\"}}}", OUT,
		  "{\"metadata\":{\"labels\":{\"k\":null}}}" },
		{ "{\"metadata\":{\"labels\":{\"a\":\"7\"}}}", OUT, NULL },
		{ "{\"metadata\":{\"labels\":null}}", OUT, NULL },
		{ "[]", SET, NULL, "expected an object" },
	};
	static const struct row forced[] = {
		{ "{\"metadata\":{\"ownerReferences\":[]}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"},\"ownerReferences\":[]}}" },
		{ "{\"metadata\":{\"labels\":{\"a\":null}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\",\"a\":null}}}" },
	};
	struct label_edit how = { .encoding = KUBE_JSON,
				  .form = LABEL_IN_MERGE_PATCH,
				  .keys = keys,
				  .keys_n = ROWS(keys) };

	check_rows(rows, ROWS(rows), &how);
	how.is_forced = true;
	check_rows(forced, ROWS(forced), &how);
	ck_assert(label_body_drops_all(
		slice_of("{\"metadata\":{\"name\":\"x\",\"labels\":null}}")));
	ck_assert(!label_body_drops_all(slice_of("{\"metadata\":{\"labels\":{}}}")));
	ck_assert(!label_body_drops_all(slice_of("{\"labels\":null}")));
	ck_assert(!label_body_drops_all(slice_of("")));
}
END_TEST

START_TEST(a_strategic_patch_and_its_directives_cannot_drop_the_label)
{
	static const struct row rows[] = {
		{ "{\"spec\":{\"x\":{\"$patch\":\"replace\"}}}", SET, NULL },
		{ "{\"metadata\":{\"labels\":{\"a\":null}}}", SET, NULL },
		{ "{\"metadata\":{\"labels\":{\"k\":null}}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":null}}", SET,
		  "{\"metadata\":{\"labels\":{\"$patch\":\"replace\",\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"$patch\":\"delete\"}}}", SET,
		  "{\"metadata\":{\"labels\":{\"$patch\":\"replace\",\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"labels\":{\"$patch\":\"replace\",\"a\":\"b\"}}}",
		  SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\",\"$patch\":\"replace\","
		  "\"a\":\"b\"}}}" },
		{ "{\"metadata\":{\"$patch\":\"replace\",\"name\":\"x\"}}", SET,
		  "{\"metadata\":{\"labels\":{\"k\":\"5\"},\"$patch\":\"replace\","
		  "\"name\":\"x\"}}" },
		{ "{\"$patch\":\"replace\",\"metadata\":{}}", SET,
		  "{\"$patch\":\"replace\",\"metadata\":{\"labels\":{\"k\":\"5\"}}}" },
		{ "{\"metadata\":{\"$retainKeys\":[\"name\"]}}", SET, NULL,
		  "$retainKeys" },
		{ "{\"metadata\":{\"labels\":{\"$retainKeys\":[\"a\"]}}}", SET, NULL,
		  "$retainKeys" },
		{ "{\"metadata\":{\"labels\":{\"k\":\"7\"}}}", OUT,
		  "{\"metadata\":{\"labels\":{\"k\":null}}}" },
	};
	struct label_edit how = { .encoding = KUBE_JSON,
				  .form = LABEL_IN_STRATEGIC_PATCH };

	check_rows(rows, ROWS(rows), &how);
}
END_TEST

#define OP(op, path) "{\"op\":\"" op "\",\"path\":\"" path "\"}"
#define OP_VALUE(op, path, value) \
	"{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}"
#define MEND OP_VALUE("add", "/metadata/labels/k", "\"5\"")
#define MEND_ALL OP_VALUE("add", "/metadata/labels", "{\"k\":\"5\"}")

#define TAKE OP("remove", "/metadata/labels/k")

START_TEST(a_json_patch_that_touches_the_label_gets_one_more_operation)
{
	static const struct row rows[] = {
		{ "[]", SET, NULL },
		{ "[" OP_VALUE("add", "/spec/x", "1") "]", SET, NULL },
		{ "[" OP("remove", "/metadata/labels/a") "]", SET, NULL },
		{ "[" OP("remove", "/metadata/labels/k~1x") "]", SET, NULL },
		{ "[" OP("test", "/metadata/labels/k") "]", SET, NULL },
		{ "[" OP("remove", "labels") "]", SET, NULL },
		{ " [ " OP("remove", "/metadata/labels/k") " ]\n", SET,
		  " [ " OP("remove", "/metadata/labels/k") " ," MEND "]\n" },
		{ "[" OP_VALUE("replace", "/metadata/labels/k", "\"7\"") "]", SET,
		  "[" OP_VALUE("replace", "/metadata/labels/k", "\"7\"") "," MEND "]" },
		{ "[" OP("remove", "/metadata/labels") "]", SET,
		  "[" OP("remove", "/metadata/labels") "," MEND_ALL "]" },
		{ "[" OP("remove", "x/metadata/labels") "]", SET,
		  "[" OP("remove", "x/metadata/labels") "," MEND_ALL "]" },
		{ "[" OP_VALUE("add", "/metadata/labels", "null") "]", SET,
		  "[" OP_VALUE("add", "/metadata/labels", "null") "," MEND_ALL "]" },
		{ "[" OP_VALUE("replace", "/metadata/labels", "{\"a\":\"b\"}") "]", SET,
		  "[" OP_VALUE("replace", "/metadata/labels", "{\"a\":\"b\"}") "," MEND
									       "]" },
		{ "[" OP("remove", "/metadata/labels") "," OP_VALUE(
			  "add", "/metadata/labels", "{}") "]",
		  SET,
		  "[" OP("remove", "/metadata/labels") "," OP_VALUE(
			  "add", "/metadata/labels", "{}") "," MEND "]" },
		{ "[{\"op\":\"move\",\"from\":\"/metadata/labels/k\",\"path\":\"/x\"}]",
		  SET,
		  "[{\"op\":\"move\",\"from\":\"/metadata/labels/k\","
		  "\"path\":\"/x\"}," MEND "]" },
		{ "[{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"/metadata/labels/k\"}]",
		  SET,
		  "[{\"op\":\"copy\",\"from\":\"/x\","
		  "\"path\":\"/metadata/labels/k\"}," MEND "]" },
		{ "[" OP_VALUE("add", "/metadata/labels/k", "\"7\"") "]", OUT,
		  "[" OP_VALUE("add", "/metadata/labels/k", "\"7\"") "," TAKE "]" },
		{ "[" OP_VALUE("add", "/metadata/labels", "{\"a\":\"b\"}") "]", OUT,
		  NULL },
		{ "[" OP_VALUE("add", "/metadata/labels", "{\"k\":\"7\"}") "]", OUT,
		  "[" OP_VALUE("add", "/metadata/labels", "{\"k\":\"7\"}") "," TAKE
									   "]" },
		{ "[" OP("remove", "/metadata/labels/k") "]", OUT, NULL },
		{ "[" OP("remove", "/metadata/labels") "]", OUT, NULL },
		{ "{}", SET, NULL, "expected an array" },
		{ "[", SET, NULL, "JSON" },
	};
	struct label_edit how = { .encoding = KUBE_JSON, .form = LABEL_IN_JSON_PATCH };

	check_rows(rows, ROWS(rows), &how);
}
END_TEST

#define WHOLE(labels) OP_VALUE("replace", "/metadata", "{\"name\":\"x\"" labels "}")
#define ROOT(labels) OP_VALUE("add", "", "{\"metadata\":{\"name\":\"x\"" labels "}}")
#define A ",\"labels\":{\"a\":\"b\"}"
#define K ",\"labels\":{\"k\":\"7\"}"
#define COPY(path) \
	"{\"op\":\"copy\",\"from\":\"/x\",\"path\":\"" path "\",\"value\":{}}"

START_TEST(a_json_patch_of_the_whole_metadata_is_edited_where_it_says_what_is_left)
{
	static const struct row rows[] = {
		{ "[" WHOLE(A) "]", SET, "[" WHOLE(A) "," MEND "]" },
		{ "[" WHOLE(K) "]", SET, "[" WHOLE(K) "," MEND "]" },
		{ "[" WHOLE("") "]", SET, "[" WHOLE("") "," MEND_ALL "]" },
		{ "[" WHOLE(",\"labels\":null") "]", SET,
		  "[" WHOLE(",\"labels\":null") "," MEND_ALL "]" },
		{ "[" ROOT(A) "]", SET, "[" ROOT(A) "," MEND "]" },
		{ "[" ROOT("") "]", SET, "[" ROOT("") "," MEND_ALL "]" },
		{ "[" WHOLE(A) "," OP("remove", "/metadata/labels") "]", SET,
		  "[" WHOLE(A) "," OP("remove", "/metadata/labels") "," MEND_ALL "]" },
		{ "[" OP("remove", "/metadata") "," WHOLE(A) "]", SET,
		  "[" OP("remove", "/metadata") "," WHOLE(A) "," MEND "]" },
		{ "[" WHOLE(K) "]", OUT, "[" WHOLE(K) "," TAKE "]" },
		{ "[" WHOLE(A) "]", OUT, NULL },
		{ "[" OP("remove", "/metadata") "]", SET, NULL, "cannot tell" },
		{ "[" OP_VALUE("replace", "/metadata", "7") "]", SET, NULL,
		  "cannot tell" },
		{ "[" OP_VALUE("replace", "", "{}") "]", SET, NULL, "cannot tell" },
		{ "[" WHOLE(",\"labels\":7") "]", SET, NULL, "cannot tell" },
		{ "[" OP_VALUE("add", "/metadata/labels", "[]") "]", SET, NULL,
		  "cannot tell" },
		{ "[" OP("add", "/metadata") "]", SET, NULL, "cannot tell" },
		{ "[" COPY("/metadata") "]", SET, NULL, "cannot tell" },
		{ "[" COPY("/metadata/labels") "]", SET, NULL, "cannot tell" },
		{ "[" COPY("/metadata/labels") "]", OUT, NULL, "cannot tell" },
	};
	struct label_edit how = { .encoding = KUBE_JSON, .form = LABEL_IN_JSON_PATCH };

	check_rows(rows, ROWS(rows), &how);
}
END_TEST

/* --- protobuf --- */

/* typeMeta v1 Secret; raw: metadata{name x, labels a=b}, data 0x12; contentType. */
#define TYPE "k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret"
#define RAW \
	"\x0a\x0b\x0a\x01xZ\x06\x0a\x01" \
	"a\x12\x01" \
	"b\x12\x00"
#define TAIL \
	"\"\x04" \
	"json"

START_TEST(protobuf_gets_a_second_metadata_and_keeps_its_other_bytes)
{
	static const char body[] = TYPE "\x12\x0f" RAW TAIL;
	static const char edited[] = TYPE "\x12\x19" RAW
					  "\x0a\x08Z\x06\x0a\x01k\x12\x01"
					  "5" TAIL;
	struct label_edit edit = { .body = BYTES(body),
				   .encoding = KUBE_PROTOBUF,
				   .key = SLICE_LITERAL(KEY),
				   .value = SLICE_LITERAL("5") };
	struct arena *arena = arena_create();
	struct slice out;
	struct err err;

	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), 0);
	ck_assert_uint_eq(out.len, sizeof(edited) - 1);
	ck_assert(memcmp(out.data, edited, out.len) == 0);
	/* And the label goes again, wherever it stands. */
	edit.body = out;
	edit.value = (struct slice){ 0 };
	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), 0);
	ck_assert_uint_eq(out.len, sizeof(body) + 1);
	ck_assert(memcmp(out.data + 18, "\x12\x11" RAW "\x0a\x00" TAIL, 25) == 0);
	edit.body = BYTES(body);
	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), 0);
	ck_assert_ptr_eq(out.data, edit.body.data);
	arena_destroy(arena);
}
END_TEST

/* Generated decoders let the last one win, and so do we. */
START_TEST(protobuf_with_two_raw_objects_is_edited_in_the_last)
{
	static const char body[] = TYPE "\x12\x02\x12\x00\x12\x0f" RAW;
	static const char edited[] = "\x12\x02\x12\x00\x12\x19" RAW;
	struct label_edit edit = { .body = BYTES(body),
				   .encoding = KUBE_PROTOBUF,
				   .key = SLICE_LITERAL(KEY),
				   .value = SLICE_LITERAL("5") };
	struct arena *arena = arena_create();
	struct slice out;
	struct err err;

	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), 0);
	ck_assert_uint_eq(out.len, sizeof(body) - 1 + 10);
	ck_assert(memcmp(out.data + 18, edited, sizeof(edited) - 1) == 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(protobuf_that_is_no_object_is_refused_wherever_it_is_cut)
{
	static const char body[] = TYPE "\x12\x0f" RAW TAIL;
	struct label_edit edit = { .encoding = KUBE_PROTOBUF,
				   .key = SLICE_LITERAL(KEY),
				   .value = SLICE_LITERAL("5") };
	struct arena *arena = arena_create();
	struct slice out;
	struct err err;

	for (size_t n = 0; n < sizeof(body) - 1; n++) {
		char *cut = malloc(n + 1);

		ck_assert_ptr_nonnull(cut);
		memcpy(cut, body, n);
		edit.body = slice_make(cut, n);
		/* Behind the raw object the envelope may end. */
		ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err) == 0,
				 n == 35);
		free(cut);
	}
	edit.form = LABEL_IN_MERGE_PATCH;
	edit.body = BYTES(body);
	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), -ENOTSUP);
	edit.encoding = KUBE_CBOR;
	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), -ENOTSUP);
	arena_destroy(arena);
}
END_TEST

/* --- what holds of any body --- */

static void check_random_body(struct arena *arena, struct slice body)
{
	struct label_edit edit = { .body = body,
				   .encoding = KUBE_JSON,
				   .key = SLICE_LITERAL(KEY),
				   .value = SLICE_LITERAL("5") };
	const struct meta_keys keys = { .label = edit.key };
	struct object_meta before, meta;
	struct slice out, again;
	struct err err;

	for (int form = 0; form <= LABEL_IN_JSON_PATCH; form++) {
		edit.form = (enum label_form)form;
		(void)label_body_edit(&out, arena, &edit, &err);
	}
	edit.form = LABEL_IN_OBJECT;
	if (meta_parse(&before, arena, KUBE_JSON, body, &keys, &err) < 0)
		return;
	ck_assert_int_eq(label_body_edit(&out, arena, &edit, &err), 0);
	ck_assert_int_eq(meta_parse(&meta, arena, KUBE_JSON, out, &keys, &err), 0);
	ck_assert_slice(meta.label, "5");
	edit.body = out;
	ck_assert_int_eq(label_body_edit(&again, arena, &edit, &err), 0);
	ck_assert_ptr_eq(again.data, out.data);
	edit.value = (struct slice){ 0 };
	if (label_body_edit(&out, arena, &edit, &err) == 0) {
		ck_assert_int_eq(meta_parse(&meta, arena, KUBE_JSON, out, &keys, &err),
				 0);
		ck_assert(!meta.has_label);
	}
}

START_TEST(whatever_the_body_the_label_reads_as_it_was_set)
{
	uint32_t seed = 11;

	for (int round = 0; round < 12000; round++) {
		struct arena *arena = arena_create();
		struct slice scrap = scrap_make(&seed);

		check_random_body(arena, scrap);
		free((void *)scrap.data);
		arena_destroy(arena);
	}
}
END_TEST

UNIT_MAIN("kube/label_body", an_object_gets_the_label_and_keeps_its_other_bytes,
	  a_claim_is_taken_out_of_an_object_that_belongs_to_nobody,
	  a_merge_patch_is_edited_only_where_it_would_change_the_label,
	  a_strategic_patch_and_its_directives_cannot_drop_the_label,
	  a_json_patch_that_touches_the_label_gets_one_more_operation,
	  a_json_patch_of_the_whole_metadata_is_edited_where_it_says_what_is_left,
	  protobuf_gets_a_second_metadata_and_keeps_its_other_bytes,
	  protobuf_with_two_raw_objects_is_edited_in_the_last,
	  protobuf_that_is_no_object_is_refused_wherever_it_is_cut,
	  whatever_the_body_the_label_reads_as_it_was_set)
