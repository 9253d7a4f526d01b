#include "proxy/kube/json_span.h"

#include "tests/unit/kube/rows.h"

START_TEST(member_is_found_at_the_top_level_and_nowhere_else)
{
	static const struct {
		const char *object, *value; /* of "k"; NULL: there is none */
	} rows[] = {
		{ "{\"k\":1}", "1" },
		{ " { \"a\" : { \"k\" : 2 } , \"k\" : [ 1 , \"]\" ] } ",
		  "[ 1 , \"]\" ]" },
		{ "{\"k\":\"a\\\"b\",\"x\":0}", "\"a\\\"b\"" },
		{ "{\"k\":1,\"k\":{\"k\":3}}", "{\"k\":3}" },
		{ "{\"a\":{\"k\":2}}", NULL },
		{ "{\"kk\":1}", NULL },
		{ "{\"x\":\"k\"}", NULL },
		{ "{}", NULL },
		{ "", NULL },
		{ "[\"k\",1]", NULL },
		{ "{\"k\"", NULL },
		{ "{\"k\":", NULL },
		{ "{\"k\":{\"a\":1", NULL },
		{ "{\"a\":true,\"k\":null}", "null" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice value = { 0 };
		bool is_found = json_span(slice_of(rows[i].object), "k", &value);

		ck_assert_msg(is_found == (rows[i].value != NULL), "row %zu", i);
		if (is_found)
			ck_assert_slice(value, rows[i].value);
	}
}
END_TEST

START_TEST(text_is_what_stands_between_the_quotes_of_a_plain_string)
{
	struct slice text;

	ck_assert(json_span_text(SLICE_LITERAL("{\"k\":\"ab\"}"), "k", &text));
	ck_assert_slice(text, "ab");
	ck_assert(json_span_text(SLICE_LITERAL("{\"k\":\"\"}"), "k", &text));
	ck_assert_slice(text, "");
	ck_assert(!json_span_text(SLICE_LITERAL("{\"k\":\"a\\n\"}"), "k", &text));
	ck_assert(!json_span_text(SLICE_LITERAL("{\"k\":12}"), "k", &text));
}
END_TEST

START_TEST(value_ends_at_the_same_byte_however_it_is_cut)
{
	static const char *const values[] = { "{\"a\":[\"\\\\\",{}]}", "\"x,}\\\"\"",
					      "[[],[\"]\"]]" };

	for (size_t i = 0; i < ROWS(values); i++) {
		struct slice all = slice_of(values[i]);

		for (size_t chunk = 1; chunk <= all.len; chunk++) {
			struct json_scan scan = { 0 };
			bool is_end = false;
			size_t at = 0;

			while (!is_end && at < all.len) {
				struct slice rest = slice_from(all, at);

				rest.len = chunk < rest.len ? chunk : rest.len;
				at += json_scan(&scan, rest, &is_end);
			}
			ck_assert(is_end && at == all.len);
		}
	}
}
END_TEST

UNIT_MAIN("kube/json_span", member_is_found_at_the_top_level_and_nowhere_else,
	  text_is_what_stands_between_the_quotes_of_a_plain_string,
	  value_ends_at_the_same_byte_however_it_is_cut)
