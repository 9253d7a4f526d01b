/* What a client may hold that does not see by a new list what has left. */
#include "proxy/ring/past.h"

#include "tests/unit/unit.h"

#define BUCKETS 16

static struct past past;
static struct view current;

/* Bucket i from floor 100 i on; by now it is bucket n. */
static void begin(int n)
{
	past = (struct past){ 0 };
	for (int i = 1; i <= n; i++) {
		const struct view former = current;

		current = (struct view){ .floor = 100 * (uint64_t)i };
		bucket_set_add(&current.set, i);
		if (i > 1)
			past_add(&past, &former, &current);
	}
}

/* Exactly the buckets from first to last. */
static void check_held(const struct doubt *doubt, int first, int last)
{
	struct bucket_set held = past_held(&past, &current, doubt, BUCKETS);

	for (int i = 0; i < BUCKETS; i++)
		ck_assert_msg(bucket_set_has(&held, i) == (i >= first && i <= last),
			      "bucket %d", i);
}

START_TEST(it_holds_what_it_was_shown_since_it_was_told_last)
{
	struct doubt doubt = { 0 };

	begin(3);
	doubt_hold(&doubt, 100);
	check_held(&doubt, 1, 3);
	doubt_told(&doubt, 200, 150);
	doubt_returns(&doubt, 210);
	check_held(&doubt, 2, 3);
	doubt_told(&doubt, 300, 210);
	doubt_returns(&doubt, 310);
	check_held(&doubt, 3, 3);
}
END_TEST

START_TEST(what_was_sent_was_read_once_it_is_back_from_somewhere_else)
{
	struct doubt doubt = { 0 };

	begin(3);
	doubt_hold(&doubt, 100);
	doubt_returns(&doubt, 150);
	check_held(&doubt, 1, 3);
	doubt_told(&doubt, 300, 150);
	check_held(&doubt, 1, 3);
	doubt_returns(&doubt, 150);
	check_held(&doubt, 1, 3);
	doubt_returns(&doubt, 310);
	check_held(&doubt, 3, 3);
}
END_TEST

START_TEST(bounded_how_often_one_that_stays_where_it_was_is_told)
{
	struct doubt doubt = { 0 };

	begin(3);
	doubt_hold(&doubt, 100);
	for (int i = 0; i < DOUBT_TOLD_MAX; i++) {
		doubt_returns(&doubt, 150);
		check_held(&doubt, 1, 3);
		doubt_told(&doubt, 300, 150);
	}
	doubt_returns(&doubt, 150);
	check_held(&doubt, 3, 3);
}
END_TEST

START_TEST(the_first_view_that_it_was_shown_counts)
{
	struct doubt doubt = { 0 };

	begin(3);
	doubt_hold(&doubt, 200);
	doubt_hold(&doubt, 300);
	check_held(&doubt, 2, 3);
}
END_TEST

START_TEST(of_whom_nothing_is_known_holds_anything)
{
	struct doubt nobody = { 0 }, former = { 0 }, stranger = { 0 };

	begin(3);
	check_held(NULL, 0, BUCKETS - 1);
	check_held(&nobody, 0, BUCKETS - 1);
	doubt_hold(&former, 0);
	check_held(&former, 0, BUCKETS - 1);
	doubt_hold(&stranger, 150);
	check_held(&stranger, 0, BUCKETS - 1);
}
END_TEST

START_TEST(view_that_is_forgotten_may_have_been_anything)
{
	struct doubt old = { 0 }, known = { 0 };

	begin(PAST_VIEWS_MAX + 2);
	doubt_hold(&old, 100);
	check_held(&old, 0, BUCKETS - 1);
	doubt_hold(&known, 200);
	check_held(&known, 2, PAST_VIEWS_MAX + 2);
	/* Floors that cannot be told from positions that were given out before. */
	current.floor = 50;
	past_add(&past, &(struct view){ .floor = 1000 }, &current);
	check_held(&known, 0, BUCKETS - 1);
}
END_TEST

START_TEST(it_is_remembered_as_long_as_its_view_is_or_forever_if_none_is_known)
{
	struct doubt known = { 0 }, stranger = { 0 };

	ck_assert(!doubt_is_about(&known, 100));
	doubt_hold(&known, 100);
	ck_assert(doubt_is_about(&known, 100));
	ck_assert(!doubt_is_about(&known, 101));
	doubt_hold(&stranger, 0);
	ck_assert(doubt_is_about(&stranger, UINT64_MAX));
}
END_TEST

UNIT_MAIN("ring/past_held", what_was_sent_was_read_once_it_is_back_from_somewhere_else,
	  it_holds_what_it_was_shown_since_it_was_told_last,
	  bounded_how_often_one_that_stays_where_it_was_is_told,
	  the_first_view_that_it_was_shown_counts,
	  of_whom_nothing_is_known_holds_anything,
	  view_that_is_forgotten_may_have_been_anything,
	  it_is_remembered_as_long_as_its_view_is_or_forever_if_none_is_known)
