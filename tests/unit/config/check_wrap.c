#include "config/wrap.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define TEN "123456789 "
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

START_TEST(wrap_write_breaks_between_words)
{
	static const struct {
		const char *text;
		int indent;
		const char *wrapped;
	} cases[] = {
		{ "", 2, "\n" },
		{ "a b", 2, "  a b\n" },
		{ SEVENTY "1234567890", 0, SEVENTY "1234567890\n" },
		{ SEVENTY "12345678901", 0,
		  TEN TEN TEN TEN TEN TEN "123456789\n12345678901\n" },
		{ SEVENTY "123456 89", 2,
		  "  " TEN TEN TEN TEN TEN TEN "123456789 123456\n  89\n" },
		{ "a " SEVENTY, 6, "      a " TEN TEN TEN TEN TEN TEN "123456789\n" },
		{ "http://a/very/long/word/that/no/line/of/eighty/columns/can/hold/"
		  "because/it/is/longer b",
		  4,
		  "    http://a/very/long/word/that/no/line/of/eighty/columns/can/hold/"
		  "because/it/is/longer\n    b\n" },
	};
	struct buf out;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		buf_init(&out, 1000);
		ck_assert_int_eq(wrap_write(&out, cases[i].text, cases[i].indent), 0);
		ck_assert_slice(buf_slice(&out), cases[i].wrapped);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(wrap_write_says_when_it_does_not_fit)
{
	struct buf out;

	buf_init(&out, 10);
	ck_assert_int_eq(wrap_write(&out, "1234 6789", 0), 0);
	buf_clear(&out);
	ck_assert_int_eq(wrap_write(&out, "1234 6789 b", 0), -EMSGSIZE);
	buf_finish(&out);
}
END_TEST

UNIT_MAIN("config/wrap", wrap_write_breaks_between_words,
	  wrap_write_says_when_it_does_not_fit)
