#include "proxy/kube/encoding.h"

#include "tests/unit/kube/rows.h"

START_TEST(encoding_of_accept_is_the_first_that_we_write)
{
	static const struct {
		const char *accept;
		enum kube_encoding encoding;
	} rows[] = {
		{ "", KUBE_JSON },
		{ "*/*", KUBE_JSON },
		{ "application/json", KUBE_JSON },
		{ "application/json, */*", KUBE_JSON },
		{ "application/vnd.kubernetes.protobuf,application/json",
		  KUBE_PROTOBUF },
		{ "application/json,application/vnd.kubernetes.protobuf", KUBE_JSON },
		{ " Application/VND.kubernetes.protobuf ; as=PartialObjectMetadata;"
		  "g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata",
		  KUBE_PROTOBUF },
		{ "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
		  KUBE_JSON },
		{ "application/vnd.kubernetes.protobuf;stream=watch", KUBE_PROTOBUF },
		{ "application/cbor,application/json;q=0.9", KUBE_CBOR },
		{ "application/cbor-seq", KUBE_CBOR },
		{ "application/yaml, application/cbor", KUBE_CBOR },
		{ "application/yaml", KUBE_JSON },
		{ "text/html,,;,application/vnd.kubernetes.protobuf", KUBE_PROTOBUF },
		{ "application/jsonx,text/plain", KUBE_JSON },
		{ "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
		  KUBE_JSON },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		ck_row(rows[i].accept, encoding_of_accept(slice_of(rows[i].accept)) ==
					       rows[i].encoding);
}
END_TEST

START_TEST(encoding_of_content_type_knows_objects_and_patches)
{
	static const struct {
		const char *content_type;
		enum kube_encoding encoding;
	} rows[] = {
		{ "", KUBE_JSON },
		{ "application/json", KUBE_JSON },
		{ "Application/JSON; charset=utf-8", KUBE_JSON },
		{ "application/json;stream=watch", KUBE_JSON },
		{ "application/merge-patch+json", KUBE_JSON },
		{ "application/strategic-merge-patch+json", KUBE_JSON },
		{ "application/json-patch+json", KUBE_JSON },
		{ "application/apply-patch+yaml", KUBE_YAML },
		{ "application/yaml", KUBE_YAML },
		{ "application/vnd.kubernetes.protobuf", KUBE_PROTOBUF },
		{ "application/vnd.kubernetes.protobuf;stream=watch", KUBE_PROTOBUF },
		{ "application/cbor", KUBE_CBOR },
		{ "application/cbor-seq", KUBE_CBOR },
		{ "application/apply-patch+cbor", KUBE_CBOR },
		{ "text/plain", KUBE_OTHER },
		{ "json", KUBE_OTHER },
		{ "application/vnd.kubernetes.protobufx", KUBE_OTHER },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		ck_row(rows[i].content_type,
		       encoding_of_content_type(slice_of(rows[i].content_type)) ==
			       rows[i].encoding);
}
END_TEST

START_TEST(encoding_content_type_is_what_clients_read_the_encoding_from)
{
	static const enum kube_encoding written[] = { KUBE_JSON, KUBE_PROTOBUF,
						      KUBE_CBOR };

	for (size_t i = 0; i < 2 * ROWS(written); i++) {
		const char *type = encoding_content_type(written[i / 2], i % 2);

		ck_assert_int_eq(encoding_of_content_type(slice_of(type)),
				 written[i / 2]);
		ck_assert_int_eq(encoding_of_accept(slice_of(type)), written[i / 2]);
	}
	ck_assert_str_eq(encoding_content_type(KUBE_JSON, true), "application/json");
	ck_assert_str_eq(encoding_content_type(KUBE_PROTOBUF, false),
			 "application/vnd.kubernetes.protobuf");
	ck_assert_str_eq(encoding_content_type(KUBE_PROTOBUF, true),
			 "application/vnd.kubernetes.protobuf;stream=watch");
	ck_assert_str_eq(encoding_content_type(KUBE_CBOR, true),
			 "application/cbor-seq");
	ck_assert_str_eq(encoding_content_type(KUBE_YAML, false), "application/json");
	ck_assert_str_eq(encoding_content_type(KUBE_OTHER, false), "application/json");
}
END_TEST

START_TEST(encoding_patch_of_knows_every_patch_and_no_other_type)
{
	static const struct {
		const char *type;
		enum kube_patch patch;
	} rows[] = {
		{ "application/json-patch+json", KUBE_PATCH_JSON },
		{ "application/merge-patch+json; charset=utf-8", KUBE_PATCH_MERGE },
		{ "Application/Strategic-Merge-Patch+JSON", KUBE_PATCH_STRATEGIC },
		{ "application/apply-patch+yaml", KUBE_PATCH_APPLY },
		{ "application/apply-patch+cbor ;a=b", KUBE_PATCH_APPLY },
		{ "application/json", KUBE_PATCH_OTHER },
		{ "application/x+json", KUBE_PATCH_OTHER },
		{ "", KUBE_PATCH_OTHER },
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		ck_row(rows[i].type,
		       encoding_patch_of(slice_of(rows[i].type)) == rows[i].patch);
}
END_TEST

START_TEST(encoding_list_accept_takes_entries_and_leaves_empty_ones_empty)
{
	static const struct {
		const char *accept;
		const char *list;
	} rows[] = {
		{ "", "" },
		{ "application/json", "application/json" },
		{ "a/b;q=1, c/d", "a/b;q=1,c/d" },
		{ ",a/b", ",a/b" },
		{ "a/b;q=1,,c/d", "a/b;q=1,,c/d" },
		{ "a/b;stream=watch", "a/b" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out;

		buf_init(&out, 1024);
		ck_assert_int_eq(encoding_list_accept(&out, slice_of(rows[i].accept)),
				 0);
		ck_assert_slice(buf_slice(&out), rows[i].list);
		buf_finish(&out);
	}
}
END_TEST

UNIT_MAIN("kube/encoding", encoding_of_accept_is_the_first_that_we_write,
	  encoding_of_content_type_knows_objects_and_patches,
	  encoding_patch_of_knows_every_patch_and_no_other_type,
	  encoding_content_type_is_what_clients_read_the_encoding_from,
	  encoding_list_accept_takes_entries_and_leaves_empty_ones_empty)
