/* From one version of the assignment to the next; check_assignment.c has the rest. */
#include "proxy/ring/assignment.h"

#include "tests/unit/unit.h"

static const struct slice a = SLICE_LITERAL("a/1"), b = SLICE_LITERAL("b/1"),
			  c = SLICE_LITERAL("c/1");

/* Of 8 buckets 0-3 and 7 are a's since epoch 1, 4-5 are b's since 17, 6 nobody's. */
static struct assignment epoch_17(void)
{
	struct assignment now = { .buckets = 8,
				  .epoch = 17,
				  .labelled = 3,
				  .members = { a, b },
				  .members_n = 2,
				  .active_n = 2 };

	for (int i = 0; i < 8; i++)
		now.bucket[i] = (struct assigned_bucket){ .since = 1 };
	for (int i = 4; i < 6; i++)
		now.bucket[i] = (struct assigned_bucket){ 1, 1, 17 };
	now.bucket[6] = (struct assigned_bucket){ -1, -1, 5 };
	return now;
}

START_TEST(assignment_next_changes_since_only_where_the_owner_changed)
{
	const struct slice active[] = { b, c };
	/* 0-3 go to b, 4-5 stay b's, 7 goes to c, 6 stays nobody's. */
	static const int owner[] = { 0, 0, 0, 0, 0, 0, -1, 1 };
	static const uint64_t since[] = { 18, 18, 18, 18, 17, 17, 5, 18 };
	struct assignment now = epoch_17(), next;

	ck_assert(assignment_next(&next, &now, active, 2, owner));
	ck_assert_uint_eq(next.epoch, 18);
	ck_assert_int_eq(next.members_n, 2);
	ck_assert_int_eq(next.active_n, 2);
	ck_assert_int_eq(assignment_member(&next, a), -1);
	ck_assert_int_eq(assignment_member(&next, c), 1);
	for (int i = 0; i < 8; i++) {
		ck_assert_int_eq(next.bucket[i].owner, owner[i]);
		ck_assert_int_eq(next.bucket[i].target, owner[i]);
		ck_assert_uint_eq(next.bucket[i].since, since[i]);
	}
	ck_assert_uint_eq(next.labelled, 3);
	ck_assert_int_eq(next.buckets, 8);
}
END_TEST

START_TEST(assignment_next_is_none_when_nothing_changes)
{
	const struct slice active[] = { a, b };
	static const int owner[] = { 0, 0, 0, 0, 1, 1, -1, 0 };
	struct assignment now = epoch_17(), next = { .epoch = 4711 };

	ck_assert(!assignment_next(&next, &now, active, 2, owner));
	ck_assert_uint_eq(next.epoch, 4711);
}
END_TEST

START_TEST(assignment_next_tells_of_an_active_member_that_owns_nothing)
{
	const struct slice active[] = { a, b, c };
	static const int owner[] = { 0, 0, 0, 0, 1, 1, -1, 0 };
	struct assignment now = epoch_17(), next;

	ck_assert(assignment_next(&next, &now, active, 3, owner));
	ck_assert_int_eq(next.active_n, 3);
	ck_assert_uint_eq(next.bucket[0].since, 1);
}
END_TEST

START_TEST(assignment_next_ends_a_handover)
{
	const struct slice active[] = { a, b };
	static const int owner[] = { 0, 0, 0, 0, 1, 1, -1, 0 };
	struct assignment now = epoch_17(), next;

	now.bucket[0].target = 1;
	ck_assert(assignment_next(&next, &now, active, 2, owner));
	ck_assert_int_eq(next.bucket[0].owner, 0);
	ck_assert_int_eq(next.bucket[0].target, 0);
	ck_assert_uint_eq(next.bucket[0].since, 1);
}
END_TEST

UNIT_MAIN("ring/assignment_next",
	  assignment_next_changes_since_only_where_the_owner_changed,
	  assignment_next_is_none_when_nothing_changes,
	  assignment_next_tells_of_an_active_member_that_owns_nothing,
	  assignment_next_ends_a_handover)
