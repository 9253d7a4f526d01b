#include "proxy/member/outlook.h"

#include "tests/unit/unit.h"

static const struct ring_spec spec = { .buckets = 4,
				       .resources_n = 2,
				       .hash = "0123456789abcdef" };

static struct assignment known;
static struct changeover changeover;

/* As membership does: the changeover first. Its views take no time. */
static void step_changeover(const struct outlook *outlook)
{
	static const struct changeover_times times = { .settle_ms = 0 };
	const struct changeover_facts facts = {
		.known = outlook->known,
		.identity = outlook_identity(outlook),
		.is_serving = outlook_is_serving(outlook),
		.is_barred = outlook->locks_are_foreign,
		.follows = { true, true },
		.now_ms = outlook->now_ms,
		.times = &times,
	};

	changeover_step(&changeover, &facts);
}

static struct ring outlook_of(const struct outlook *outlook)
{
	changeover = (struct changeover){ 0 };
	for (int i = 0; i < 3; i++)
		step_changeover(outlook);
	return outlook_ring(outlook);
}

/* a/1 owns half of the buckets, and everything is well. */
static struct outlook well(void)
{
	known = (struct assignment){ .buckets = 4,
				     .resources = SLICE_LITERAL("0123456789abcdef"),
				     .epoch = 9,
				     .labelled = 3,
				     .members = { SLICE_LITERAL("a/1"),
						  SLICE_LITERAL("b/1") },
				     .members_n = 2,
				     .active_n = 2 };
	for (int b = 0; b < 4; b++)
		known.bucket[b] = (struct assigned_bucket){ b % 2, b % 2, 1 };
	return (struct outlook){ .spec = &spec,
				 .known = &known,
				 .was_member = true,
				 .identity = SLICE_LITERAL("a/1"),
				 .keeper_reason = "",
				 .right_until_ms = 1000,
				 .locks_until_ms = INT64_MAX,
				 .now_ms = 500,
				 .changeover = &changeover,
				 .catalogued = 3 };
}

static void expect(const struct outlook *outlook, enum ring_state state, int owned,
		   const char *reason)
{
	struct ring ring = outlook_of(outlook);

	ck_assert_str_eq(ring_state_name(ring.state), ring_state_name(state));
	ck_assert_int_eq(bucket_set_count(&ring.owned), owned);
	ck_assert_msg(strstr(ring.reason, reason), "the reason is '%s'", ring.reason);
	if (!reason[0])
		ck_assert_str_eq(ring.reason, "");
}

START_TEST(outlook_of_an_owner_is_active)
{
	struct outlook outlook = well();
	struct ring ring = outlook_of(&outlook);

	expect(&outlook, RING_ACTIVE, 2, "");
	ck_assert_uint_eq(ring.epoch, 9);
	ck_assert_uint_eq(ring.served, 3);
	ck_assert_int_eq(ring.right_until_ms, 1000);
}
END_TEST

START_TEST(outlook_of_another_incarnation_owns_nothing)
{
	struct outlook outlook = well();

	outlook.identity = SLICE_LITERAL("a/2");
	expect(&outlook, RING_STANDBY, 0, "");
}
END_TEST

START_TEST(fail_closed_right_that_has_run_out_is_lost)
{
	struct outlook outlook = well();

	outlook.now_ms = 1000;
	expect(&outlook, RING_RIGHT_LOST, 2, "not renewed in time");
}
END_TEST

START_TEST(right_lasts_no_longer_than_the_evidence_of_the_real_lock)
{
	struct outlook outlook = well();

	outlook.locks_until_ms = 600;
	outlook.locks_were_held = true;
	expect(&outlook, RING_ACTIVE, 2, "");
	ck_assert_int_eq(outlook_of(&outlook).right_until_ms, 600);
	outlook.now_ms = 600;
	ck_assert(!outlook_is_serving(&outlook));
	ck_assert(outlook_wants_locks(&outlook));
	expect(&outlook, RING_RIGHT_LOST, 2, "lock is not known to be the ring's");
	outlook.locks_were_held = false;
	expect(&outlook, RING_NOT_READY, 2, "lock is not known to be the ring's");
	outlook.locks_until_ms = 2000;
	outlook.now_ms = 1000;
	ck_assert(!outlook_wants_locks(&outlook));
	expect(&outlook, RING_RIGHT_LOST, 2, "not renewed in time");
}
END_TEST

START_TEST(member_waits_while_a_replica_without_ringside_leads)
{
	struct outlook outlook = well();

	outlook.locks_until_ms = 0;
	outlook.locks_are_foreign = true;
	outlook.locks_were_held = true;
	expect(&outlook, RING_WAITING, 0, "runs without Ringside");
	ck_assert(!outlook_is_serving(&outlook));
	/* Ready as a spare is; or a rolling update would not go on. */
	ck_assert(outlook_wants_locks(&outlook));
}
END_TEST

START_TEST(real_lock_is_left_alone_until_all_objects_are_labelled)
{
	struct outlook outlook = well();

	known.labelled = 1;
	ck_assert(!outlook_wants_locks(&outlook));
	known.labelled = 3;
	outlook.catalogued = 0;
	ck_assert(!outlook_wants_locks(&outlook));
	/* One that is not there cannot be labelled. */
	known.labelled = 1;
	outlook.catalogued = 1;
	ck_assert(outlook_wants_locks(&outlook));
	outlook.is_leaving = true;
	ck_assert(!outlook_wants_locks(&outlook));
}
END_TEST

START_TEST(fail_closed_lease_that_is_not_ours_owns_nothing)
{
	struct outlook outlook = well();

	outlook.identity = slice_of("");
	outlook.keeper_reason = "somebody else";
	outlook.right_until_ms = 0;
	expect(&outlook, RING_RIGHT_LOST, 0, "somebody else");
	outlook.was_member = false;
	expect(&outlook, RING_NOT_READY, 0, "somebody else");
}
END_TEST

START_TEST(fail_closed_disagreement_owns_nothing)
{
	struct outlook outlook = well();

	known.resources = SLICE_LITERAL("fedcba9876543210");
	expect(&outlook, RING_NOT_READY, 0, "resources");
	known.placement = PLACEMENT_NAME;
	expect(&outlook, RING_NOT_READY, 0, "placement");
	known.buckets = 8;
	expect(&outlook, RING_NOT_READY, 0, "number of buckets");
}
END_TEST

START_TEST(outlook_without_an_assignment_is_not_ready)
{
	struct outlook outlook = well();

	known.epoch = 0;
	expect(&outlook, RING_NOT_READY, 0, "no assignment");
	outlook.is_foreign = true;
	expect(&outlook, RING_NOT_READY, 0, "another version");
}
END_TEST

START_TEST(outlook_serves_what_is_labelled_and_known)
{
	struct outlook outlook = well();

	known.labelled = 1;
	ck_assert_uint_eq(outlook_of(&outlook).served, 1);
	expect(&outlook, RING_ACTIVE, 2, "label");
	known.labelled = 3;
	outlook.catalogued = 2;
	ck_assert_uint_eq(outlook_of(&outlook).served, 2);
	expect(&outlook, RING_ACTIVE, 2, "not all resources are known");
}
END_TEST

START_TEST(what_is_held_for_its_buckets_is_told_from_what_cannot_be_served)
{
	struct outlook outlook = well();
	struct ring ring;

	known.labelled = 1;
	changeover = (struct changeover){ 0 };
	step_changeover(&outlook); /* of main resources, nothing is shown yet */
	ring = outlook_ring(&outlook);
	ck_assert_uint_eq(ring.served, 1);
	ck_assert_uint_eq(ring.held, 3);
	ring = outlook_of(&outlook);
	ck_assert_uint_eq(ring.served, 1);
	ck_assert_uint_eq(ring.held, 0);
}
END_TEST

START_TEST(outlook_of_a_leaver_lets_no_write_pass)
{
	struct outlook outlook = well();
	struct ring ring;

	outlook.is_leaving = true;
	ring = outlook_of(&outlook);
	ck_assert_int_eq(ring.state, RING_LEAVING);
	ck_assert_str_eq(ring.reason, "it was told to end");
	ck_assert(!ring_may_write(&ring, 0, 500));
}
END_TEST

UNIT_MAIN("member/outlook", outlook_of_an_owner_is_active,
	  outlook_of_another_incarnation_owns_nothing,
	  fail_closed_right_that_has_run_out_is_lost,
	  right_lasts_no_longer_than_the_evidence_of_the_real_lock,
	  member_waits_while_a_replica_without_ringside_leads,
	  real_lock_is_left_alone_until_all_objects_are_labelled,
	  fail_closed_lease_that_is_not_ours_owns_nothing,
	  fail_closed_disagreement_owns_nothing,
	  outlook_without_an_assignment_is_not_ready,
	  outlook_serves_what_is_labelled_and_known,
	  what_is_held_for_its_buckets_is_told_from_what_cannot_be_served,
	  outlook_of_a_leaver_lets_no_write_pass)
