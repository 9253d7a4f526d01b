#include <errno.h>
#include <stdio.h>

#include "proxy/kube/json.h"
#include "tests/unit/kube/rows.h"

static struct json *parse(struct arena *arena, const char *text)
{
	struct json *json = NULL;
	struct err err = { "" };
	int rc = json_parse(&json, arena, slice_of(text), NULL, &err);

	ck_assert_msg(rc == 0, "%s: %s", text, err.text);
	return json;
}

START_TEST(json_parse_builds_the_tree_that_the_text_describes)
{
	struct arena *arena = arena_create();
	const struct json *json = parse(
		arena,
		" {\"a\":[1,-2.5e3,true,false,null],\"b\":{\"c\":\"d\"},\"e\":\"\"} ");
	const struct json *item = json_get(json, "a")->first;

	ck_assert_int_eq(json->type, JSON_OBJECT);
	ck_assert_uint_eq(json->count, 3);
	ck_assert_uint_eq(json_get(json, "a")->count, 5);
	ck_assert_int_eq(item->type, JSON_NUMBER);
	ck_assert_slice(item->text, "1");
	ck_assert_uint_eq(item->key.len, 0);
	ck_assert_slice(item->next->text, "-2.5e3");
	item = item->next->next;
	ck_assert(item->type == JSON_BOOL && item->boolean);
	ck_assert(item->next->type == JSON_BOOL && !item->next->boolean);
	ck_assert_int_eq(item->next->next->type, JSON_NULL);
	ck_assert_ptr_null(item->next->next->next);
	ck_assert_slice(json_text(json, "b.c"), "d");
	ck_assert_int_eq(json_get(json, "e")->type, JSON_STRING);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_parse_accepts_a_scalar_as_a_document)
{
	struct arena *arena = arena_create();

	ck_assert_slice(parse(arena, "12")->text, "12");
	ck_assert_slice(parse(arena, "\"x\"\n")->text, "x");
	ck_assert_int_eq(parse(arena, "null")->type, JSON_NULL);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_parse_decodes_escapes_and_keeps_utf8)
{
	struct arena *arena = arena_create();
	const struct json *json = parse(
		arena, "{\"k\\u0065y\":\"a\\n\\\"\\u00e9\\ud83d\\ude00\xc3\xa9\"}");

	ck_assert_slice(json->first->key, "key");
	ck_assert_slice(json->first->text, "a\n\"\xc3\xa9\xf0\x9f\x98\x80\xc3\xa9");
	json = parse(arena, "\"a\\u0000b\"");
	ck_assert(slice_eq(json->text, SLICE_LITERAL("a\0b")));
	arena_destroy(arena);
}
END_TEST

START_TEST(json_parse_refuses_what_is_no_json_and_says_where)
{
	static const struct {
		const char *text;
		const char *where;
	} rows[] = {
		{ "", "near byte " },
		{ "  ", "near byte " },
		{ "{", "near byte " },
		{ "{\"a\":1}x", "near byte " },
		{ "{\"a\":1}{}", "near byte " },
		{ "{\"a\" 1}", "near byte 6" },
		{ "{\"a\":01}", "near byte " },
		{ "[1,]", "near byte 4" },
		{ "{\"a\":1,}", "near byte " },
		{ "{'a':1}", "near byte " },
		{ "// c\n{}", "near byte " },
		{ "\"\xff\"", "near byte " },
		{ "\"\x01\"", "near byte " },
		{ "\"\\x\"", "near byte " },
		{ "tru", "near byte " },
		{ "{\"a\":\f1}", "near byte 5" },
		{ "\v[]", "near byte 0" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct json *json = NULL;
		struct err err = { "" };
		int rc = json_parse(&json, arena, slice_of(rows[i].text), NULL, &err);

		ck_assert_msg(rc == -EINVAL, "%s: %d", rows[i].text, rc);
		ck_assert_ptr_null(json);
		ck_assert_msg(strstr(err.text, rows[i].where), "%s: %s", rows[i].text,
			      err.text);
		ck_assert_int_eq(
			json_parse(&json, arena, slice_of(rows[i].text), NULL, NULL),
			-EINVAL);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(json_parse_never_quotes_the_document_in_an_error)
{
	struct arena *arena = arena_create();
	struct json *json;
	struct err err = { "" };
	struct slice text = SLICE_LITERAL("{\"token\":\"hunter2\" oops}");

	ck_assert_int_eq(json_parse(&json, arena, text, NULL, &err), -EINVAL);
	ck_assert_ptr_null(strstr(err.text, "hunter2"));
	ck_assert_ptr_null(strstr(err.text, "oops"));
	ck_assert_ptr_null(strchr(err.text, '\n'));
	arena_destroy(arena);
}
END_TEST

static int parse_nested(size_t depth, const char *const *keep)
{
	struct arena *arena = arena_create();
	struct json *json;
	struct err err;
	struct buf text;

	buf_init(&text, 4096);
	buf_append_text(&text, "{\"a\":");
	for (size_t i = 1; i < depth; i++)
		buf_append_text(&text, "[");
	for (size_t i = 1; i < depth; i++)
		buf_append_text(&text, "]");
	buf_append_text(&text, "}");

	int rc = json_parse(&json, arena, buf_slice(&text), keep, &err);

	buf_finish(&text);
	arena_destroy(arena);
	return rc;
}

START_TEST(json_parse_bounds_the_depth_of_what_it_keeps_and_of_what_it_drops)
{
	static const char *const keep[] = { "b", NULL };

	ck_assert_int_eq(parse_nested(JSON_DEPTH_MAX, NULL), 0);
	ck_assert_int_eq(parse_nested(JSON_DEPTH_MAX + 1, NULL), -EINVAL);
	ck_assert_int_eq(parse_nested(JSON_DEPTH_MAX, keep), 0);
	ck_assert_int_eq(parse_nested(JSON_DEPTH_MAX + 1, keep), -EINVAL);
}
END_TEST

START_TEST(json_parse_bounds_the_number_of_values)
{
	struct arena *arena = arena_create();
	struct json *json;
	struct err err;
	size_t len = 2 * (JSON_NODES_MAX + 1) + 1;
	char *text = malloc(len);

	for (size_t i = 0; i < len; i++)
		text[i] = i % 2 ? '0' : ',';
	text[0] = '[';
	text[len - 1] = ']';
	ck_assert_int_eq(json_parse(&json, arena, slice_make(text, len), NULL, &err),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "too many"));
	free(text);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_parse_drops_what_is_under_other_top_level_keys)
{
	static const char *const keep[] = { "kind", "metadata", NULL };
	struct arena *arena = arena_create();
	struct json *json;
	struct slice text = SLICE_LITERAL(
		"{\"spec\":{\"kind\":[{\"x\":{}},1],\"metadata\":{}},\"kind\":\"K\","
		"\"n\":3,\"metadata\":{\"spec\":{\"y\":[true]}},\"status\":null}");

	ck_assert_int_eq(json_parse(&json, arena, text, keep, NULL), 0);
	ck_assert_uint_eq(json->count, 2);
	ck_assert_slice(json->first->key, "kind");
	ck_assert_slice(json->first->text, "K");
	ck_assert_slice(json->first->next->key, "metadata");
	ck_assert(json_at(json, "metadata.spec.y")->first->boolean);
	ck_assert_ptr_null(json_get(json, "spec"));
	arena_destroy(arena);
}
END_TEST

START_TEST(json_parse_checks_the_syntax_of_what_it_drops)
{
	static const char *const keep[] = { "kind", NULL };
	struct arena *arena = arena_create();
	struct json *json;
	struct slice text = SLICE_LITERAL("{\"spec\":{\"a\":},\"kind\":\"K\"}");

	ck_assert_int_eq(json_parse(&json, arena, text, keep, NULL), -EINVAL);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_parse_borrows_nothing_of_the_text)
{
	char text[] = "{\"key\":[\"plain\",\"esc\\u0061ped\",42]}";
	struct arena *arena = arena_create();
	const struct json *json = parse(arena, text);

	memset(text, 'x', sizeof(text) - 1);
	ck_assert_slice(json->first->key, "key");
	ck_assert_slice(json->first->first->text, "plain");
	ck_assert_slice(json->first->first->next->text, "escaped");
	ck_assert_slice(json->first->first->next->next->text, "42");
	arena_destroy(arena);
}
END_TEST

START_TEST(json_get_takes_the_last_of_duplicate_keys)
{
	struct arena *arena = arena_create();
	const struct json *json = parse(arena, "{\"a\":1,\"b\":2,\"a\":{\"c\":3}}");

	ck_assert_int_eq(json_int(json, "a.c", -1), 3);
	ck_assert_int_eq(json_int(json, "b", -1), 2);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_get_finds_nothing_in_what_is_no_object)
{
	struct arena *arena = arena_create();

	ck_assert_ptr_null(json_get(NULL, "a"));
	ck_assert_ptr_null(json_get(parse(arena, "[{\"a\":1}]"), "a"));
	ck_assert_ptr_null(json_get(parse(arena, "{}"), "a"));
	ck_assert_ptr_null(json_at(parse(arena, "{\"a\":\"b\"}"), "a.b"));
	ck_assert_uint_eq(json_text(parse(arena, "{\"a\":1}"), "a").len, 0);
	ck_assert_uint_eq(json_text(NULL, "a").len, 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_int_reads_whole_numbers_and_nothing_else)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{ "{\"n\":0}", 0 },
		{ "{\"n\":-5}", -5 },
		{ "{\"n\":9223372036854775807}", INT64_MAX },
		{ "{\"n\":9223372036854775808}", -77 },
		{ "{\"n\":123456789012345678901234}", -77 },
		{ "{\"n\":1.0}", -77 },
		{ "{\"n\":1e2}", -77 },
		{ "{\"n\":\"1\"}", -77 },
		{ "{\"n\":null}", -77 },
		{ "{}", -77 },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		int64_t value = json_int(parse(arena, rows[i].text), "n", -77);

		ck_assert_msg(value == rows[i].value, "%s: %lld", rows[i].text,
			      (long long)value);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(json_write_string_escapes_what_json_does_not_allow)
{
	static const struct {
		const char *text;
		const char *written;
	} rows[] = {
		{ "", "\"\"" },
		{ "plain /", "\"plain /\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\n\t\x1f\x7f", "\"\\u000a\\u0009\\u001f\x7f\"" },
		{ "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "a\xff\xc3", "\"a\\ufffd\\ufffd\"" },
		{ "\xc0\xaf", "\"\\ufffd\\ufffd\"" },
		{ "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"" },
		{ "\xe2\x82", "\"\\ufffd\\ufffd\"" },
		{ "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"" },
		{ "\xf8\x88\x80\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf out;

		buf_init(&out, 100);
		ck_assert_int_eq(json_write_string(&out, slice_of(rows[i].text)), 0);
		ck_row_slice(rows[i].written, buf_slice(&out), rows[i].written);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(json_write_string_writes_what_json_parse_reads_back)
{
	struct arena *arena = arena_create();
	struct json *json;
	struct buf out;
	char text[256];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i & 0x7f);
	buf_init(&out, 4096);
	ck_assert_int_eq(json_write_string(&out, slice_make(text, sizeof(text))), 0);
	ck_assert_int_eq(json_parse(&json, arena, buf_slice(&out), NULL, NULL), 0);
	ck_assert(slice_eq(json->text, slice_make(text, sizeof(text))));
	buf_finish(&out);
	arena_destroy(arena);
}
END_TEST

START_TEST(json_write_string_changes_nothing_when_there_is_no_room)
{
	for (size_t cap = 2; cap < 11; cap++) {
		struct buf out;

		buf_init(&out, cap);
		buf_append_text(&out, "x:");
		ck_assert_int_eq(json_write_string(&out, SLICE_LITERAL("ab\ncd")),
				 -EMSGSIZE);
		ck_assert_slice(buf_slice(&out), "x:");
		buf_finish(&out);
	}
}
END_TEST

UNIT_MAIN("kube/json", json_parse_builds_the_tree_that_the_text_describes,
	  json_parse_accepts_a_scalar_as_a_document,
	  json_parse_decodes_escapes_and_keeps_utf8,
	  json_parse_refuses_what_is_no_json_and_says_where,
	  json_parse_never_quotes_the_document_in_an_error,
	  json_parse_bounds_the_depth_of_what_it_keeps_and_of_what_it_drops,
	  json_parse_bounds_the_number_of_values,
	  json_parse_drops_what_is_under_other_top_level_keys,
	  json_parse_checks_the_syntax_of_what_it_drops,
	  json_parse_borrows_nothing_of_the_text,
	  json_get_takes_the_last_of_duplicate_keys,
	  json_get_finds_nothing_in_what_is_no_object,
	  json_int_reads_whole_numbers_and_nothing_else,
	  json_write_string_escapes_what_json_does_not_allow,
	  json_write_string_writes_what_json_parse_reads_back,
	  json_write_string_changes_nothing_when_there_is_no_room)
