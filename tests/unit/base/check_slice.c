#include "proxy/base/slice.h"

#include <errno.h>

#include "tests/unit/unit.h"

START_TEST(slice_of_null_is_the_empty_slice)
{
	struct slice empty = slice_of(NULL);

	ck_assert_uint_eq(empty.len, 0);
	ck_assert(slice_eq(empty, slice_of("")));
	ck_assert(slice_is(empty, ""));
	ck_assert(slice_starts_with(empty, ""));
	ck_assert_int_eq(slice_find(empty, 'a'), -1);
	ck_assert_uint_eq(slice_from(empty, 0).len, 0);
}
END_TEST

START_TEST(slice_eq_compares_bytes_and_not_only_lengths)
{
	ck_assert(slice_eq(slice_of("ring"), slice_make("ringside", 4)));
	ck_assert(!slice_eq(slice_of("ring"), slice_of("rind")));
	ck_assert(!slice_eq(slice_of("ring"), slice_of("rings")));
	ck_assert(!slice_eq(slice_make("a\0b", 3), slice_make("a\0c", 3)));
}
END_TEST

START_TEST(slice_is_nocase_ignores_the_case_of_ascii_letters_only)
{
	ck_assert(slice_is_nocase(slice_of("Content-TYPE"), "content-type"));
	ck_assert(slice_is_nocase(slice_of(""), ""));
	ck_assert(!slice_is_nocase(slice_of("content"), "content-type"));
	ck_assert(!slice_is_nocase(slice_of("content-type"), "content"));
	ck_assert(!slice_is_nocase(slice_of("content[type"), "content{type"));
}
END_TEST

START_TEST(slice_starts_with_does_not_read_beyond_the_slice)
{
	ck_assert(slice_starts_with(slice_of("/api/v1"), "/api/"));
	ck_assert(slice_starts_with(slice_of("/api"), "/api"));
	ck_assert(!slice_starts_with(slice_make("/apis", 4), "/apis"));
	ck_assert(!slice_starts_with(slice_of("/healthz"), "/api"));
}
END_TEST

START_TEST(slice_find_gives_the_first_position)
{
	ck_assert_int_eq(slice_find(slice_of("a=b=c"), '='), 1);
	ck_assert_int_eq(slice_find(slice_of("abc"), '='), -1);
	ck_assert_int_eq(slice_find(slice_make("abc=", 3), '='), -1);
}
END_TEST

START_TEST(slice_from_gives_the_rest)
{
	ck_assert_slice(slice_from(slice_of("abc"), 0), "abc");
	ck_assert_slice(slice_from(slice_of("abc"), 1), "bc");
	ck_assert_slice(slice_from(slice_of("abc"), 3), "");
}
END_TEST

START_TEST(slice_split_gives_every_part_once)
{
	static const struct {
		const char *text;
		const char *parts[4];
	} cases[] = {
		{ "", { NULL } },        { "a", { "a" } },
		{ "a/b", { "a", "b" } }, { "a//b", { "a", "", "b" } },
		{ "/a", { "", "a" } },   { "a/", { "a" } },
		{ "/", { "" } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice rest = slice_of(cases[i].text), part;
		size_t n = 0;

		while (slice_split(&rest, '/', &part)) {
			ck_assert_msg(cases[i].parts[n], "too many in '%s'",
				      cases[i].text);
			ck_assert_slice(part, cases[i].parts[n]);
			n++;
		}
		ck_assert_msg(!cases[i].parts[n], "too few in '%s'", cases[i].text);
	}
}
END_TEST

START_TEST(slice_trim_takes_spaces_and_tabs_off_both_ends)
{
	static const char *const cases[][2] = {
		{ "", "" },          { " \t ", "" }, { "a", "a" },
		{ " a b\t", "a b" }, { "\ta", "a" }, { "a\n", "a\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_slice(slice_trim(slice_of(cases[i][0])), cases[i][1]);
}
END_TEST

START_TEST(slice_to_u64_takes_whole_decimal_numbers_and_nothing_else)
{
	static const struct {
		const char *text;
		int rc;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0 },
		{ "007", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999", -ERANGE, 0 },
		{ "99999999999999999999x", -EINVAL, 0 },
		{ "", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t untouched = 4711, value = untouched;
		int rc = slice_to_u64(slice_of(cases[i].text), &value);

		ck_assert_msg(rc == cases[i].rc, "'%s' gives %d", cases[i].text, rc);
		ck_assert_uint_eq(value, rc == 0 ? cases[i].value : untouched);
	}
}
END_TEST

UNIT_MAIN("base/slice", slice_of_null_is_the_empty_slice,
	  slice_eq_compares_bytes_and_not_only_lengths,
	  slice_is_nocase_ignores_the_case_of_ascii_letters_only,
	  slice_starts_with_does_not_read_beyond_the_slice,
	  slice_find_gives_the_first_position, slice_from_gives_the_rest,
	  slice_split_gives_every_part_once,
	  slice_trim_takes_spaces_and_tabs_off_both_ends,
	  slice_to_u64_takes_whole_decimal_numbers_and_nothing_else)
