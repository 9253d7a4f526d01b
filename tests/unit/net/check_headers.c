#include <stdio.h>

#include "proxy/net/headers.h"
#include "tests/unit/unit.h"

#define FIELDS_MAX 16

static struct arena *arena;

/* "Name: value|Name: value" as fields; how many. */
static size_t fields(struct header *out, const char *text)
{
	struct slice rest = slice_of(text), line, name;
	size_t n = 0;

	while (slice_split(&rest, '|', &line)) {
		ck_assert(slice_split(&line, ':', &name));
		out[n++] = (struct header){ name, slice_trim(line) };
	}
	return n;
}

static const char *pass(const char *text, struct headers_rules rules)
{
	struct header in[FIELDS_MAX], *out;
	size_t n = headers_pass(in, fields(in, text), &rules, &out, arena);
	const char *passed = "";

	for (size_t i = 0; i < n; i++)
		passed = arena_printf(arena, "%s%s%.*s: %.*s", passed, i > 0 ? "|" : "",
				      SLICE_ARGS(out[i].name),
				      SLICE_ARGS(out[i].value));
	return passed;
}

static const struct headers_rules request = { .is_request = true };
static const struct headers_rules response = { .is_request = false };

START_TEST(headers_of_a_connection_stay_on_it_and_all_others_pass_in_order)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{ "A: 1|B: 2|A: 3", "A: 1|B: 2|A: 3" },
		{ "Connection: close|A: 1", "A: 1" },
		{ "connection: x-mine, X-OTHER|X-Mine: 1|x-other: 2|A: 1", "A: 1" },
		{ "Connection: a|Connection: b|A: 1|B: 2|C: 3", "C: 3" },
		{ "Keep-Alive: 5|Proxy-Connection: x|TE: trailers|Trailer: t|"
		  "Transfer-Encoding: chunked|Upgrade: h2c|HTTP2-Settings: x",
		  "" },
		{ "Host: h|Content-Length: 5|Expect: 100-continue|A: 1", "A: 1" },
		{ "Warning: 299 - \"a\"|Warning: 299 - \"b\"",
		  "Warning: 299 - \"a\"|Warning: 299 - \"b\"" },
		{ "Empty:", "Empty: " },
	};

	arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_str_eq(pass(rows[i].in, request), rows[i].out);
		ck_assert_str_eq(pass(rows[i].in, response), rows[i].out);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(headers_that_a_request_rests_on_cannot_be_removed_by_naming_them)
{
	static const char *const names[] = {
		"Authorization",    "Accept",           "Accept-Encoding",
		"Content-Type",     "Content-Encoding", "User-Agent",
		"Impersonate-User", "Impersonate-Uid",  "impersonate-extra-x",
	};

	arena = arena_create();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *field = arena_printf(arena, "%s: x", names[i]);

		ck_assert_str_eq(pass(arena_printf(arena, "Connection: a, %s|%s",
						   names[i], field),
				      request),
				 field);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(headers_follow_the_rules_that_they_are_passed_by)
{
	static const char in[] = "Accept-Encoding: gzip|Authorization: x|Date: now|"
				 "Connection: Upgrade|Upgrade: SPDY/3.1";
	struct headers_rules rules = { .is_request = true, .strips_encoding = true };

	arena = arena_create();
	ck_assert_str_eq(pass(in, rules), "Authorization: x|Date: now");
	rules = (struct headers_rules){ .is_request = true,
					.strips_authorization = true };
	ck_assert_str_eq(pass(in, rules), "Accept-Encoding: gzip|Date: now");
	rules = (struct headers_rules){ .is_request = true, .keeps_upgrade = true };
	ck_assert_str_eq(pass(in, rules), in);
	ck_assert_str_eq(pass(in, response), "Accept-Encoding: gzip|Authorization: x");
	arena_destroy(arena);
}
END_TEST

START_TEST(headers_get_finds_the_first_of_a_name_in_whatever_case)
{
	struct header in[FIELDS_MAX];
	size_t n = fields(in, "A: 1|b: 2|B: 3");

	ck_assert_slice(headers_get(in, n, "b"), "2");
	ck_assert_slice(headers_get(in, n, "a"), "1");
	ck_assert_slice(headers_get(in, n, "c"), "");
}
END_TEST

UNIT_MAIN("net/headers",
	  headers_of_a_connection_stay_on_it_and_all_others_pass_in_order,
	  headers_that_a_request_rests_on_cannot_be_removed_by_naming_them,
	  headers_follow_the_rules_that_they_are_passed_by,
	  headers_get_finds_the_first_of_a_name_in_whatever_case)
