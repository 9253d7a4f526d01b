#include "proxy/base/buf.h"

#include <errno.h>

#include "tests/unit/unit.h"

START_TEST(buf_holds_what_was_appended)
{
	struct buf buf;

	buf_init(&buf, 1000);
	ck_assert_slice(buf_slice(&buf), "");
	ck_assert_int_eq(buf_append_text(&buf, "GET "), 0);
	ck_assert_int_eq(buf_append(&buf, slice_make("/api/v1", 4)), 0);
	ck_assert_int_eq(buf_printf(&buf, "?limit=%d", 500), 0);
	ck_assert_int_eq(buf_append(&buf, slice_of(NULL)), 0);
	ck_assert_slice(buf_slice(&buf), "GET /api?limit=500");
	buf_finish(&buf);
}
END_TEST

START_TEST(buf_allocates_nothing_before_the_first_append)
{
	struct buf buf;

	buf_init(&buf, 1000);
	ck_assert_ptr_null(buf.data);
	ck_assert_uint_eq(buf.size, 0);
	ck_assert_int_eq(buf_append_text(&buf, ""), 0);
	ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(buf_takes_exactly_its_cap)
{
	/* Around powers of two, where sizes double. */
	static const size_t caps[] = { 1, 63, 64, 65, 127, 128, 129, 4096, 100000 };

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		struct buf buf;

		buf_init(&buf, caps[i]);
		for (size_t n = 0; n < caps[i]; n++) {
			ck_assert_uint_eq(buf_room(&buf), caps[i] - n);
			ck_assert_int_eq(buf_append_text(&buf, "x"), 0);
		}
		ck_assert_uint_eq(buf_room(&buf), 0);
		ck_assert_int_eq(buf_append_text(&buf, "x"), -EMSGSIZE);
		ck_assert_uint_le(buf.size, caps[i] + 1);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(buf_printf_has_room_for_its_terminator)
{
	for (int n = 60; n < 70; n++) {
		struct buf buf;

		buf_init(&buf, 1000);
		ck_assert_int_eq(buf_printf(&buf, "%0*d", n, 0), 0);
		ck_assert_uint_eq(buf.len, (size_t)n);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(buf_append_beyond_the_cap_changes_nothing)
{
	struct buf buf;

	buf_init(&buf, 8);
	ck_assert_int_eq(buf_append_text(&buf, "12345"), 0);
	ck_assert_int_eq(buf_append_text(&buf, "6789"), -EMSGSIZE);
	ck_assert_slice(buf_slice(&buf), "12345");
	ck_assert_int_eq(buf_printf(&buf, "%d", 6789), -EMSGSIZE);
	ck_assert_slice(buf_slice(&buf), "12345");
	ck_assert_int_eq(buf_printf(&buf, "%d", 678), 0);
	ck_assert_slice(buf_slice(&buf), "12345678");
	buf_finish(&buf);
}
END_TEST

START_TEST(buf_with_a_cap_of_zero_takes_nothing)
{
	struct buf buf;

	buf_init(&buf, 0);
	ck_assert_int_eq(buf_append_text(&buf, ""), 0);
	ck_assert_int_eq(buf_append_text(&buf, "x"), -EMSGSIZE);
	ck_assert_int_eq(buf_printf(&buf, "x"), -EMSGSIZE);
	buf_finish(&buf);
}
END_TEST

START_TEST(buf_consume_removes_from_the_front)
{
	struct buf buf;

	buf_init(&buf, 100);
	buf_consume(&buf, 0);
	buf_append_text(&buf, "frame one, frame two");
	buf_consume(&buf, 11);
	ck_assert_slice(buf_slice(&buf), "frame two");
	buf_consume(&buf, 9);
	ck_assert_slice(buf_slice(&buf), "");
	ck_assert_uint_eq(buf_room(&buf), 100);
	buf_finish(&buf);
}
END_TEST

START_TEST(buf_clear_keeps_the_memory)
{
	struct buf buf;
	const char *data;

	buf_init(&buf, 100);
	buf_append_text(&buf, "once");
	data = buf.data;
	buf_clear(&buf);
	ck_assert_slice(buf_slice(&buf), "");
	buf_append_text(&buf, "again");
	ck_assert_ptr_eq(buf.data, data);
	buf_finish(&buf);
}
END_TEST

START_TEST(buf_finish_leaves_an_empty_buffer_that_can_be_used_again)
{
	struct buf buf;

	buf_init(&buf, 4);
	buf_append_text(&buf, "once");
	buf_finish(&buf);
	ck_assert_slice(buf_slice(&buf), "");
	ck_assert_int_eq(buf_append_text(&buf, "more"), 0);
	ck_assert_int_eq(buf_append_text(&buf, "."), -EMSGSIZE);
	buf_finish(&buf);
}
END_TEST

START_TEST(buf_swap_exchanges_contents_and_caps)
{
	struct buf a, b;

	buf_init(&a, 4);
	buf_init(&b, 100);
	buf_append_text(&a, "a");
	buf_append_text(&b, "long text");
	buf_swap(&a, &b);
	ck_assert_slice(buf_slice(&a), "long text");
	ck_assert_slice(buf_slice(&b), "a");
	ck_assert_uint_eq(buf_room(&b), 3);
	buf_finish(&a);
	buf_finish(&b);
}
END_TEST

UNIT_MAIN("base/buf", buf_holds_what_was_appended,
	  buf_allocates_nothing_before_the_first_append, buf_takes_exactly_its_cap,
	  buf_printf_has_room_for_its_terminator,
	  buf_append_beyond_the_cap_changes_nothing,
	  buf_with_a_cap_of_zero_takes_nothing, buf_consume_removes_from_the_front,
	  buf_clear_keeps_the_memory,
	  buf_finish_leaves_an_empty_buffer_that_can_be_used_again,
	  buf_swap_exchanges_contents_and_caps)
