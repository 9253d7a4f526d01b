#include "proxy/kube/meta.h"

#include <errno.h>

#include "proxy/kube/pb.h"
#include "tests/unit/kube/rows.h"

#define LABEL (&label_only)

static const struct meta_keys label_only = { .label = { "bucket.ringside.dev/r", 21 } };

/*
 * The Deployment below as k8s.io/apimachinery v0.37.2 encodes it, with two more
 * labels than ours, an annotation of our label's name, finalizers and a spec.
 */
static const char deployment_protobuf[] =
	"k8s\x00\x0a\x15\x0a\x07"
	"apps/v1\x12\x0a"
	"Deployment\x12\xfb\x01"
	"\x0a\xac\x01\x0a\x05web-1\x12\x04web-\x1a\x04shop\"\x00*\x03u-12\x02"
	"428\x07"
	"B\x08\x08\x80\xe2\xcf\xaa\x06\x10\x00J\x08\x08\x80\xe2\xcf"
	"\xaa\x06\x10\x00Z\x0a\x0a\x03"
	"app\x12\x03webZ\x1b\x0a\x15"
	"bucket"
	".ringside.dev/r\x12\x02"
	"17b\x1b\x0a\x15"
	"bucket.ringside.dev/r"
	"\x12\x02noj\x19\x0a\x04Shop\x1a\x01s\"\x03u-0*\x07x.io/v10\x01j\x12"
	"\x0a\x04Node\x1a\x01n\"\x03u-9*\x02v1r\x01"
	"f\x12<\x08\x03\x1a"
	"0"
	"\x0a\x10\x0a\x00\x12\x00\x1a\x00\"\x00*\x00"
	"2\x00"
	"8\x00"
	"B\x00"
	"\x12\x1c\x1a\x00"
	"2\x00"
	"B\x00J\x00R\x00X\x00`\x00h\x00\x82\x01"
	"\x00\x8a\x01\x00\x9a\x01\x00\xc2\x01\x00\"\x02\x0a\x00(\x00"
	"8\x00"
	"\x1a\x0c\x08\x00\x10\x00\x18\x00 \x00(\x00"
	"8\x00\x1a\x00\"\x00";

static const char deployment_json[] =
	"{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{"
	"\"name\":\"web-1\",\"generateName\":\"web-\",\"namespace\":\"shop\","
	"\"uid\":\"u-1\",\"resourceVersion\":\"42\",\"generation\":7,"
	"\"creationTimestamp\":\"2023-11-14T22:13:20Z\","
	"\"deletionTimestamp\":\"2023-11-14T22:13:20Z\","
	"\"labels\":{\"app\":\"web\",\"bucket.ringside.dev/r\":\"17\"},"
	"\"annotations\":{\"bucket.ringside.dev/r\":\"no\"},"
	"\"ownerReferences\":[{\"apiVersion\":\"x.io/v1\",\"kind\":\"Shop\","
	"\"name\":\"s\",\"uid\":\"u-0\",\"controller\":true},{\"apiVersion\":\"v1\","
	"\"kind\":\"Node\",\"name\":\"n\",\"uid\":\"u-9\"}],\"finalizers\":[\"f\"]},"
	"\"spec\":{\"replicas\":3,\"metadata\":{\"name\":\"no\"}}}";

static void check_deployment(const char *row, const struct object_meta *meta)
{
	ck_row_slice(row, meta->api_version, "apps/v1");
	ck_row_slice(row, meta->kind, "Deployment");
	ck_row_slice(row, meta->name, "web-1");
	ck_row_slice(row, meta->generate_name, "web-");
	ck_row_slice(row, meta->namespace, "shop");
	ck_row_slice(row, meta->uid, "u-1");
	ck_row_slice(row, meta->resource_version, "42");
	ck_row(row, meta->is_deleting);
	ck_row(row, meta->has_label);
	ck_row_slice(row, meta->label, "17");
	ck_row(row, meta->owners_n == 2);
	ck_row_slice(row, meta->owners[0].api_version, "x.io/v1");
	ck_row_slice(row, meta->owners[0].kind, "Shop");
	ck_row_slice(row, meta->owners[0].name, "s");
	ck_row_slice(row, meta->owners[0].uid, "u-0");
	ck_row(row, meta->owners[0].is_controller);
	ck_row_slice(row, meta->owners[1].kind, "Node");
	ck_row(row, !meta->owners[1].is_controller);
}

START_TEST(meta_parse_reads_the_same_from_json_yaml_in_json_and_protobuf)
{
	static const struct {
		const char *name;
		enum kube_encoding encoding;
		struct slice body;
	} rows[] = {
		{ "json", KUBE_JSON, { deployment_json, sizeof(deployment_json) - 1 } },
		{ "yaml", KUBE_YAML, { deployment_json, sizeof(deployment_json) - 1 } },
		{ "protobuf",
		  KUBE_PROTOBUF,
		  { deployment_protobuf, sizeof(deployment_protobuf) - 1 } },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct object_meta meta;
		struct err err = { "" };
		int rc = meta_parse(&meta, arena, rows[i].encoding, rows[i].body, LABEL,
				    &err);

		ck_assert_msg(rc == 0, "%s: %s", rows[i].name, err.text);
		check_deployment(rows[i].name, &meta);
		arena_destroy(arena);
	}
}
END_TEST

static int parse_json(struct object_meta *out, struct arena *arena, const char *text)
{
	return meta_parse(out, arena, KUBE_JSON, slice_of(text), LABEL, NULL);
}

START_TEST(meta_parse_gives_empty_fields_for_what_is_absent_or_null)
{
	static const char *const rows[] = {
		"{}",
		"{\"metadata\":null}",
		"{\"metadata\":{}}",
		"{\"apiVersion\":null,\"metadata\":{\"name\":null,\"labels\":null,"
		"\"ownerReferences\":null,\"deletionTimestamp\":null}}",
		"{\"metadata\":{\"labels\":{\"bucket.ringside.dev/r\":null}}}",
		"{\"metadata\":{\"labels\":{\"bucket.ringside.dev/R\":\"1\"}}}",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct object_meta meta;

		ck_row(rows[i], parse_json(&meta, arena, rows[i]) == 0);
		ck_row(rows[i], meta.name.len == 0 && meta.api_version.len == 0);
		ck_row(rows[i], !meta.has_label && meta.label.len == 0);
		ck_row(rows[i], !meta.is_deleting && meta.owners_n == 0);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(meta_parse_tells_an_empty_label_from_none)
{
	struct arena *arena = arena_create();
	struct object_meta meta;

	ck_assert_int_eq(parse_json(&meta, arena,
				    "{\"metadata\":{\"labels\":{"
				    "\"bucket.ringside.dev/r\":\"\"}}}"),
			 0);
	ck_assert(meta.has_label);
	ck_assert_uint_eq(meta.label.len, 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(meta_parse_refuses_what_is_no_object_and_names_the_field)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "", "JSON" },
		{ "[]", "object" },
		{ "\"x\"", "object" },
		{ "{\"metadata\":[]}", "metadata" },
		{ "{\"metadata\":\"x\"}", "metadata" },
		{ "{\"kind\":1}", "kind" },
		{ "{\"metadata\":{\"name\":1}}", "name" },
		{ "{\"metadata\":{\"uid\":{}}}", "uid" },
		{ "{\"metadata\":{\"labels\":[]}}", "labels" },
		{ "{\"metadata\":{\"labels\":{\"bucket.ringside.dev/r\":1}}}",
		  "labels" },
		{ "{\"metadata\":{\"ownerReferences\":{}}}", "ownerReferences" },
		{ "{\"metadata\":{\"ownerReferences\":[1]}}", "ownerReferences" },
		{ "{\"metadata\":{\"ownerReferences\":[{\"controller\":\"true\"}]}}",
		  "controller" },
		{ "{\"metadata\":{\"ownerReferences\":[{\"kind\":7}]}}", "kind" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct object_meta meta = { .owners_n = 77 };
		struct err err = { "" };
		int rc = meta_parse(&meta, arena, KUBE_JSON, slice_of(rows[i].text),
				    LABEL, &err);

		ck_row(rows[i].text, rc == -EINVAL);
		ck_row(rows[i].text, meta.owners_n == 77);
		ck_assert_msg(strstr(err.text, rows[i].says), "%s: %s", rows[i].text,
			      err.text);
		arena_destroy(arena);
	}
}
END_TEST

/* An object with n owners, whose last one is the controller. */
static void write_owned(struct buf *out, enum kube_encoding encoding, size_t n)
{
	struct buf meta, object, owner;

	buf_init(&meta, 1 << 20);
	buf_init(&object, 1 << 20);
	buf_init(&owner, 1 << 20);
	buf_append_text(&object, "{\"metadata\":{\"ownerReferences\":[");
	for (size_t i = 1; i <= n; i++) {
		buf_printf(&object, "{\"name\":\"o\",\"controller\":%s}%s",
			   i == n ? "true" : "false", i == n ? "]}}" : ",");
		buf_clear(&owner);
		pb_write_bytes(&owner, 3, SLICE_LITERAL("o"));
		pb_write_varint(&owner, 6, i == n);
		pb_write_bytes(&meta, 13, buf_slice(&owner));
	}
	if (encoding == KUBE_PROTOBUF) {
		buf_clear(&object);
		pb_write_bytes(&object, 1, buf_slice(&meta));
		pb_write_envelope(out, "v1", "Pod", buf_slice(&object));
	} else {
		buf_append(out, buf_slice(&object));
	}
	buf_finish(&meta);
	buf_finish(&object);
	buf_finish(&owner);
}

START_TEST(meta_parse_bounds_the_number_of_owners)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF };

	for (size_t i = 0; i < 2 * ROWS(encodings); i++) {
		struct arena *arena = arena_create();
		struct object_meta meta = { 0 };
		struct err err = { "" };
		bool is_over = i % 2;
		struct buf body;

		buf_init(&body, 1 << 20);
		write_owned(&body, encodings[i / 2], META_OWNERS_MAX + is_over);

		int rc = meta_parse(&meta, arena, encodings[i / 2], buf_slice(&body),
				    LABEL, &err);

		ck_assert_int_eq(rc, is_over ? -E2BIG : 0);
		ck_assert(!is_over == (meta.owners_n == META_OWNERS_MAX));
		ck_assert(is_over || meta.owners[META_OWNERS_MAX - 1].is_controller);
		ck_assert(!is_over || strstr(err.text, "64"));
		buf_finish(&body);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(meta_parse_refuses_encodings_that_it_cannot_read)
{
	struct arena *arena = arena_create();
	struct object_meta meta;
	struct err err = { "" };

	ck_assert_int_eq(meta_parse(&meta, arena, KUBE_CBOR,
				    SLICE_LITERAL("\xd9\xd9\xf7"), LABEL, &err),
			 -ENOTSUP);
	ck_assert_int_eq(meta_parse(&meta, arena, KUBE_YAML,
				    SLICE_LITERAL("metadata: {name: x}"), LABEL, &err),
			 -ENOTSUP);
	ck_assert_int_eq(
		meta_parse(&meta, arena, KUBE_YAML, SLICE_LITERAL(" \n"), LABEL, &err),
		-ENOTSUP);
	ck_assert_int_eq(
		meta_parse(&meta, arena, KUBE_OTHER, SLICE_LITERAL("{}"), LABEL, &err),
		-ENOTSUP);
	ck_assert_int_eq(meta_parse(&meta, arena, KUBE_YAML, SLICE_LITERAL(" \r\n\t{}"),
				    LABEL, &err),
			 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(meta_parse_refuses_protobuf_that_is_no_object_with_metadata)
{
	static const struct {
		const char *name;
		struct slice bytes;
	} rows[] = {
		{ "no envelope", { "\x0a\x00", 2 } },
		{ "DeleteOptions: field 1 is a number",
		  { "k8s\0\x12\x02\x08\x05", 8 } },
		{ "metadata cut short", { "k8s\0\x12\x03\x0a\x05x", 9 } },
		{ "name is a number", { "k8s\0\x12\x04\x0a\x02\x08\x01", 10 } },
		{ "labels are a number", { "k8s\0\x12\x04\x0a\x02\x58\x01", 10 } },
		{ "label is a number",
		  { "k8s\0\x12\x06\x0a\x04\x5a\x02\x08\x01", 12 } },
		{ "owner cut short", { "k8s\0\x12\x06\x0a\x04\x6a\x02\x0a\x05", 12 } },
		{ "controller is a text",
		  { "k8s\0\x12\x06\x0a\x04\x6a\x02\x32\x00", 12 } },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct object_meta meta = { .owners_n = 77 };
		struct err err = { "" };

		ck_row(rows[i].name, meta_parse(&meta, arena, KUBE_PROTOBUF,
						rows[i].bytes, LABEL, &err) == -EINVAL);
		ck_row(rows[i].name, meta.owners_n == 77);
		ck_row(rows[i].name, strstr(err.text, "protobuf"));
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(meta_parse_never_reads_beyond_a_protobuf_body_that_was_cut)
{
	const size_t whole = sizeof(deployment_protobuf) - 1;

	for (size_t len = 0; len < whole; len++) {
		/* Behind the type and behind the object are ends, too. */
		bool is_end = len == 27 || len == whole - 4 || len == whole - 2;
		struct arena *arena = arena_create();
		struct object_meta meta;
		char *cut = malloc(len ? len : 1);

		memcpy(cut, deployment_protobuf, len);
		ck_assert_int_eq(meta_parse(&meta, arena, KUBE_PROTOBUF,
					    slice_make(cut, len), LABEL, NULL),
				 is_end ? 0 : -EINVAL);
		free(cut);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(meta_parse_merges_protobuf_metadata_that_comes_in_parts)
{
	struct slice body = SLICE_LITERAL("k8s\0\x12\x0a"
					  "\x0a\x03\x0a\x01"
					  "a"
					  "\x0a\x03\x1a\x01"
					  "b");
	struct arena *arena = arena_create();
	struct object_meta meta;

	ck_assert_int_eq(meta_parse(&meta, arena, KUBE_PROTOBUF, body, LABEL, NULL), 0);
	ck_assert_slice(meta.name, "a");
	ck_assert_slice(meta.namespace, "b");
	arena_destroy(arena);
}
END_TEST

/* A ConfigMap with labels a=1, o=web and annotations o=ns/web, a=2. */
static const char config_map_protobuf[] = "k8s\x00\x0a\x0f\x0a\x02v1\x12\x09"
					  "ConfigMap\x12\x29\x0a\x27Z\x06\x0a\x01"
					  "a\x12\x01"
					  "1Z\x08\x0a\x01o\x12\x03"
					  "webb\x0b\x0a\x01o\x12\x06ns/webb\x06\x0a\x01"
					  "a\x12\x01"
					  "2\x1a\x00\"\x00";
static const char config_map_json[] =
	"{\"metadata\":{\"labels\":{\"a\":\"1\",\"o\":\"web\"},"
	"\"annotations\":{\"o\":\"ns/web\",\"a\":\"2\"}}}";

START_TEST(meta_parse_finds_the_owner_and_the_place_that_are_named)
{
	static const struct {
		const char *name;
		struct meta_keys keys;
		const char *owner, *place;
	} rows[] = {
		{ "none", { .label = { "x", 1 } }, "", "" },
		{ "label", { .owner = { "o", 1 } }, "web", "" },
		{ "annotation",
		  { .owner = { "o", 1 }, .is_owner_annotation = true },
		  "ns/web",
		  "" },
		{ "place", { .place = { "a", 1 } }, "", "1" },
		{ "all",
		  { .label = { "a", 1 },
		    .owner = { "a", 1 },
		    .is_owner_annotation = true,
		    .place = { "o", 1 } },
		  "2",
		  "web" },
		{ "absent", { .owner = { "p", 1 }, .place = { "p", 1 } }, "", "" },
	};

	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct slice body = i % 2 ? slice_of(config_map_json)
					  : slice_make(config_map_protobuf,
						       sizeof(config_map_protobuf) - 1);
		struct object_meta meta;
		struct err err;

		ck_assert_int_eq(meta_parse(&meta, arena,
					    i % 2 ? KUBE_JSON : KUBE_PROTOBUF, body,
					    &rows[i / 2].keys, &err),
				 0);
		ck_row_slice(rows[i / 2].name, meta.owner_name, rows[i / 2].owner);
		ck_row_slice(rows[i / 2].name, meta.place, rows[i / 2].place);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(meta_parse_leaves_out_owners_that_a_patch_takes_away)
{
	struct arena *arena = arena_create();
	struct object_meta meta;

	ck_assert_int_eq(
		parse_json(&meta, arena,
			   "{\"metadata\":{\"ownerReferences\":[{\"$patch\":\"delete\","
			   "\"uid\":\"u-1\"},{\"kind\":\"Shop\",\"uid\":\"u-2\"}]}}"),
		0);
	ck_assert_uint_eq(meta.owners_n, 1);
	ck_assert_slice(meta.owners[0].uid, "u-2");
	arena_destroy(arena);
}
END_TEST

static bool is_shop(void *arg, struct slice api_version, struct slice kind)
{
	return slice_is(meta_group_of(api_version), "x.io") && slice_is(kind, arg);
}

START_TEST(meta_owner_is_the_controller_else_the_only_owner_of_the_ring)
{
	static const struct owner_reference node = { .kind = { "Node", 4 } };
	static const struct owner_reference boss = { .kind = { "Boss", 4 },
						     .is_controller = true };
	static const struct owner_reference shop = { .api_version = { "x.io/v2", 7 },
						     .kind = { "Shop", 4 } };
	static const struct owner_reference other = { .api_version = { "y.io/v2", 7 },
						      .kind = { "Shop", 4 } };
	const struct {
		const char *name;
		struct owner_reference owners[3];
		size_t n;
		int owner;
	} rows[] = {
		{ "no owner", { node }, 0, -1 },
		{ "an owner of another kind", { node }, 1, -1 },
		{ "a kind of that name in another group", { other }, 1, -1 },
		{ "the only owner of the ring", { node, shop }, 2, 1 },
		{ "two owners of the ring", { shop, node, shop }, 3, -1 },
		{ "the controller, even of another kind", { shop, shop, boss }, 3, 2 },
		{ "the first of two controllers", { node, boss, boss }, 3, 1 },
	};

	char kind[] = "Shop";

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct object_meta meta = { .owners = rows[i].owners,
					    .owners_n = rows[i].n };
		const struct owner_reference *owner =
			rows[i].owner < 0 ? NULL : &rows[i].owners[rows[i].owner];

		ck_row(rows[i].name, meta_owner(&meta, is_shop, kind) == owner);
	}
}
END_TEST

START_TEST(meta_group_of_is_what_stands_before_the_slash)
{
	ck_assert_slice(meta_group_of(SLICE_LITERAL("apps/v1")), "apps");
	ck_assert_slice(meta_group_of(SLICE_LITERAL("v1")), "");
	ck_assert_slice(meta_group_of((struct slice){ 0 }), "");
}
END_TEST

UNIT_MAIN("kube/meta", meta_parse_reads_the_same_from_json_yaml_in_json_and_protobuf,
	  meta_parse_gives_empty_fields_for_what_is_absent_or_null,
	  meta_parse_tells_an_empty_label_from_none,
	  meta_parse_refuses_what_is_no_object_and_names_the_field,
	  meta_parse_bounds_the_number_of_owners,
	  meta_parse_refuses_encodings_that_it_cannot_read,
	  meta_parse_refuses_protobuf_that_is_no_object_with_metadata,
	  meta_parse_never_reads_beyond_a_protobuf_body_that_was_cut,
	  meta_parse_merges_protobuf_metadata_that_comes_in_parts,
	  meta_parse_finds_the_owner_and_the_place_that_are_named,
	  meta_parse_leaves_out_owners_that_a_patch_takes_away,
	  meta_owner_is_the_controller_else_the_only_owner_of_the_ring,
	  meta_group_of_is_what_stands_before_the_slash)
