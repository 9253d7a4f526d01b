#include "proxy/kube/json_scan.h"

#include "proxy/kube/json.h"
#include "tests/unit/kube/rows.h"
#include "tests/unit/kube/scraps.h"

static struct slice part(struct slice text, size_t from, size_t to)
{
	return slice_make(text.data + from, to - from);
}

START_TEST(scan_tells_where_members_and_values_stand)
{
	struct slice text = SLICE_LITERAL(
		" {\"a\" : 1 ,\n\"b\\\"}\":[{\"c\":\"]}\\\\\"}], \"d\":{},\"e\":null}");
	static const char *const members[] = { "\"a\" : 1",
					       "\"b\\\"}\":[{\"c\":\"]}\\\\\"}]",
					       "\"d\":{}", "\"e\":null" };
	static const char *const values[] = { "1", "[{\"c\":\"]}\\\\\"}]", "{}",
					      "null" };
	struct json_member member;
	struct json_scan scan;
	size_t n = 0;

	json_scan_open(&scan, text, json_scan_skip(text, 0));
	for (; json_scan_next(&scan, &member); n++) {
		ck_assert_uint_lt(n, ROWS(members));
		ck_assert_slice(part(text, member.start, member.end), members[n]);
		ck_assert_slice(part(text, member.value, member.end), values[n]);
	}
	ck_assert(!scan.is_broken);
	ck_assert_uint_eq(n, ROWS(members));
}
END_TEST

START_TEST(scan_decodes_keys_before_it_compares_them)
{
	static const struct {
		const char *text;
		const char *key;
		bool is_it;
	} rows[] = {
		{ "{\"labels\":1}", "labels", true },
		{ "{\"l\\u0061bels\":1}", "labels", true },
		{ "{\"\\u006C\\u0061bels\":1}", "labels", true },
		{ "{\"a\\/b\":1}", "a/b", true },
		{ "{\"a\\\\b\":1}", "a\\b", true },
		{ "{\"Labels\":1}", "labels", false },
		{ "{\"label\":1}", "labels", false },
		{ "{\"labels\\u0000\":1}", "labels", false },
		{ "{\"\\u016c\":1}", "l", false },
		{ "{\"\\n\":1}", "n", false },
		{ "{\"\":1}", "", true },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice text = slice_of(rows[i].text);
		struct json_member member;
		struct json_scan scan;

		json_scan_open(&scan, text, 0);
		ck_row(rows[i].text, json_scan_next(&scan, &member));
		ck_row(rows[i].text,
		       json_scan_key_is(text, &member, slice_of(rows[i].key)) ==
			       rows[i].is_it);
	}
}
END_TEST

START_TEST(scan_finds_the_last_of_equal_keys_and_counts_them)
{
	struct slice text = SLICE_LITERAL("{\"a\":1,\"b\":2,\"\\u0061\":3,\"c\":4}");
	struct json_member member = { .start = 77 };

	ck_assert_uint_eq(json_scan_find(text, 0, slice_of("a"), &member), 2);
	ck_assert_slice(part(text, member.value, member.end), "3");
	member.start = 77;
	ck_assert_uint_eq(json_scan_find(text, 0, slice_of("d"), &member), 0);
	ck_assert_uint_eq(member.start, 77);
	ck_assert_uint_eq(
		json_scan_find(SLICE_LITERAL("[]"), 0, slice_of("a"), &member), 0);
	ck_assert_uint_eq(json_scan_find(SLICE_LITERAL(""), 0, slice_of("a"), &member),
			  0);
}
END_TEST

static size_t count_members(struct slice text, bool *is_broken)
{
	struct json_member member;
	struct json_scan scan;
	size_t n = 0;

	json_scan_open(&scan, text, json_scan_skip(text, 0));
	for (; json_scan_next(&scan, &member); n++) {
		ck_assert_uint_le(member.end, text.len);
		ck_assert_uint_lt(member.start, member.value);
		ck_assert_uint_lt(member.value, member.end);
		(void)json_scan_key_is(text, &member, slice_of("metadata"));
	}
	*is_broken = scan.is_broken;
	return n;
}

START_TEST(scan_agrees_with_the_parser_and_stays_within_any_text)
{
	uint32_t seed = 7;
	size_t objects = 0;

	for (int round = 0; round < 20000; round++) {
		struct slice scrap = scrap_make(&seed);
		struct arena *arena = arena_create();
		struct json *root;
		struct err err;
		bool is_broken;
		size_t n = count_members(scrap, &is_broken);

		if (json_parse(&root, arena, scrap, NULL, &err) == 0 &&
		    root->type == JSON_OBJECT) {
			ck_assert_msg(n == root->count && !is_broken, "%.*s",
				      SLICE_ARGS(scrap));
			objects += n > 0;
		}
		arena_destroy(arena);
		free((void *)scrap.data);
	}
	ck_assert_uint_gt(objects, 100);
}
END_TEST

UNIT_MAIN("kube/json_scan", scan_tells_where_members_and_values_stand,
	  scan_decodes_keys_before_it_compares_them,
	  scan_finds_the_last_of_equal_keys_and_counts_them,
	  scan_agrees_with_the_parser_and_stays_within_any_text)
