#include "proxy/ring/past.h"

#include "tests/unit/unit.h"

static struct view view_of(int bucket, uint64_t floor)
{
	struct view view = { .floor = floor };

	bucket_set_add(&view.set, bucket);
	return view;
}

/* Views of the buckets 1, 2, 3 with the floors 100, 200, 300. */
static struct past three_views(struct view *current)
{
	const struct view first = view_of(1, 100), second = view_of(2, 200);
	struct past past = { 0 };

	*current = view_of(3, 300);
	past_add(&past, &first, &second);
	past_add(&past, &second, current);
	return past;
}

static enum view_standing judge(const struct past *past, const struct view *current,
				const struct doubt *doubt, uint64_t position)
{
	const struct view *former = NULL;
	enum view_standing standing =
		past_judge(past, current, doubt, position, &former);

	ck_assert_int_eq(former != NULL, standing == VIEW_STANDS_FORMER);
	return standing;
}

START_TEST(position_belongs_to_the_view_with_the_last_floor_at_or_below_it)
{
	struct view current;
	const struct past past = three_views(&current);
	static const struct {
		uint64_t position;
		int bucket; /* 0: of no view */
	} rows[] = {
		{ 99, 0 },  { 100, 1 }, { 199, 1 }, { 200, 2 },
		{ 201, 2 }, { 299, 2 }, { 300, 3 }, { 900, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct view *view = &current;
		enum view_standing standing =
			past_judge(&past, &current, NULL, rows[i].position, &view);

		ck_assert_int_eq(standing, rows[i].bucket == 0   ? VIEW_STANDS_UNKNOWN
					   : rows[i].bucket == 3 ? VIEW_STANDS_HERE
								 : VIEW_STANDS_FORMER);
		if (rows[i].bucket > 0)
			ck_assert(bucket_set_has(&view->set, rows[i].bucket));
	}
}
END_TEST

START_TEST(floor_that_is_in_no_order_with_the_past_ends_it)
{
	struct view current, next = view_of(4, 400);
	struct past past = three_views(&current);

	next.distrusts_positions = true;
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, NULL, 350), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &next, NULL, 400), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &next, NULL, 401), VIEW_STANDS_HERE);
	/* A storage that was restored counts from an older version again. */
	past = three_views(&current);
	next = view_of(4, 300);
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, NULL, 299), VIEW_STANDS_UNKNOWN);
}
END_TEST

START_TEST(former_view_whose_floor_is_not_trusted_is_known_only_above_it)
{
	struct view former = view_of(1, 100), current = view_of(2, 200);
	struct past past = { 0 };

	former.distrusts_positions = true;
	past_add(&past, &former, &current);
	ck_assert_int_eq(judge(&past, &current, NULL, 100), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &current, NULL, 101), VIEW_STANDS_FORMER);
}
END_TEST

START_TEST(oldest_view_is_forgotten_when_there_are_too_many)
{
	struct view former = view_of(0, 100), next;
	struct past past = { 0 };

	for (int i = 1; i <= PAST_VIEWS_MAX + 1; i++) {
		next = view_of(i, 100 + 100 * (uint64_t)i);
		past_add(&past, &former, &next);
		former = next;
	}
	ck_assert_int_eq(judge(&past, &next, NULL, 199), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &next, NULL, 200), VIEW_STANDS_FORMER);
}
END_TEST

START_TEST(position_given_in_a_move_proves_nothing)
{
	struct view current, next = view_of(4, 400);
	struct past past = three_views(&current);
	struct doubt doubt = { 0 };

	doubt_begin(&doubt, 300);
	ck_assert_int_eq(judge(&past, &current, &doubt, 250), VIEW_STANDS_FORMER);
	doubt_note(&doubt, 250);
	doubt_note(&doubt, 300);
	ck_assert_int_eq(judge(&past, &current, &doubt, 250), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &current, &doubt, 300), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &current, &doubt, 301), VIEW_STANDS_HERE);
	/* Who has not arrived when the view changes again holds parts of two. */
	ck_assert_int_eq(judge(&past, &current, &doubt, 240), VIEW_STANDS_FORMER);
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, &doubt, 240), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 310), VIEW_STANDS_FORMER);
	doubt_begin(&doubt, 400);
	ck_assert_int_eq(judge(&past, &next, &doubt, 240), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 310), VIEW_STANDS_FORMER);
	doubt_finish(&doubt);
}
END_TEST

START_TEST(new_move_forgets_what_the_last_one_noted_and_doubts_it_all)
{
	struct view current, next = view_of(4, 400);
	struct past past = three_views(&current);
	struct doubt doubt = { 0 };

	doubt_begin(&doubt, 300);
	doubt_note(&doubt, 250);
	doubt_note(&doubt, 300);
	past_add(&past, &current, &next);
	doubt_begin(&doubt, 400);
	ck_assert_int_eq(judge(&past, &next, &doubt, 250), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 299), VIEW_STANDS_DOUBTED);
	/* An object of the floor's own version was sent: others stand there, too. */
	ck_assert_int_eq(judge(&past, &next, &doubt, 300), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 301), VIEW_STANDS_FORMER);
	doubt_finish(&doubt);
}
END_TEST

START_TEST(too_many_notes_put_all_in_doubt)
{
	struct view current;
	const struct past past = three_views(&current);
	struct doubt doubt = { 0 };

	doubt_begin(&doubt, 300);
	for (uint64_t i = 0; i < DOUBT_POSITIONS_MAX; i++)
		doubt_note(&doubt, 1000 + i);
	ck_assert_int_eq(judge(&past, &current, &doubt, 250), VIEW_STANDS_FORMER);
	doubt_note(&doubt, 100);
	ck_assert_int_eq(judge(&past, &current, &doubt, 250), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &current, &doubt, 301), VIEW_STANDS_HERE);
	doubt_finish(&doubt);
}
END_TEST

START_TEST(object_that_a_watch_begins_with_is_no_position)
{
	struct view current, next = view_of(4, 400);
	struct past past = three_views(&current);
	struct doubt doubt = { 0 };

	doubt_seed(&doubt, 350);
	doubt_seed(&doubt, 120);
	ck_assert_int_eq(judge(&past, &current, &doubt, 120), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &current, &doubt, 320), VIEW_STANDS_HERE);
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, &doubt, 320), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 350), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 351), VIEW_STANDS_FORMER);
	ck_assert(doubt_is_about(&doubt, 350));
	ck_assert(!doubt_is_about(&doubt, 351));
}
END_TEST

UNIT_MAIN("ring/past", position_belongs_to_the_view_with_the_last_floor_at_or_below_it,
	  floor_that_is_in_no_order_with_the_past_ends_it,
	  former_view_whose_floor_is_not_trusted_is_known_only_above_it,
	  oldest_view_is_forgotten_when_there_are_too_many,
	  position_given_in_a_move_proves_nothing,
	  new_move_forgets_what_the_last_one_noted_and_doubts_it_all,
	  too_many_notes_put_all_in_doubt,
	  object_that_a_watch_begins_with_is_no_position)
