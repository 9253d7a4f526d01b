#include "tests/unit/ring/history.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define STEPS 3000000
/* In as many histories each lapse must show. */
#define HISTORIES 4000

static void show(struct history *history, uint64_t seed, enum lapse lapse)
{
	const char *broken;

	history_shrink(history, lapse);
	history_tell(history, lapse);
	fflush(stdout);
	broken = history_run(history, lapse);
	ck_abort_msg("%s: seed %d, shrunk to %d steps", broken, (int)seed, history->n);
}

START_TEST(coherent_view_after_any_history_of_changes_cuts_and_returns)
{
	static struct history history;

	for (uint64_t seed = 1; history_counts.steps < STEPS; seed++) {
		history_make(&history, seed);
		if (history_run(&history, LAPSE_NONE) != NULL)
			show(&history, seed, LAPSE_NONE);
	}
	printf("ring/history: %d steps: %d moves, %d of them to their end, %d lists "
	       "anew, %d pages, %d cuts, %d frames left out\n",
	       (int)history_counts.steps, (int)history_counts.moved,
	       (int)history_counts.settled, (int)history_counts.told,
	       (int)history_counts.pages, (int)history_counts.cut,
	       (int)history_counts.dropped);
	/* It is about moves, most of them need no list, and frames are left out. */
	ck_assert_int_gt(history_counts.moved, 100000);
	ck_assert_int_gt(history_counts.dropped, 10000);
	ck_assert_int_gt(history_counts.seeded, 1000);
	ck_assert_int_gt(history_counts.pages, 1000);
}
END_TEST

START_TEST(each_rule_that_is_left_out_is_missed)
{
	for (int lapse = LAPSE_NONE + 1; lapse < LAPSES_N; lapse++) {
		static struct history history;
		const char *broken = NULL;
		uint64_t seed = 0;

		while (broken == NULL && seed < HISTORIES) {
			history_make(&history, ++seed);
			broken = history_run(&history, lapse);
		}
		ck_assert_msg(broken != NULL, "%s: nothing is broken", lapses[lapse]);
		history_shrink(&history, lapse);
		broken = history_run(&history, lapse);
		printf("ring/history: %s: %s, seed %d, in %d steps\n", lapses[lapse],
		       broken, (int)seed, history.n);
		ck_assert_ptr_nonnull(broken);
		ck_assert_int_lt(history.n, 40);
	}
}
END_TEST

UNIT_MAIN("ring/history", coherent_view_after_any_history_of_changes_cuts_and_returns,
	  each_rule_that_is_left_out_is_missed)
