#include "proxy/ring/coordination.h"

#include "tests/unit/unit.h"

#define S(text) SLICE_LITERAL(text)
#define BUCKETS 12
#define NOW_MS 100000

static const struct ring_spec spec = { .buckets = BUCKETS, .hash = "0123456789abcdef" };

/* A coordinator a/1 that knows an assignment of a/1, b/1 and c/1 and their Leases. */
static struct coordination c;
static struct assignment known;
static struct peer peers[8];

/* Nobody writes to a peer's texts. */
static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static struct peer *peer_add(const char *member, const char *identity)
{
	struct peer *peer = &peers[c.peers_n];

	*peer = (struct peer){
		.member = text(member),
		.identity = text(identity),
		.lease_name = text(identity),
		.resource_version = text("7"),
		.settings = text("0123456789abcdef/12/namespace,name"),
		.acquire_time = text(""),
		.is_present = true,
		.duration_ms = 15000,
		.seen_ms = NOW_MS - 1000,
		.acknowledged = 5,
	};
	c.peers[c.peers_n++] = peer;
	return peer;
}

static void begin(void)
{
	memset(&c, 0, sizeof(c));
	known = (struct assignment){ .buckets = BUCKETS,
				     .resources = S("0123456789abcdef"),
				     .shards = 3,
				     .epoch = 5,
				     .labelled = 1,
				     .members = { S("a/1"), S("b/1"), S("c/1") },
				     .members_n = 3,
				     .active_n = 3 };
	for (int b = 0; b < BUCKETS; b++)
		known.bucket[b] = (struct assigned_bucket){ b / 4, b / 4, 1 };
	c.spec = &spec;
	c.settings = text("0123456789abcdef/12/namespace,name");
	c.identity = S("a/1");
	c.known = &known;
	c.is_stored = true;
	c.now_ms = NOW_MS;
	c.since_ms = 1;
	c.shards = 3;
	c.labelled = 1;
	peer_add("a", "a/1");
	peer_add("b", "b/1");
	peer_add("c", "c/1");
}

static void silence(struct peer *peer)
{
	peer->seen_ms = NOW_MS - peer->duration_ms;
}

static enum plan_verdict plan(struct assignment *next)
{
	return coordination_plan(&c, next);
}

static int errands(enum peer_errand errand)
{
	const struct peer *out[ROSTER_PEERS_MAX];

	return coordination_errands(&c, errand, out);
}

START_TEST(plan_of_a_ring_at_rest_is_nothing)
{
	struct assignment next;

	begin();
	ck_assert_int_eq(plan(&next), PLAN_NOTHING);
	ck_assert_int_eq(errands(ERRAND_SEAL) + errands(ERRAND_READ) +
				 errands(ERRAND_DELETE),
			 0);
	ck_assert_int_eq(coordination_deadline(&c), NOW_MS + 14000);
}
END_TEST

START_TEST(one_writer_silent_owner_keeps_its_buckets_until_it_is_sealed)
{
	struct assignment next;

	begin();
	silence(&peers[1]);
	ck_assert_int_eq(errands(ERRAND_SEAL), 1);
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
	ck_assert(!coordination_has_orphans(&c));
	peers[1].is_ended = true;
	ck_assert_int_eq(errands(ERRAND_SEAL), 0);
	ck_assert(coordination_has_orphans(&c));
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_eq(next.epoch, 6);
	ck_assert_int_eq(next.active_n, 2);
	ck_assert_int_eq(coordination_moves(&known, &next), 4);
	ck_assert_int_eq(assignment_member(&next, S("b/1")), -1);
}
END_TEST

START_TEST(one_writer_released_owner_is_replaced_at_once)
{
	struct assignment next;

	begin();
	peers[2].is_released = true;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(coordination_moves(&known, &next), 4);
}
END_TEST

START_TEST(one_writer_owner_without_a_lease_keeps_its_buckets)
{
	struct assignment next;

	begin();
	peers[1].is_present = false;
	ck_assert_int_eq(coordination_standing(&c, S("b/1")), IDENTITY_ABSENT);
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
	silence(&peers[1]);
	ck_assert_int_eq(errands(ERRAND_SEAL), 1);
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
}
END_TEST

START_TEST(one_writer_owner_with_another_life_on_its_lease_is_read_first)
{
	const struct slice replaced[] = { S("b/1") };
	struct assignment next;

	begin();
	peers[1].identity = text("b/2");
	ck_assert_int_eq(coordination_standing(&c, S("b/1")), IDENTITY_DOUBTFUL);
	ck_assert_int_eq(errands(ERRAND_READ), 1);
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
	c.replaced = replaced;
	c.replaced_n = 1;
	ck_assert_int_eq(errands(ERRAND_READ), 0);
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(next.active_n, 3);
	ck_assert_int_ge(assignment_member(&next, S("b/2")), 0);
	ck_assert_int_eq(coordination_moves(&known, &next), 4);
}
END_TEST

START_TEST(one_writer_owner_of_whom_no_lease_was_seen_holds_up_the_plan)
{
	struct assignment next;

	begin();
	c.peers_n = 2;
	ck_assert_int_eq(coordination_standing(&c, S("c/1")), IDENTITY_UNKNOWN);
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
}
END_TEST

START_TEST(silence_from_before_an_outage_does_not_count)
{
	struct assignment next;

	begin();
	for (int i = 0; i < 3; i++)
		silence(&peers[i]);
	c.since_ms = NOW_MS - 14999;
	ck_assert_int_eq(errands(ERRAND_SEAL), 0);
	ck_assert_int_eq(plan(&next), PLAN_NOTHING);
	ck_assert_int_eq(coordination_deadline(&c), NOW_MS + 1);
	c.since_ms = NOW_MS - 15000;
	/* Ourselves we do not seal: our keeper knows. */
	ck_assert_int_eq(errands(ERRAND_SEAL), 2);
	c.since_ms = INT64_MAX;
	ck_assert_int_eq(errands(ERRAND_SEAL), 0);
	ck_assert_int_eq(coordination_deadline(&c), INT64_MAX);
}
END_TEST

START_TEST(newcomer_beyond_the_shards_changes_nothing)
{
	struct assignment next;

	begin();
	peer_add("d", "d/1");
	ck_assert_int_eq(plan(&next), PLAN_NOTHING);
	c.shards = 4;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(next.active_n, 4);
	ck_assert_int_eq(next.shards, 4);
	ck_assert_int_eq(coordination_moves(&known, &next), 0);
}
END_TEST

/* a/1, b/1 and c/1 are asked for a bucket each for d/1, a standby until now. */
static void announce(struct assignment *next)
{
	begin();
	peer_add("d", "d/1");
	c.shards = 4;
	ck_assert_int_eq(plan(next), PLAN_PUBLISH);
	known = *next;
	ck_assert_uint_eq(known.epoch, 6);
	ck_assert(coordination_awaits(&c));
	ck_assert_int_eq(plan(next), PLAN_NOTHING);
}

START_TEST(one_writer_bucket_changes_hands_once_its_owner_has_acknowledged)
{
	struct assignment next;

	announce(&next);
	peers[1].acknowledged = 6;
	ck_assert(coordination_awaits(&c));
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(coordination_moves(&known, &next), 1);
	peers[0].acknowledged = peers[2].acknowledged = 7;
	ck_assert(!coordination_awaits(&c));
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(coordination_moves(&known, &next), 3);
}
END_TEST

START_TEST(one_writer_acknowledgement_of_another_life_is_none)
{
	const struct slice replaced[] = { S("b/1") };
	struct assignment next;

	announce(&next);
	peers[1].identity = text("b/2");
	peers[1].acknowledged = 6;
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
	c.replaced = replaced;
	c.replaced_n = 1;
	/* Now that it is known to be gone, no acknowledgement is needed. */
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(coordination_moves(&known, &next), 4);
}
END_TEST

START_TEST(target_that_dies_is_replaced)
{
	struct assignment next;

	announce(&next);
	peers[3].is_ended = true;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(coordination_moves(&known, &next), 0);
	ck_assert_int_eq(assignment_member(&next, S("d/1")), -1);
	for (int b = 0; b < BUCKETS; b++)
		ck_assert_int_eq(next.bucket[b].owner, next.bucket[b].target);
}
END_TEST

START_TEST(newcomer_with_other_settings_is_no_candidate)
{
	struct assignment next;

	begin();
	c.shards = known.shards = 4;
	peer_add("d", "d/1")->settings = text("fedcba9876543210/12/namespace,name");
	ck_assert_int_eq(plan(&next), PLAN_NOTHING);
}
END_TEST

START_TEST(member_whose_controller_is_silent_hands_over_what_it_has)
{
	struct assignment next;

	begin();
	peers[1].is_unattended = true;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	/* It lives, so it is asked to let go first. */
	ck_assert_int_eq(coordination_moves(&known, &next), 0);
	for (int b = 4; b < 8; b++) {
		ck_assert_int_eq(next.bucket[b].owner,
				 assignment_member(&next, S("b/1")));
		ck_assert_int_ne(next.bucket[b].target, next.bucket[b].owner);
	}
}
END_TEST

START_TEST(nothing_moves_when_every_controller_is_silent)
{
	struct assignment next;

	begin();
	for (int i = 0; i < 3; i++)
		peers[i].is_unattended = true;
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
}
END_TEST

START_TEST(lower_generation_does_not_undo_the_shards_of_a_higher_one)
{
	struct assignment next;

	begin();
	known.generation = 7;
	c.generation = 6;
	c.shards = 1;
	ck_assert_int_eq(coordination_shards(&c), 3);
	ck_assert_int_eq(plan(&next), PLAN_NOTHING);
	c.generation = 7;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_int_eq(next.active_n, 1);
	c.generation = 8;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_eq(next.generation, 8);
}
END_TEST

START_TEST(first_pass_that_is_complete_is_published)
{
	struct assignment next;

	begin();
	c.labelled = 2;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_eq(next.labelled, 3);
	ck_assert_uint_eq(next.epoch, 6);
	ck_assert_int_eq(coordination_moves(&known, &next), 0);
}
END_TEST

START_TEST(assignment_that_is_not_stored_is_written_again)
{
	struct assignment next;

	begin();
	c.is_stored = false;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_eq(next.epoch, 6);
	ck_assert_int_eq(coordination_moves(&known, &next), 0);
}
END_TEST

START_TEST(lost_assignment_is_begun_anew_above_all_that_was_known)
{
	struct assignment next;

	begin();
	known = (struct assignment){ 0 };
	c.is_stored = false;
	peers[0].acknowledged = 0;
	/* b and c know it, and live: it is theirs to write again. */
	ck_assert(!coordination_may_contend(&c));
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
	silence(&peers[1]);
	silence(&peers[2]);
	ck_assert(coordination_may_contend(&c));
	ck_assert_int_eq(plan(&next), PLAN_HOLD);
	peers[1].is_ended = peers[2].is_ended = true;
	ck_assert_int_eq(errands(ERRAND_DELETE), 0);
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_gt(next.epoch, 100);
	ck_assert_int_eq(coordination_moves(&known, &next), BUCKETS);
	peers[1].acknowledged = peers[2].acknowledged = 0;
	c.told_epoch = 5000;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_gt(next.epoch, 5000);
	c.told_epoch = 0;
	ck_assert_int_eq(plan(&next), PLAN_PUBLISH);
	ck_assert_uint_eq(next.epoch, 1);
}
END_TEST

START_TEST(ended_lease_is_deleted_once_no_bucket_is_named_for_it)
{
	begin();
	peers[2].is_ended = true;
	ck_assert_int_eq(errands(ERRAND_DELETE), 0);
	for (int b = 8; b < BUCKETS; b++)
		known.bucket[b] = (struct assigned_bucket){ 0, 2, 6 };
	ck_assert_int_eq(errands(ERRAND_DELETE), 0);
	for (int b = 8; b < BUCKETS; b++)
		known.bucket[b].target = 0;
	ck_assert_int_eq(errands(ERRAND_DELETE), 1);
	peers[2].is_present = false;
	ck_assert_int_eq(errands(ERRAND_DELETE), 0);
}
END_TEST

START_TEST(members_with_new_resources_contend_when_no_old_one_lives)
{
	begin();
	known.resources = S("1111111111111111");
	ck_assert(coordination_may_contend(&c));
	for (int i = 1; i < 3; i++)
		peers[i].settings = text("1111111111111111/12/namespace,name");
	ck_assert(!coordination_may_contend(&c));
	silence(&peers[1]);
	peers[2].is_released = true;
	ck_assert(coordination_may_contend(&c));
	known.buckets = 24;
	ck_assert(!coordination_may_contend(&c));
}
END_TEST

START_TEST(seat_is_for_those_who_agree)
{
	begin();
	ck_assert(coordination_may_contend(&c));
	known.placement = PLACEMENT_NAME;
	ck_assert(!coordination_may_contend(&c));
}
END_TEST

UNIT_MAIN("ring/coordination", plan_of_a_ring_at_rest_is_nothing,
	  one_writer_silent_owner_keeps_its_buckets_until_it_is_sealed,
	  one_writer_released_owner_is_replaced_at_once,
	  one_writer_owner_without_a_lease_keeps_its_buckets,
	  one_writer_owner_with_another_life_on_its_lease_is_read_first,
	  one_writer_owner_of_whom_no_lease_was_seen_holds_up_the_plan,
	  silence_from_before_an_outage_does_not_count,
	  newcomer_beyond_the_shards_changes_nothing,
	  one_writer_bucket_changes_hands_once_its_owner_has_acknowledged,
	  one_writer_acknowledgement_of_another_life_is_none,
	  target_that_dies_is_replaced, newcomer_with_other_settings_is_no_candidate,
	  member_whose_controller_is_silent_hands_over_what_it_has,
	  nothing_moves_when_every_controller_is_silent,
	  lower_generation_does_not_undo_the_shards_of_a_higher_one,
	  first_pass_that_is_complete_is_published,
	  assignment_that_is_not_stored_is_written_again,
	  lost_assignment_is_begun_anew_above_all_that_was_known,
	  ended_lease_is_deleted_once_no_bucket_is_named_for_it,
	  members_with_new_resources_contend_when_no_old_one_lives,
	  seat_is_for_those_who_agree)
