#include "proxy/kube/percent.h"

#include "tests/unit/kube/rows.h"

START_TEST(percent_decode_reads_two_hex_digits_behind_each_percent_sign)
{
	static const struct {
		const char *text;
		enum percent_part part;
		const char *decoded;
		bool is_valid;
	} rows[] = {
		{ "", PERCENT_PATH, "", true },
		{ "/a/b", PERCENT_PATH, "/a/b", true },
		{ "%2f%2F", PERCENT_PATH, "//", true },
		{ "%41%7a%E9%Af%fA", PERCENT_PATH, "Az\xe9\xaf\xfa", true },
		{ "%4G", PERCENT_PATH, "%4G", false },
		{ "%4@", PERCENT_PATH, "%4@", false },
		{ "%4`", PERCENT_PATH, "%4`", false },
		{ "%4:", PERCENT_PATH, "%4:", false },
		{ "%4/", PERCENT_PATH, "%4/", false },
		{ "%2541", PERCENT_PATH, "%41", true },
		{ "a+b", PERCENT_PATH, "a+b", true },
		{ "a+b%2B", PERCENT_QUERY, "a b+", true },
		{ "%", PERCENT_PATH, "%", false },
		{ "%4", PERCENT_PATH, "%4", false },
		{ "%4g%41", PERCENT_PATH, "%4gA", false },
		{ "%g4", PERCENT_PATH, "%g4", false },
		{ "%%41", PERCENT_PATH, "%A", false },
		{ "% 1", PERCENT_PATH, "% 1", false },
		{ "%-1", PERCENT_PATH, "%-1", false },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct slice decoded;
		bool is_valid = percent_decode(arena, slice_of(rows[i].text),
					       rows[i].part, &decoded);

		ck_row(rows[i].text, is_valid == rows[i].is_valid);
		ck_row_slice(rows[i].text, decoded, rows[i].decoded);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(percent_decode_never_reads_beyond_the_text)
{
	struct arena *arena = arena_create();
	struct slice decoded;

	ck_assert(
		!percent_decode(arena, slice_make("a%41", 3), PERCENT_PATH, &decoded));
	ck_assert_slice(decoded, "a%4");
	ck_assert(percent_decode(arena, (struct slice){ 0 }, PERCENT_PATH, &decoded));
	ck_assert_uint_eq(decoded.len, 0);
	ck_assert(percent_decode(arena, SLICE_LITERAL("%00"), PERCENT_PATH, &decoded));
	ck_assert(decoded.len == 1 && decoded.data[0] == '\0');
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("kube/percent", percent_decode_reads_two_hex_digits_behind_each_percent_sign,
	  percent_decode_never_reads_beyond_the_text)
