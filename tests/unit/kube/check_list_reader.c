#include "proxy/kube/list_reader.h"

#include <errno.h>

#include "tests/unit/kube/rows.h"

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define ITEMS_MAX 4

/* A list and what is in it. */
struct row {
	const char *name;
	enum kube_encoding encoding;
	struct slice bytes;
	const char *kind, *api_version, *version, *next;
	const char *items[ITEMS_MAX];
};

static const struct row rows[] = {
	{ "typed JSON",
	  KUBE_JSON,
	  BYTES("{\"kind\":\"FooList\",\"apiVersion\":\"g/v1\",\"metadata\":{"
		"\"resourceVersion\":\"12\",\"continue\":\"abc\"},\"items\":[{\"a\":"
		"\"]}\\\"\"},{\"b\":[1,{\"c\":2}]}]}"),
	  "FooList",
	  "g/v1",
	  "12",
	  "abc",
	  { "{\"a\":\"]}\\\"\"}", "{\"b\":[1,{\"c\":2}]}" } },
	{ "JSON of a custom resource, whose head comes last",
	  KUBE_JSON,
	  BYTES("{\"apiVersion\":\"g/v1\",\"items\":[{\"kind\":\"Foo\"}],\"kind\":"
		"\"FooList\",\"metadata\":{\"continue\":\"\",\"resourceVersion\":\"7\"}"
		"}\n"),
	  "FooList",
	  "g/v1",
	  "7",
	  "",
	  { "{\"kind\":\"Foo\"}" } },
	{ "JSON for a person, with members that are not ours",
	  KUBE_JSON,
	  BYTES(" {\n \"items\" : [ ] ,\n \"x\" : [ 1 , \"}\" ] , \"n\":-1e3,\n"
		" \"metadata\" : { \"resourceVersion\" : \"9\" }\n}\n"),
	  "",
	  "",
	  "9",
	  "",
	  { NULL } },
	{ "JSON null in place of items",
	  KUBE_JSON,
	  BYTES("{\"items\":null,\"metadata\":{\"resourceVersion\":\"9\"}}"),
	  "",
	  "",
	  "9",
	  "",
	  { NULL } },
	{ "protobuf",
	  KUBE_PROTOBUF,
	  BYTES("k8s\0\x0a\x0f\x0a\x04g/v1\x12\x07"
		"FooList\x12\x13\x0a\x07\x12\x02"
		"12\x1a\x01x\x12\x02hi\x12\x00\x12\x00\x1a\x00\"\x00"),
	  "FooList",
	  "g/v1",
	  "12",
	  "x",
	  { "hi", "", "" } },
	{ "protobuf without items",
	  KUBE_PROTOBUF,
	  BYTES("k8s\0\x0a\x0f\x0a\x04g/v1\x12\x07"
		"FooList\x12\x05\x0a\x03\x12\x01"
		"5"),
	  "FooList",
	  "g/v1",
	  "5",
	  "",
	  { NULL } },
};

static void check_row(const struct row *row, size_t chunk)
{
	struct list_reader reader;
	struct err err = { "" };
	size_t at = 0, items = 0, n;

	list_reader_init(&reader, row->encoding);
	while (at < row->bytes.len) {
		struct slice rest = slice_from(row->bytes, at);
		int rc;

		rest.len = chunk < rest.len ? chunk : rest.len;
		rc = list_reader_next(&reader, rest, &n, &err);
		ck_assert_msg(rc >= 0, "%s, chunks of %zu: %s", row->name, chunk,
			      err.text);
		ck_row(row->name, rc == 1 || n == rest.len);
		at += n;
		if (rc == 0)
			continue;
		ck_row(row->name, items < ITEMS_MAX && row->items[items] != NULL);
		ck_row(row->name,
		       slice_is(list_reader_item(&reader), row->items[items++]));
	}
	ck_row(row->name, items == ITEMS_MAX || row->items[items] == NULL);
	ck_row(row->name, list_reader_is_complete(&reader));
	ck_assert_str_eq(reader.kind, row->kind);
	ck_assert_str_eq(reader.api_version, row->api_version);
	ck_assert_str_eq(reader.version, row->version);
	ck_assert_slice(buf_slice(&reader.next), row->next);
	list_reader_finish(&reader);
}

START_TEST(list_is_the_same_however_it_is_cut_into_chunks)
{
	for (size_t i = 0; i < ROWS(rows); i++)
		for (size_t chunk = 1; chunk <= rows[i].bytes.len; chunk++)
			check_row(&rows[i], chunk);
}
END_TEST

/* Reads all, or up to the error. */
static int read_all(enum kube_encoding encoding, struct slice bytes, bool *is_complete)
{
	struct list_reader reader;
	struct err err;
	size_t n;
	int rc = 0;

	list_reader_init(&reader, encoding);
	while (rc >= 0 && bytes.len > 0) {
		rc = list_reader_next(&reader, bytes, &n, &err);
		if (rc >= 0)
			bytes = slice_from(bytes, n);
	}
	*is_complete = rc >= 0 && list_reader_is_complete(&reader);
	list_reader_finish(&reader);
	return rc;
}

START_TEST(list_that_breaks_off_is_not_complete)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice bytes = rows[i].bytes;
		bool is_complete;

		if (rows[i].encoding != KUBE_JSON)
			continue;
		while (bytes.data[bytes.len - 1] != '}')
			bytes.len--;
		while (bytes.len-- > 0) {
			ck_row(rows[i].name,
			       read_all(rows[i].encoding, bytes, &is_complete) >= 0);
			ck_row(rows[i].name, !is_complete);
		}
	}
}
END_TEST

START_TEST(what_is_no_list_is_an_error)
{
	static const struct {
		enum kube_encoding encoding;
		struct slice bytes;
	} bad[] = {
		{ KUBE_JSON, BYTES("[]") },
		{ KUBE_JSON, BYTES("{1:2}") },
		{ KUBE_JSON, BYTES("{\"a\" 1}") },
		{ KUBE_JSON, BYTES("{\"a\":}") },
		{ KUBE_JSON, BYTES("{\"items\":[1]}") },
		{ KUBE_JSON, BYTES("{\"items\":[{} {}]}") },
		{ KUBE_JSON, BYTES("{\"items\":[{},]}") },
		{ KUBE_JSON, BYTES("{\"a\":1,}") },
		{ KUBE_JSON, BYTES("{} {}") },
		{ KUBE_JSON, BYTES("{\"metadata\":{\"resourceVersion\":"
				   "\"123456789012345678901234567890\"}}") },
		{ KUBE_PROTOBUF, BYTES("k8t\0") },
		{ KUBE_PROTOBUF, BYTES("k8s\0\x0b") },
		{ KUBE_PROTOBUF, BYTES("k8s\0\x02\x00") },
		{ KUBE_PROTOBUF, BYTES("k8s\0\x12\x02\x12\x05hello") },
		{ KUBE_PROTOBUF, BYTES("k8s\0\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff"
				       "\x7f") },
		{ KUBE_PROTOBUF, BYTES("k8s\0\x0a\x02\xff\xff") },
	};
	bool is_complete;

	for (size_t i = 0; i < ROWS(bad); i++)
		ck_assert_msg(read_all(bad[i].encoding, bad[i].bytes, &is_complete) ==
				      -EINVAL,
			      "row %zu", i);
}
END_TEST

START_TEST(item_above_the_bound_is_an_error)
{
	struct slice bytes = BYTES("k8s\0\x12\xff\xff\xff\xff\x0f\x12\x80\x80\x80\x10");
	bool is_complete;

	ck_assert_int_eq(read_all(KUBE_PROTOBUF, bytes, &is_complete), -EMSGSIZE);
}
END_TEST

UNIT_MAIN("kube/list_reader", list_is_the_same_however_it_is_cut_into_chunks,
	  list_that_breaks_off_is_not_complete, what_is_no_list_is_an_error,
	  item_above_the_bound_is_an_error)
