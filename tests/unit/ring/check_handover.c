/*
 * How buckets change hands: tables of single steps, and random histories of the
 * whole (machine.h). Each rule, left out by a mutant, must be missed by the oracle.
 */
#include "proxy/ring/handover.h"

#include <stdio.h>

#include "tests/unit/ring/machine.h"
#include "tests/unit/unit.h"

#define HISTORIES 500
#define STEPS 2200 /* of one history: more than a million in all */

/* a/1, b/1 and c/1 are active; of three buckets a/1 has the first two, b/1 one. */
static const struct slice active[] = { SLICE_LITERAL("a/1"), SLICE_LITERAL("b/1"),
				       SLICE_LITERAL("c/1") };
static bool gone[ASSIGNMENT_MEMBERS_MAX];
static uint64_t told[ASSIGNMENT_MEMBERS_MAX];
static struct assignment now;

static void begin(void)
{
	memset(gone, 0, sizeof(gone));
	memset(told, 0, sizeof(told));
	now = (struct assignment){ .buckets = 3,
				   .epoch = 5,
				   .members = { active[0], active[1], active[2] },
				   .members_n = 3,
				   .active_n = 3,
				   .bucket = {
					   { 0, 0, 1 }, { 0, 0, 1 }, { 1, 1, 4 } } };
}

/* The first bucket shall be c/1's, or whose; whether anything changes. */
static bool next(int want)
{
	const int wants[] = { want, 0, 1 };

	return handover_next(&now, &now,
			     &(struct handover_plan){ active, 3, wants, gone, told });
}

static void expect(int owner, int target, uint64_t since)
{
	ck_assert_int_eq(now.bucket[0].owner, owner);
	ck_assert_int_eq(now.bucket[0].target, target);
	ck_assert_uint_eq(now.bucket[0].since, since);
	ck_assert_uint_eq(now.bucket[2].since, 4);
}

START_TEST(bucket_gets_a_target_and_then_an_owner)
{
	begin();
	ck_assert(!next(0));
	ck_assert(next(2));
	expect(0, 2, 6);
	told[0] = 5;
	ck_assert(!next(2));
	told[0] = 6;
	ck_assert(next(2));
	expect(2, 2, 7);
	ck_assert(!next(2));
}
END_TEST

START_TEST(bucket_that_shall_stay_after_all_is_at_rest_again)
{
	begin();
	next(2);
	ck_assert(next(0));
	expect(0, 0, 7);
}
END_TEST

START_TEST(another_target_needs_another_acknowledgement)
{
	begin();
	next(2);
	ck_assert(next(1));
	expect(0, 1, 7);
	told[0] = 6;
	ck_assert(!next(1));
	told[0] = 7;
	ck_assert(next(1));
	expect(1, 1, 8);
}
END_TEST

START_TEST(owner_that_is_gone_is_replaced_at_once)
{
	begin();
	gone[0] = true;
	ck_assert(next(2));
	expect(2, 2, 6);
}
END_TEST

START_TEST(owner_that_is_not_active_stays_until_it_has_let_go)
{
	const int wants[] = { 0, 0, 0 };
	const struct handover_plan plan = { &active[1], 2, wants, gone, told };

	begin();
	ck_assert(handover_next(&now, &now, &plan));
	ck_assert_int_eq(now.active_n, 2);
	ck_assert_int_eq(now.members_n, 3);
	ck_assert_slice(now.members[2], "a/1");
	expect(2, 0, 6);
	told[2] = 6;
	ck_assert(handover_next(&now, &now, &plan));
	ck_assert_int_eq(now.members_n, 2);
	expect(0, 0, 7);
	ck_assert(!handover_next(&now, &now, &plan));
}
END_TEST

START_TEST(bucket_of_nobody_is_given_at_once_and_to_nobody_not_at_all)
{
	const int wants[] = { -1, -1, -1 };
	const struct handover_plan plan = { active, 0, wants, gone, told };

	begin();
	/* Nobody is active: who has a bucket keeps it. */
	ck_assert(handover_next(&now, &now, &plan));
	expect(0, 0, 1);
	ck_assert_int_eq(now.active_n, 0);
	begin();
	now.bucket[0] = (struct assigned_bucket){ -1, -1, 1 };
	ck_assert(next(2));
	expect(2, 2, 6);
}
END_TEST

START_TEST(one_writer_holds_in_a_million_steps)
{
	for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
		const char *broken = machine_run(seed, MUTANT_NONE, STEPS);

		if (broken)
			ck_abort_msg("%s is broken: seed %d, after %d steps", broken,
				     (int)seed, machine_shrink(seed, MUTANT_NONE));
	}
	printf("ring/handover: seeds 1-%d: %d steps, %d writes, %d ends of handovers\n",
	       HISTORIES, (int)machine_counts.steps, (int)machine_counts.writes,
	       (int)machine_counts.handovers);
	ck_assert_uint_ge(machine_counts.steps, 1000000);
	ck_assert_uint_ge(machine_counts.writes, 5000);
	ck_assert_uint_ge(machine_counts.handovers, 1000);
}
END_TEST

START_TEST(each_rule_that_is_left_out_is_missed)
{
	for (int mutant = MUTANT_NONE + 1; mutant < MUTANTS_N; mutant++) {
		const char *broken = NULL;
		uint64_t seed = 0;

		while (!broken && seed < HISTORIES)
			broken = machine_run(++seed, mutant, STEPS);
		ck_assert_msg(broken != NULL, "%s: nothing is broken", mutants[mutant]);
		printf("ring/handover: %s: %s broken, seed %d, after %d steps\n",
		       mutants[mutant], broken, (int)seed,
		       machine_shrink(seed, mutant));
	}
}
END_TEST

UNIT_MAIN("ring/handover", bucket_gets_a_target_and_then_an_owner,
	  bucket_that_shall_stay_after_all_is_at_rest_again,
	  another_target_needs_another_acknowledgement,
	  owner_that_is_gone_is_replaced_at_once,
	  owner_that_is_not_active_stays_until_it_has_let_go,
	  bucket_of_nobody_is_given_at_once_and_to_nobody_not_at_all,
	  one_writer_holds_in_a_million_steps, each_rule_that_is_left_out_is_missed)
