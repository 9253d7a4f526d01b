#include "proxy/base/err.h"

#include <errno.h>

#include "tests/unit/unit.h"

START_TEST(err_set_formats_the_text_and_returns_the_code)
{
	struct err err = { "old" };

	ck_assert_int_eq(err_set(&err, -EINVAL, "line %d: %s", 7, "no colon"), -EINVAL);
	ck_assert_str_eq(err.text, "line 7: no colon");
}
END_TEST

START_TEST(err_set_without_an_err_still_returns_the_code)
{
	ck_assert_int_eq(err_set(NULL, -EIO, "%s", "unread"), -EIO);
	ck_assert_int_eq(err_wrap(NULL, -EIO, "%s", "unread"), -EIO);
}
END_TEST

START_TEST(err_wrap_puts_the_outer_words_first)
{
	struct err err = { "no colon" };

	ck_assert_int_eq(err_wrap(&err, -EINVAL, "%s:%d", "ring.yaml", 7), -EINVAL);
	ck_assert_str_eq(err.text, "ring.yaml:7: no colon");
}
END_TEST

START_TEST(err_text_that_is_too_long_is_cut_at_its_end)
{
	struct err err;
	char longest[2 * sizeof(err.text)];

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	err_set(&err, -EINVAL, "%s", longest);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, -EINVAL, "outer");
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert(strncmp(err.text, "outer: xxx", 10) == 0);
	err_wrap(&err, -EINVAL, "%s", longest);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

UNIT_MAIN("base/err", err_set_formats_the_text_and_returns_the_code,
	  err_set_without_an_err_still_returns_the_code,
	  err_wrap_puts_the_outer_words_first,
	  err_text_that_is_too_long_is_cut_at_its_end)
