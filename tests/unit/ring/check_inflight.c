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

	ck_assert(inflight_is_drained(&inflight, &set));
	inflight_begin(&inflight, 5);
	inflight_begin(&inflight, 5);
	inflight_begin(&inflight, 1023);
	ck_assert(!inflight_is_drained(&inflight, &set));
	inflight_end(&inflight, 5);
	inflight_end(&inflight, 1023);
	ck_assert(!inflight_is_drained(&inflight, &set));
	ck_assert_uint_eq(inflight.total, 1);
	inflight_end(&inflight, 5);
	ck_assert(inflight_is_drained(&inflight, &set));
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
	ck_assert(inflight_is_drained(&inflight, &set));
	ck_assert(inflight_is_drained(&inflight, &none));
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
	ck_assert(!inflight_is_drained(&inflight, &set));
	inflight_end(&inflight, BUCKET_ALL);
	ck_assert(inflight_is_drained(&inflight, &set));
}
END_TEST

UNIT_MAIN("ring/inflight", inflight_is_drained_once_every_write_to_the_set_ended,
	  inflight_does_not_wait_for_other_buckets,
	  inflight_waits_for_a_write_that_may_touch_any_bucket)
