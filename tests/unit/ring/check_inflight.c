#include "proxy/ring/inflight.h"

#include "tests/unit/unit.h"

static struct bucket_set parse(const char *text)
{
	struct bucket_set set;

	ck_assert_int_eq(bucket_set_parse(&set, slice_of(text), BUCKETS_MAX), 0);
	return set;
}

START_TEST(inflight_is_drained_once_every_write_to_the_set_ended)
{
	struct bucket_set set = parse("3-5,1023");
	struct inflight inflight = { 0 };

	ck_assert_int_eq(inflight_over_ms(&inflight, &set), 0);
	inflight_begin(&inflight, 5);
	inflight_begin(&inflight, 5);
	inflight_begin(&inflight, 1023);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), INT64_MAX);
	inflight_end(&inflight, 5);
	inflight_end(&inflight, 1023);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), INT64_MAX);
	ck_assert_uint_eq(inflight.total, 1);
	inflight_end(&inflight, 5);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), 0);
	ck_assert_uint_eq(inflight.total, 0);
}
END_TEST

START_TEST(inflight_does_not_wait_for_other_buckets)
{
	struct bucket_set set = parse("3-5"), none = { 0 };
	struct inflight inflight = { 0 };

	inflight_begin(&inflight, 2);
	inflight_begin(&inflight, 6);
	inflight_begin(&inflight, BUCKET_NONE);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), 0);
	ck_assert_int_eq(inflight_over_ms(&inflight, &none), 0);
	ck_assert_uint_eq(inflight.total, 3);
	inflight_end(&inflight, BUCKET_NONE);
	ck_assert_uint_eq(inflight.total, 2);
}
END_TEST

START_TEST(inflight_waits_for_a_write_that_may_touch_any_bucket)
{
	struct bucket_set set = parse("3");
	struct inflight inflight = { 0 };

	inflight_begin(&inflight, BUCKET_ALL);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), INT64_MAX);
	inflight_end(&inflight, BUCKET_ALL);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), 0);
}
END_TEST

START_TEST(one_writer_write_without_an_answer_is_in_flight_until_its_time)
{
	struct bucket_set set = parse("3-5"), others = parse("6");
	struct inflight inflight = { 0 };

	inflight_begin(&inflight, 4);
	inflight_begin(&inflight, 4);
	inflight_begin(&inflight, 5);
	inflight_abandon(&inflight, 4, 7000);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), INT64_MAX);
	inflight_end(&inflight, 4);
	inflight_abandon(&inflight, 5, 6000);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), 7000);
	ck_assert_int_eq(inflight_over_ms(&inflight, &others), 0);
	inflight_begin(&inflight, BUCKET_ALL);
	inflight_abandon(&inflight, BUCKET_ALL, 8000);
	ck_assert_int_eq(inflight_over_ms(&inflight, &others), 8000);
	ck_assert_int_eq(inflight_all_over_ms(&inflight), 8000);
	inflight_begin(&inflight, BUCKET_NONE);
	ck_assert_int_eq(inflight_all_over_ms(&inflight), INT64_MAX);
	inflight_abandon(&inflight, BUCKET_NONE, 9000);
	ck_assert_int_eq(inflight_all_over_ms(&inflight), 9000);
	ck_assert_int_eq(inflight_over_ms(&inflight, &set), 8000);
	ck_assert_uint_eq(inflight.total, 0);
}
END_TEST

UNIT_MAIN("ring/inflight", inflight_is_drained_once_every_write_to_the_set_ended,
	  inflight_does_not_wait_for_other_buckets,
	  inflight_waits_for_a_write_that_may_touch_any_bucket,
	  one_writer_write_without_an_answer_is_in_flight_until_its_time)
