/* One member's part in a handover, step by step; check_handover.c has the whole. */
#include "proxy/ring/changeover.h"

#include "tests/unit/unit.h"

static struct assignment known;
static struct changeover changeover;
static struct changeover_facts facts;
static const struct changeover_times times = { .quiet_ms = 100,
					       .settle_ms = 200,
					       .drain_timeout_ms = 5000 };

/* a/1 is told of epoch 5, in which it has two buckets of three. */
static void begin(void)
{
	changeover = (struct changeover){ 0 };
	known = (struct assignment){
		.buckets = 3,
		.epoch = 5,
		.members = { SLICE_LITERAL("a/1"), SLICE_LITERAL("b/1") },
		.members_n = 2,
		.active_n = 2,
		.bucket = { { 0, 0, 5 }, { 0, 0, 5 }, { 1, 1, 5 } }
	};
	facts = (struct changeover_facts){ .known = &known,
					   .identity = SLICE_LITERAL("a/1"),
					   .is_serving = true,
					   .follows = { true, true },
					   .now_ms = 1000,
					   .times = &times };
}

static void step_at(int64_t now_ms)
{
	facts.now_ms = now_ms;
	changeover_step(&changeover, &facts);
}

static void expect(int kept, int main, int owned)
{
	ck_assert_int_eq(bucket_set_count(&changeover.kept), kept);
	ck_assert_int_eq(bucket_set_count(&changeover.shown[RESOURCE_MAIN]), main);
	ck_assert_int_eq(bucket_set_count(&changeover.shown[RESOURCE_OWNED]), owned);
}

/* It has its two buckets and shows them. */
static void settle(void)
{
	begin();
	step_at(1000);
	step_at(1001);
	step_at(1201);
	step_at(1202);
	expect(2, 2, 2);
	ck_assert_int_eq(changeover.wake_ms, INT64_MAX);
	ck_assert_uint_eq(changeover.acknowledged, 5);
}

/* Its first bucket shall be b/1's. */
static void ask(void)
{
	settle();
	known.epoch = 6;
	known.bucket[0] = (struct assigned_bucket){ 0, 1, 6 };
}

START_TEST(taker_shows_owned_objects_first_and_main_ones_once_they_have_settled)
{
	begin();
	step_at(1000);
	expect(2, 0, 2);
	ck_assert_int_eq(changeover.wake_ms, 1000); /* nobody may tell of the views */
	ck_assert(changeover_holds(&changeover, RESOURCE_MAIN));
	facts.follows[RESOURCE_OWNED] = false;
	step_at(3000);
	expect(2, 0, 2);
	facts.follows[RESOURCE_OWNED] = true;
	step_at(4000);
	ck_assert_int_eq(changeover.wake_ms, 4200);
	step_at(4199);
	expect(2, 0, 2);
	step_at(4200);
	expect(2, 2, 2);
	ck_assert(!changeover_holds(&changeover, RESOURCE_MAIN));
}
END_TEST

START_TEST(taker_shows_no_main_object_while_a_client_may_lack_its_children)
{
	begin();
	facts.clients_lack = true;
	step_at(1000);
	expect(2, 0, 2);
	step_at(2000);
	expect(2, 0, 2);
	ck_assert_int_eq(changeover.wake_ms, 2010);
	facts.clients_lack = false;
	step_at(3000);
	ck_assert_int_eq(changeover.wake_ms, 3200);
	facts.clients_lack = true; /* it broke off again: the while begins anew */
	step_at(3100);
	facts.clients_lack = false;
	step_at(3200);
	expect(2, 0, 2);
	step_at(3400);
	expect(2, 2, 2);
}
END_TEST

START_TEST(giver_lets_go_although_a_client_is_away)
{
	ask();
	facts.clients_lack = true;
	step_at(2000);
	step_at(2001);
	step_at(2002);
	step_at(2102);
	ck_assert_uint_eq(changeover.acknowledged, 6);
	expect(1, 1, 1);
}
END_TEST

START_TEST(taker_shows_nothing_more_while_it_cannot_serve)
{
	begin();
	facts.is_serving = false;
	step_at(1000);
	step_at(9000);
	expect(2, 0, 0);
}
END_TEST

START_TEST(giver_shows_main_objects_no_more_and_then_owned_ones)
{
	ask();
	step_at(2000);
	expect(1, 1, 2);
	ck_assert_int_eq(changeover.wake_ms, 2000);
	facts.follows[RESOURCE_MAIN] = false;
	step_at(2001);
	expect(1, 1, 2);
	facts.follows[RESOURCE_MAIN] = true;
	step_at(2002);
	expect(1, 1, 1);
	ck_assert_uint_eq(changeover.acknowledged, 5);
}
END_TEST

START_TEST(giver_acknowledges_after_its_views_its_writes_and_quiet)
{
	ask();
	step_at(2000);
	step_at(2001);
	facts.follows[RESOURCE_OWNED] = false;
	step_at(2002);
	facts.follows[RESOURCE_OWNED] = true;
	facts.writes_over_ms = 3000;
	step_at(2003);
	ck_assert_int_eq(changeover.wake_ms, 3000);
	step_at(3000);
	ck_assert_int_eq(changeover.wake_ms, 3100);
	step_at(3099);
	ck_assert_uint_eq(changeover.acknowledged, 5);
	step_at(3100);
	ck_assert_uint_eq(changeover.acknowledged, 6);
	ck_assert(bucket_set_is_empty(&changeover.releasing));
	expect(1, 1, 1);
}
END_TEST

START_TEST(giver_cuts_writes_that_take_too_long)
{
	ask();
	facts.writes_over_ms = INT64_MAX;
	step_at(2000);
	step_at(2001);
	step_at(6999);
	ck_assert(!changeover.resets);
	ck_assert_int_eq(changeover.wake_ms, 7000);
	step_at(7000);
	ck_assert(changeover.resets);
	/* Cut, they are waited for. */
	facts.writes_over_ms = 9000;
	step_at(7001);
	ck_assert_int_eq(changeover.wake_ms, 9000);
	ck_assert_uint_eq(changeover.acknowledged, 5);
}
END_TEST

START_TEST(one_writer_writes_count_from_the_step_after_the_fence_has_closed)
{
	ask();
	facts.writes_over_ms = 0; /* of what was asked before */
	step_at(2000);
	ck_assert_int_eq(changeover.wake_ms, 2000);
	ck_assert_uint_eq(changeover.acknowledged, 5);
	ck_assert_int_eq(bucket_set_count(&changeover.releasing), 1);
	expect(1, 1, 2);
}
END_TEST

START_TEST(release_that_is_cancelled_is_an_acquire)
{
	ask();
	step_at(2000);
	step_at(2001);
	expect(1, 1, 1);
	known.epoch = 7;
	known.bucket[0] = (struct assigned_bucket){ 0, 0, 7 };
	step_at(2002);
	expect(2, 1, 2);
	ck_assert_uint_eq(changeover.acknowledged, 7);
	step_at(2003);
	step_at(2203);
	expect(2, 2, 2);
}
END_TEST

START_TEST(what_is_asked_later_holds_up_no_earlier_acknowledgement)
{
	ask();
	for (int64_t at_ms = 2000; at_ms < 2200; at_ms++)
		step_at(at_ms);
	ck_assert_uint_eq(changeover.acknowledged, 6);
	known.epoch = 9;
	known.bucket[1] = (struct assigned_bucket){ 0, 1, 8 };
	step_at(2200);
	/* Of 8, all but the last bucket is released. */
	ck_assert_uint_eq(changeover.acknowledged, 7);
	ck_assert(changeover_holds(&changeover, RESOURCE_MAIN) == false);
	for (int64_t at_ms = 2201; at_ms < 2400; at_ms++)
		step_at(at_ms);
	ck_assert_uint_eq(changeover.acknowledged, 9);
	expect(0, 0, 0);
}
END_TEST

START_TEST(fail_closed_who_has_lost_its_identity_shows_nothing_at_once)
{
	settle();
	facts.identity = slice_of(NULL);
	facts.is_serving = false;
	step_at(2000);
	expect(0, 0, 0);
}
END_TEST

static void expect_held(bool is_held)
{
	ck_assert_int_eq(changeover_holds(&changeover, RESOURCE_OWNED), is_held);
	ck_assert_int_eq(changeover_holds(&changeover, RESOURCE_MAIN), is_held);
}

/* c/1 has just come; there is room for it among the active. */
static void come(void)
{
	begin();
	known.shards = 3;
	facts.identity = SLICE_LITERAL("c/1");
	step_at(1000);
}

START_TEST(newcomer_serves_nothing_while_its_first_buckets_are_about_to_come)
{
	come();
	expect_held(true);
	ck_assert_int_eq(changeover.wake_ms, 4000);
	/* It is named, and waits for a/1. */
	known.epoch = 6;
	known.members[known.members_n++] = SLICE_LITERAL("c/1");
	known.active_n = 3;
	known.bucket[0] = (struct assigned_bucket){ 0, 2, 6 };
	step_at(1020);
	expect_held(true);
	known.epoch = 7;
	known.bucket[0] = (struct assigned_bucket){ 2, 2, 7 };
	step_at(1400);
	expect(1, 0, 1);
	ck_assert(!changeover_holds(&changeover, RESOURCE_OWNED));
	/* What comes later is no beginning. */
	known.epoch = 8;
	known.bucket[0] = (struct assigned_bucket){ 0, 0, 8 };
	step_at(1500);
	expect(0, 0, 0);
	expect_held(false);
}
END_TEST

START_TEST(newcomer_waits_for_its_first_buckets_for_a_while_only)
{
	come();
	step_at(3999);
	expect_held(true);
	step_at(4000);
	expect_held(false);
	/* It is what it was; under another identity it begins again. */
	step_at(4001);
	expect_held(false);
	facts.identity = SLICE_LITERAL("");
	step_at(5000);
	expect_held(false);
	facts.identity = SLICE_LITERAL("c/2");
	step_at(6000);
	expect_held(true);
}
END_TEST

START_TEST(standby_serves_at_once)
{
	come();
	begin();
	known.shards = 2;
	facts.identity = SLICE_LITERAL("c/1");
	step_at(1000);
	expect_held(false);
	/* Nor does it wait once there is room: its clients watch. */
	known.active_n = 1;
	step_at(1500);
	expect_held(false);
}
END_TEST

START_TEST(newcomer_that_is_barred_or_leaves_is_given_nothing)
{
	begin();
	known.shards = 3;
	facts.identity = SLICE_LITERAL("c/1");
	facts.is_barred = true;
	step_at(1000);
	expect_held(false);
	come();
	facts.is_leaving = true;
	step_at(1100);
	expect_held(false);
}
END_TEST

UNIT_MAIN("ring/changeover",
	  taker_shows_owned_objects_first_and_main_ones_once_they_have_settled,
	  taker_shows_no_main_object_while_a_client_may_lack_its_children,
	  giver_lets_go_although_a_client_is_away,
	  taker_shows_nothing_more_while_it_cannot_serve,
	  giver_shows_main_objects_no_more_and_then_owned_ones,
	  giver_acknowledges_after_its_views_its_writes_and_quiet,
	  giver_cuts_writes_that_take_too_long,
	  one_writer_writes_count_from_the_step_after_the_fence_has_closed,
	  release_that_is_cancelled_is_an_acquire,
	  what_is_asked_later_holds_up_no_earlier_acknowledgement,
	  fail_closed_who_has_lost_its_identity_shows_nothing_at_once,
	  newcomer_serves_nothing_while_its_first_buckets_are_about_to_come,
	  newcomer_waits_for_its_first_buckets_for_a_while_only, standby_serves_at_once,
	  newcomer_that_is_barred_or_leaves_is_given_nothing)
