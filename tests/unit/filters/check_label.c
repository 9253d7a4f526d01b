/* What filter_label wants, which bucket it writes, and where it refuses. */
#include "tests/unit/filters/writes.h"

#define OBJECT FILTER_NEEDS_OBJECT
#define BODY FILTER_NEEDS_BODY
#define OWNER FILTER_NEEDS_OWNER
#define LABELS FILTER_NEEDS_LABELS
#define STRATEGIC "application/strategic-merge-patch+json"
#define JSON_PATCH "application/json-patch+json"
#define PROTOBUF "application/vnd.kubernetes.protobuf"

START_TEST(label_wants_to_know_whose_the_object_is)
{
	static const struct {
		const char *method, *target, *type;
		unsigned needs;
	} rows[] = {
		{ "GET", FOOS "/x", "", 0 },
		{ "GET", FOOS "?watch=1", "", 0 },
		{ "POST", "/api/v1/namespaces/ns/pods", JSON, 0 },
		{ "POST", FOOS, JSON, BODY },
		{ "POST", DEPLOYMENTS, PROTOBUF, BODY | OWNER },
		{ "PUT", FOOS "/x", JSON, BODY | OBJECT },
		{ "PUT", DEPLOYMENTS "/x?dryRun=All", JSON, BODY | OBJECT | OWNER },
		{ "PATCH", FOOS "/x", APPLY, BODY | OBJECT },
		{ "PATCH", DEPLOYMENTS "/x", APPLY, BODY | OBJECT | OWNER },
		{ "PATCH", DEPLOYMENTS "/x", STRATEGIC, BODY | OBJECT | OWNER },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, BODY | OBJECT | OWNER | LABELS },
		{ "PATCH", DEPLOYMENTS "/x", JSON_PATCH, BODY | OBJECT },
		/* No patch: the API server refuses it. */
		{ "PATCH", DEPLOYMENTS "/x", JSON, 0 },
		/* Subresources, and what has no object in its body. */
		{ "PUT", DEPLOYMENTS "/x/status", JSON, 0 },
		{ "PUT", DEPLOYMENTS "/x/scale", JSON, 0 },
		{ "PATCH", FOOS "/x/status", APPLY, 0 },
		{ "POST", DEPLOYMENTS "/x/eviction", JSON, 0 },
		{ "DELETE", DEPLOYMENTS "/x", JSON, 0 },
		{ "DELETE", FOOS, JSON, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		desk_open(&desk, rows[i].method, rows[i].target);
		desk.call.content_type = slice_of(rows[i].type);
		ck_assert_msg(filter_label.wants(&desk.call) == rows[i].needs,
			      "row %zu: %s %s", i, rows[i].method, rows[i].target);
		desk_close(&desk);
	}
}
END_TEST

/* The label that the body would leave with: -1 if it has none. */
static int label_of(const struct desk *desk)
{
	const struct filter_call *call = &desk->call;
	struct slice body = call->is_edited ? call->edited : call->bytes;
	struct object_meta meta;
	struct err err;

	ck_assert_int_eq(meta_parse(&meta, desk->arena, KUBE_JSON, body,
				    &desk->spec.resources[0].keys, &err),
			 0);
	return meta.has_label ? atoi(meta.label.data) : -1;
}

static void open_body(struct desk *desk, const struct row *row, const char *body)
{
	struct err err;

	open_row(desk, row);
	desk->call.label = BUCKET_NONE;
	desk->call.bytes = slice_of(body);
	desk->call.body = NULL;
	if (meta_parse(&desk->body, desk->arena,
		       encoding_of_content_type(desk->call.content_type),
		       desk->call.bytes, &desk->spec.resources[0].keys, &err) == 0)
		desk->call.body = &desk->body;
}

/* bucket: the label that leaves with this body. */
static void check_labels(const struct row *rows, size_t n, const char *body)
{
	for (size_t i = 0; i < n; i++) {
		struct desk desk;

		open_body(&desk, &rows[i], body);
		ck_assert_int_eq(filter_label.on_request(&desk.call), FILTER_PASS);
		ck_assert_msg(label_of(&desk) == rows[i].bucket, "row %zu: %s %s: %d",
			      i, rows[i].method, rows[i].target, label_of(&desk));
		desk_close(&desk);
	}
}

#define CLAIM "{\"metadata\":{\"name\":\"x\",\"labels\":{\"" L "\":\"7\"}}}"
#define PLAIN "{\"metadata\":{\"name\":\"x\"}}"

START_TEST(label_is_the_owners_else_the_objects_and_never_the_bodys)
{
	static const struct row rows[] = {
		{ "POST", DEPLOYMENTS, JSON, UNKNOWN, AT(1), 1 },
		{ "POST", DEPLOYMENTS, JSON, UNKNOWN, FOREIGN, -1 },
		{ "PUT", DEPLOYMENTS "/x", JSON, AT(1), FOREIGN, 1 },
		{ "PUT", DEPLOYMENTS "/x", JSON, AT(1), AT(2), 2 },
		{ "PUT", DEPLOYMENTS "/x", JSON, FOREIGN, AT(2), 2 },
		{ "PUT", DEPLOYMENTS "/x", JSON, FOREIGN, FOREIGN, -1 },
		{ "PUT", DEPLOYMENTS "/x", JSON, ABSENT, AT(2), 2 },
		{ "PUT", FOOS "/x", JSON, AT(1), UNKNOWN, 1 },
		{ "PATCH", FOOS "/x", APPLY, AT(1), UNKNOWN, 1 },
		{ "PATCH", DEPLOYMENTS "/x", APPLY, ABSENT, AT(2), 2 },
		/* Who manages the label must not meet the client in a conflict. */
		{ "PATCH", DEPLOYMENTS "/x", APPLY, AT(1), AT(2), 1 },
		{ "PATCH", DEPLOYMENTS "/x?force=true", APPLY, AT(1), AT(2), 2 },
	};
	static const struct row patches[] = {
		{ "PATCH", DEPLOYMENTS "/x", MERGE, AT(1), FOREIGN, 1 },
		{ "PATCH", DEPLOYMENTS "/x", STRATEGIC, AT(1), AT(2), 2 },
		{ "PATCH", FOOS "/x", MERGE, AT(1), UNKNOWN, 1 },
	};
	static const struct row silent[] = {
		{ "PATCH", DEPLOYMENTS "/x", MERGE, AT(1), FOREIGN, -1 },
		{ "PATCH", FOOS "/x", STRATEGIC, AT(1), UNKNOWN, -1 },
		{ "PATCH", DEPLOYMENTS "/x", STRATEGIC, FOREIGN, AT(1), 1 },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, FOREIGN, FOREIGN, -1 },
	};

	check_labels(rows, COUNT(rows), CLAIM);
	check_labels(rows, COUNT(rows), PLAIN);
	check_labels(patches, COUNT(patches), CLAIM);
	check_labels(silent, COUNT(silent), PLAIN);
}
END_TEST

/* The first name whose placement is, or is not, one of ours. */
static const char *name_placed(struct desk *desk, bool is_ours, int *bucket)
{
	for (int i = 0;; i++) {
		char *name = arena_printf(desk->arena, "foo-%d", i);
		struct object_key key = { .group = slice_of("samplecontroller.k8s.io"),
					  .resource = slice_of("foos"),
					  .namespace = slice_of("ns"),
					  .name = slice_of(name) };

		*bucket = bucket_place(desk->spec.placement, 8, &key);
		if ((*bucket <= 2) == is_ours)
			return name;
	}
}

START_TEST(label_of_a_new_main_object_is_its_placement_or_another_of_ours)
{
	static const struct row rows[] = {
		{ "POST", FOOS, JSON, UNKNOWN, UNKNOWN },
		{ "PATCH", FOOS "/x", APPLY, ABSENT, UNKNOWN },
	};

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct desk desk;
		int bucket;

		open_body(&desk, &rows[i / 2], CLAIM);
		desk.body.name = slice_of(name_placed(&desk, i % 2, &bucket));
		if (desk.request.name.len > 0)
			desk.request.name = desk.body.name;
		ck_assert_int_eq(filter_label.on_request(&desk.call), FILTER_PASS);
		ck_assert_int_eq(desk.call.label, label_of(&desk));
		if (i % 2)
			ck_assert_int_eq(desk.call.label, bucket);
		else
			ck_assert_int_eq(desk.call.label, bucket % 3);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(label_of_a_generated_name_is_any_of_ours)
{
	static const struct row row = { "POST", FOOS, JSON, UNKNOWN, UNKNOWN };

	for (uint64_t random = 0; random < 6; random++) {
		struct desk desk;

		open_body(&desk, &row, "{\"metadata\":{\"generateName\":\"foo-\"}}");
		desk.call.random = random;
		ck_assert_int_eq(filter_label.on_request(&desk.call), FILTER_PASS);
		ck_assert_int_eq(desk.call.label, (int)(random % 3));
		desk.ring.owned = buckets("");
		ck_assert_int_eq(filter_label.on_request(&desk.call), FILTER_PASS);
		ck_assert_int_eq(desk.call.label, BUCKET_NONE);
		desk_close(&desk);
	}
}
END_TEST

/* RequestInfo puts a namespace into itself; its metadata has none. */
START_TEST(label_places_a_namespace_as_the_labeller_does)
{
	static const struct row row = { "PUT", "/api/v1/namespaces/default", JSON,
					ABSENT, UNKNOWN };
	const struct object_key key = { .resource = slice_of("namespaces"),
					.name = slice_of("default") };
	struct desk desk;

	open_body(&desk, &row, PLAIN);
	desk.spec.resources[0].group = slice_of("");
	desk.spec.resources[0].resource = slice_of("namespaces");
	desk.call.resource = &desk.spec.resources[0];
	desk.ring.owned = buckets("0-7");
	ck_assert_slice(desk.request.namespace, "default");
	ck_assert_int_eq(filter_label.on_request(&desk.call), FILTER_PASS);
	ck_assert_int_eq(desk.call.label, bucket_place(desk.spec.placement, 8, &key));
	desk_close(&desk);
}
END_TEST

START_TEST(label_leaves_it_to_the_fence_where_no_bucket_is_known)
{
	static const struct row rows[] = {
		{ "PUT", FOOS "/x", JSON, NOWHERE, UNKNOWN, 7 },
		{ "PATCH", FOOS "/x", APPLY, UNKNOWN, UNKNOWN, 7 },
		{ "PUT", FOOS "/x/status", JSON, AT(1), UNKNOWN, 7 },
	};

	check_labels(rows, COUNT(rows), CLAIM);
}
END_TEST

START_TEST(label_of_a_merge_patch_that_drops_all_is_set_beside_the_others)
{
	static const struct row row = { "PATCH", FOOS "/x", MERGE, AT(1), UNKNOWN };
	const struct slice keys[] = { slice_of("a"), slice_of(L) };
	struct desk desk;

	open_body(&desk, &row, "{\"metadata\":{\"labels\":null}}");
	desk.call.label_keys = keys;
	desk.call.label_keys_n = COUNT(keys);
	ck_assert_int_eq(filter_label.on_request(&desk.call), FILTER_PASS);
	ck_assert_slice(desk.call.edited,
			"{\"metadata\":{\"labels\":{\"a\":null,\"" L "\":\"1\"}}}");
	desk_close(&desk);
}
END_TEST

START_TEST(fail_closed_a_body_that_cannot_be_labelled_does_not_leave)
{
	static const struct {
		const char *method, *target, *type, *body;
		int code;
		const char *reason, *says;
	} rows[] = {
		{ "POST", FOOS, "application/cbor", "", 415, "UnsupportedMediaType",
		  "JSON" },
		{ "POST", FOOS, "application/yaml", "a: b", 415, "UnsupportedMediaType",
		  "JSON" },
		{ "POST", FOOS, "text/plain", "a: b", 415, "UnsupportedMediaType",
		  "JSON" },
		{ "PATCH", FOOS "/x", APPLY, "a: b", 415, "UnsupportedMediaType",
		  "JSON" },
		{ "PATCH", FOOS "/x", APPLY, "{a: b}", 415, "UnsupportedMediaType",
		  "JSON" },
		{ "POST", FOOS, JSON, "{", 400, "BadRequest", "cannot be read" },
		{ "POST", FOOS, "", "", 400, "BadRequest", "cannot be read" },
		{ "POST", FOOS, PROTOBUF, "{}", 400, "BadRequest", "cannot be read" },
		{ "PATCH", FOOS "/x", STRATEGIC,
		  "{\"metadata\":{\"$retainKeys\":[\"name\"]}}", 400, "BadRequest",
		  "$retainKeys" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct row row = { rows[i].method, rows[i].target, rows[i].type,
					 AT(1), UNKNOWN };
		struct desk desk;

		open_body(&desk, &row, rows[i].body);
		desk.call.is_body_unreadable = desk.call.body == NULL;
		ck_assert_msg(filter_label.on_request(&desk.call) == FILTER_REPLY,
			      "row %zu", i);
		desk_check_reply(&desk, rows[i].code, rows[i].reason, rows[i].says);
		desk_close(&desk);
	}
}
END_TEST

UNIT_MAIN("filters/label", label_wants_to_know_whose_the_object_is,
	  label_is_the_owners_else_the_objects_and_never_the_bodys,
	  label_of_a_new_main_object_is_its_placement_or_another_of_ours,
	  label_of_a_generated_name_is_any_of_ours,
	  label_places_a_namespace_as_the_labeller_does,
	  label_leaves_it_to_the_fence_where_no_bucket_is_known,
	  label_of_a_merge_patch_that_drops_all_is_set_beside_the_others,
	  fail_closed_a_body_that_cannot_be_labelled_does_not_leave)
