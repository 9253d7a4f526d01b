#include "proxy/member/pace.h"

#include "tests/unit/unit.h"

/* Takes tokens at now_ms until there is none; how many. */
static int take_all(struct token_bucket *bucket, int64_t rate, int64_t now_ms)
{
	int n = 0;

	while (token_bucket_wait_ms(bucket, rate, now_ms) == 0) {
		token_bucket_take(bucket);
		n++;
	}
	return n;
}

START_TEST(pace_gives_the_rate_and_a_burst_of_a_tenth_of_a_second)
{
	static const int64_t rates[] = { 1, 7, 50, 1000, 10000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		int64_t rate = rates[i], n = 0;
		struct token_bucket bucket;

		token_bucket_init(&bucket, rate, 5000);
		for (int64_t now_ms = 5000; now_ms < 15000; now_ms += 10)
			n += take_all(&bucket, rate, now_ms);
		ck_assert_int_ge(n, 10 * rate - rate / 10 - 1);
		ck_assert_int_le(n, 10 * rate + rate / 10 + 1);
	}
}
END_TEST

START_TEST(pace_of_a_long_rest_is_no_more_than_a_burst)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, 1000, 0);
	ck_assert_int_eq(take_all(&bucket, 1000, 0), 100);
	ck_assert_int_eq(take_all(&bucket, 1000, INT64_MAX / 2), 100);
}
END_TEST

START_TEST(pace_wait_is_how_long_the_next_token_takes)
{
	static const int64_t rates[] = { 1, 3, 999, 10000 };

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct token_bucket bucket;
		int64_t wait_ms;

		token_bucket_init(&bucket, rates[i], 0);
		(void)take_all(&bucket, rates[i], 0);
		wait_ms = token_bucket_wait_ms(&bucket, rates[i], 0);
		ck_assert_int_gt(wait_ms, 0);
		if (wait_ms > 1)
			ck_assert_int_gt(
				token_bucket_wait_ms(&bucket, rates[i], wait_ms - 1),
				0);
		ck_assert_int_eq(token_bucket_wait_ms(&bucket, rates[i], wait_ms), 0);
	}
}
END_TEST

START_TEST(pace_rate_may_change_between_tokens)
{
	struct token_bucket bucket;

	token_bucket_init(&bucket, 1, 0);
	ck_assert_int_eq(take_all(&bucket, 1, 0), 1);
	ck_assert_int_eq(take_all(&bucket, 1000, 50), 50);
}
END_TEST

START_TEST(pace_gate_stays_shut_longer_with_each_failure_in_a_row)
{
	struct gate gate;

	gate_init(&gate, 100, 400);
	ck_assert(!gate_is_shut(&gate, 0));
	gate_shut(&gate, 0, 0, 50);
	ck_assert(gate_is_shut(&gate, 99) && !gate_is_shut(&gate, 100));
	gate_shut(&gate, 100, 0, 100);
	ck_assert(gate_is_shut(&gate, 299) && !gate_is_shut(&gate, 300));
	gate_open(&gate);
	gate_shut(&gate, 1000, 0, 50);
	ck_assert(gate_is_shut(&gate, 1099) && !gate_is_shut(&gate, 1100));
}
END_TEST

START_TEST(pace_failures_of_one_moment_count_once)
{
	struct gate gate;

	gate_init(&gate, 100, 10000);
	for (int i = 0; i < 16; i++)
		gate_shut(&gate, i, 0, 50);
	ck_assert(!gate_is_shut(&gate, 120));
}
END_TEST

START_TEST(pace_gate_stays_shut_as_long_as_the_server_says)
{
	struct gate gate;

	gate_init(&gate, 100, 10000);
	gate_shut(&gate, 0, 5000, 0);
	ck_assert(gate_is_shut(&gate, 4999));
	/* Said while it is shut. */
	gate_shut(&gate, 1000, 7000, 0);
	ck_assert(gate_is_shut(&gate, 7999) && !gate_is_shut(&gate, 8000));
	gate_shut(&gate, 2000, 0, 0);
	ck_assert(gate_is_shut(&gate, 7999));
}
END_TEST

UNIT_MAIN("member/pace", pace_gives_the_rate_and_a_burst_of_a_tenth_of_a_second,
	  pace_of_a_long_rest_is_no_more_than_a_burst,
	  pace_wait_is_how_long_the_next_token_takes,
	  pace_rate_may_change_between_tokens,
	  pace_gate_stays_shut_longer_with_each_failure_in_a_row,
	  pace_failures_of_one_moment_count_once,
	  pace_gate_stays_shut_as_long_as_the_server_says)
