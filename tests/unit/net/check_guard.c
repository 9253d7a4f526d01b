#include "proxy/net/guard.h"
#include "tests/unit/unit.h"

#define NOW 1000000

START_TEST(guard_lets_any_number_of_requests_end_well)
{
	struct guard guard = { 0 };

	for (int i = 0; i < 3 * GUARD_ABORTS_MAX; i++) {
		ck_assert(guard_begin(&guard));
		guard_end(&guard, false, NOW);
	}
	ck_assert_uint_eq(guard.open, 0);
}
END_TEST

START_TEST(guard_counts_what_is_taken_back_in_a_window)
{
	struct guard guard = { 0 };

	for (int window = 0; window < 3; window++) {
		for (int i = 0; i < GUARD_ABORTS_MAX; i++) {
			ck_assert(guard_begin(&guard));
			guard_end(&guard, true, NOW + window * GUARD_WINDOW_MS + i);
		}
	}
	ck_assert(guard_begin(&guard));
	guard_end(&guard, true, NOW + 3 * GUARD_WINDOW_MS - 1);
	ck_assert(!guard_begin(&guard));
}
END_TEST

START_TEST(guard_ends_its_patience_with_a_request_that_does_not_arrive)
{
	struct guard guard = { 0 };

	ck_assert(guard_look(&guard, 1, NOW));
	ck_assert(guard_look(&guard, 1, NOW + GUARD_ARRIVAL_MS - 1));
	ck_assert(!guard_look(&guard, 1, NOW + GUARD_ARRIVAL_MS));
}
END_TEST

START_TEST(guard_waits_for_ever_where_nothing_has_begun_or_all_has_come)
{
	struct guard guard = { 0 };

	/* Idle. */
	ck_assert(guard_look(&guard, 0, NOW));
	ck_assert(guard_look(&guard, 0, NOW + 10 * GUARD_ARRIVAL_MS));
	/* A part, then the whole: another request has its own time. */
	ck_assert(guard_look(&guard, 1, NOW));
	ck_assert(guard_look(&guard, 0, NOW + 2 * GUARD_ARRIVAL_MS));
	ck_assert(guard_look(&guard, 3, NOW + 3 * GUARD_ARRIVAL_MS));
	ck_assert(guard_look(&guard, 5, NOW + 4 * GUARD_ARRIVAL_MS));
	ck_assert(!guard_look(&guard, 5, NOW + 5 * GUARD_ARRIVAL_MS));
}
END_TEST

START_TEST(guard_sees_a_slow_request_beside_others_that_come_and_go)
{
	struct guard guard = { 0 };

	for (int i = 0; i < GUARD_ARRIVAL_MS; i += 500) {
		ck_assert(guard_begin(&guard));
		ck_assert(guard_look(&guard, 7, NOW + i));
		guard_end(&guard, false, NOW + i);
	}
	ck_assert(!guard_look(&guard, 7, NOW + GUARD_ARRIVAL_MS));
}
END_TEST

START_TEST(guard_lets_a_client_say_what_its_requests_need_and_some_more)
{
	/* What comes for one: a GET; a body at once, and by the byte; a large answer.
	 */
	static const struct {
		size_t head, body, answer, received;
	} rows[] = {
		{ 100, 0, 100, 100 + 9 + 22 },
		{ 4000, 3 << 20, 1000, 4000 + (3 << 20) + 200 * (9 + 22) },
		{ 100, 1000, 100, 200 + 1000 * (1 + 9 + 22) },
		{ 100, 0, 64 << 10, 200 + 8 * (13 + 22) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guard guard = { 0 };
		uint64_t received = 0;

		for (int n = 0; n < 100000; n++) {
			received += rows[i].received;
			guard_explain_request(&guard, rows[i].head, rows[i].body);
			guard_explain_answer(&guard, rows[i].answer);
			ck_assert(guard_hear(&guard, received, 0, false, NOW));
		}
		ck_assert(guard_hear(&guard, received + GUARD_CHATTER_BYTES, 0, false,
				     NOW));
	}
}
END_TEST

START_TEST(guard_bounds_what_belongs_to_no_request)
{
	struct guard guard = { 0 };

	ck_assert(guard_hear(&guard, GUARD_CHATTER_BYTES, 0, false, NOW));
	/* The next window has its own measure. */
	ck_assert(guard_hear(&guard, 2 * GUARD_CHATTER_BYTES, 0, false, NOW + 1));
	ck_assert(!guard_hear(&guard, 2 * GUARD_CHATTER_BYTES + 1, 0, false, NOW + 2));
	/* What arrives in part may be of a request. */
	ck_assert(guard_hear(&guard, 3 * GUARD_CHATTER_BYTES, GUARD_CHATTER_BYTES,
			     false, NOW + 3));
	/* Also where it was taken back since. */
	ck_assert(guard_hear(&guard, 3 * GUARD_CHATTER_BYTES, 0, false, NOW + 4));
	ck_assert(!guard_hear(&guard, 3 * GUARD_CHATTER_BYTES + 1, 0, false, NOW + 5));
	/* What was explained before explains nothing later. */
	guard_explain_request(&guard, 0, 1 << 22);
	ck_assert(guard_hear(&guard, 3 * GUARD_CHATTER_BYTES, 0, false,
			     NOW + GUARD_WINDOW_MS));
	ck_assert(!guard_hear(&guard, 4 * GUARD_CHATTER_BYTES + 1, 0, false,
			      NOW + GUARD_WINDOW_MS + 1));
}
END_TEST

START_TEST(guard_lets_go_who_does_not_read_what_it_is_answered)
{
	struct guard guard = { 0 };

	ck_assert(guard_hear(&guard, 0, 0, false, NOW));
	ck_assert(guard_hear(&guard, 0, 0, true, NOW + GUARD_WINDOW_MS - 1));
	ck_assert(guard_hear(&guard, 0, 0, false, NOW + GUARD_WINDOW_MS));
	ck_assert(guard_hear(&guard, 0, 0, true, NOW + 2 * GUARD_WINDOW_MS - 1));
	ck_assert(!guard_hear(&guard, 0, 0, true, NOW + 2 * GUARD_WINDOW_MS));
}
END_TEST

UNIT_MAIN("net/guard", guard_lets_any_number_of_requests_end_well,
	  guard_counts_what_is_taken_back_in_a_window,
	  guard_ends_its_patience_with_a_request_that_does_not_arrive,
	  guard_waits_for_ever_where_nothing_has_begun_or_all_has_come,
	  guard_sees_a_slow_request_beside_others_that_come_and_go,
	  guard_lets_a_client_say_what_its_requests_need_and_some_more,
	  guard_bounds_what_belongs_to_no_request,
	  guard_lets_go_who_does_not_read_what_it_is_answered)
