#include "proxy/net/backoff.h"

#include "tests/unit/unit.h"

START_TEST(backoff_doubles_up_to_its_maximum_and_stays_there)
{
	static const int64_t most[] = { 100, 200, 400, 800, 1000, 1000 };
	struct backoff backoff;

	backoff_init(&backoff, 100, 1000);
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		int64_t delay_ms = backoff_next_ms(&backoff, (uint32_t)most[i] / 2);

		ck_assert_int_eq(delay_ms, most[i]);
	}
}
END_TEST

START_TEST(backoff_jitter_takes_away_half_at_most)
{
	struct backoff backoff;

	for (uint32_t random = 0; random < 5000; random++) {
		int64_t delay_ms;

		backoff_init(&backoff, 1000, 1000);
		delay_ms = backoff_next_ms(&backoff, random * 2654435761u);
		ck_assert_int_ge(delay_ms, 500);
		ck_assert_int_le(delay_ms, 1000);
	}
}
END_TEST

START_TEST(backoff_starts_again_after_a_reset)
{
	struct backoff backoff;

	backoff_init(&backoff, 100, 10000);
	for (int i = 0; i < 5; i++)
		(void)backoff_next_ms(&backoff, 0);
	backoff_reset(&backoff);
	ck_assert_int_eq(backoff_next_ms(&backoff, 0), 50);
}
END_TEST

START_TEST(backoff_of_the_largest_delay_does_not_overflow)
{
	struct backoff backoff;

	backoff_init(&backoff, INT64_MAX - 1, INT64_MAX);
	ck_assert_int_gt(backoff_next_ms(&backoff, 0), 0);
	ck_assert_int_gt(backoff_next_ms(&backoff, 0), 0);
}
END_TEST

START_TEST(backoff_of_one_millisecond_is_one_millisecond)
{
	struct backoff backoff;

	backoff_init(&backoff, 1, 1);
	ck_assert_int_eq(backoff_next_ms(&backoff, 12345), 1);
}
END_TEST

UNIT_MAIN("net/backoff", backoff_doubles_up_to_its_maximum_and_stays_there,
	  backoff_jitter_takes_away_half_at_most, backoff_starts_again_after_a_reset,
	  backoff_of_the_largest_delay_does_not_overflow,
	  backoff_of_one_millisecond_is_one_millisecond)
