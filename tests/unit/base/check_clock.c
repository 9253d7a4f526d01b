#include "proxy/base/clock.h"

#include <time.h>

#include "tests/unit/unit.h"

START_TEST(clock_boottime_counts_what_the_kernel_counts)
{
	struct timespec before, after;
	int64_t now;

	clock_gettime(CLOCK_BOOTTIME, &before);
	now = clock_now_ms(&clock_boottime);
	clock_gettime(CLOCK_BOOTTIME, &after);
	ck_assert_int_ge(now, before.tv_sec * 1000 + before.tv_nsec / 1000000);
	ck_assert_int_le(now, after.tv_sec * 1000 + after.tv_nsec / 1000000);
}
END_TEST

static int64_t always(void *arg)
{
	return *(int64_t *)arg;
}

START_TEST(clock_can_be_replaced)
{
	int64_t now = 1234;
	struct clock clock = { always, &now };

	ck_assert_int_eq(clock_now_ms(&clock), 1234);
	now++;
	ck_assert_int_eq(clock_now_ms(&clock), 1235);
}
END_TEST

START_TEST(clock_wall_text_is_the_time_as_micro_time)
{
	char text[CLOCK_WALL_BYTES];
	time_t before = time(NULL);
	struct tm utc = { 0 };
	const char *rest;

	clock_wall_text(text);
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
	ck_assert_ptr_nonnull(rest);
	ck_assert_int_ge(timegm(&utc), before - 1);
	ck_assert_int_le(timegm(&utc), time(NULL));
	ck_assert_uint_eq(strlen(text), strlen("2006-01-02T15:04:05.000000Z"));
	ck_assert_int_eq(rest[0], '.');
	ck_assert_uint_eq(strspn(rest + 1, "0123456789"), 6);
	ck_assert_str_eq(rest + 7, "Z");
}
END_TEST

UNIT_MAIN("base/clock", clock_boottime_counts_what_the_kernel_counts,
	  clock_can_be_replaced, clock_wall_text_is_the_time_as_micro_time)
