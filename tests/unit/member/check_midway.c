/*
 * What can happen in the middle of a handover, at each moment of it: three members are
 * active, a fourth one is to have its share, and then somebody comes, goes, dies,
 * stops, or changes his mind. It converges by itself, in bounded time, and then is
 * still.
 */
#include "tests/unit/member/world/world.h"

#define LEASE_MS 15000
/* A handover takes about as long; a moment is this far from the next. */
#define HANDOVER_MS 320
#define MOMENT_MS 40

/* a, b, c are active; d stands by, and is to become active from now on. */
static struct world_member *begin_handover(uint64_t seed)
{
	world_begin(seed);
	world.views_ms = 60;
	for (int i = 0; i < 4; i++) {
		world_lock_file(world_member((char[]){ (char)('a' + i), '\0' }));
		if (i < 3)
			world_start(&world.members[i]);
	}
	world_run_until(world_is_covered, 2000);
	world_run(12000);
	world_start(&world.members[3]);
	world_run(6000);
	ck_assert_int_eq(world_active_n(), 3);
	return world.members;
}

static void set_shards(int shards)
{
	world.conf.shards = shards;
	for (int i = 0; i < world.members_n; i++) {
		world.members[i].conf.shards = shards;
		if (world.members[i].is_up)
			membership_reload(world.members[i].membership,
					  &world.members[i].conf);
	}
}

static bool has_n_active;
static int expected_n;

static bool is_whole(void)
{
	has_n_active = world_active_n() == expected_n;
	return has_n_active && world_is_covered();
}

/*
 * It is whole within max_ms, with so many active members, and stays so; once it is
 * known of all who are dead, the assignment stands still.
 */
static void expect_active(int n, int64_t max_ms)
{
	uint64_t epoch;

	expected_n = n;
	world_run_until(is_whole, max_ms);
	world_run(LEASE_MS + 2000);
	ck_assert(is_whole());
	epoch = world.stored.epoch;
	world_run((int64_t)2 * LEASE_MS);
	ck_assert(is_whole());
	ck_assert_uint_eq(world.stored.epoch, epoch);
}

/* For each moment of the handover: what happens then, and what is to come of it. */
static void at_each_moment(void (*happens)(struct world_member *members), int n,
			   int64_t max_ms)
{
	for (int64_t at_ms = 0; at_ms <= HANDOVER_MS; at_ms += MOMENT_MS) {
		struct world_member *members = begin_handover(500 + (uint64_t)at_ms);

		set_shards(4);
		world_run(at_ms);
		happens(members);
		expect_active(n, max_ms);
		world_end();
	}
}

/* Neither coordinates nor is the target. */
static struct world_member *an_owner(void)
{
	for (int i = 0; i < 3; i++)
		if (&world.members[i] != world_coordinator())
			return &world.members[i];
	return NULL;
}

static void nothing_happens(struct world_member *members)
{
}

START_TEST(handover_of_many_buckets_ends_soon)
{
	at_each_moment(nothing_happens, 4, 1000);
}
END_TEST

static void target_dies(struct world_member *members)
{
	world_kill(&members[3]);
}

START_TEST(target_that_dies_in_mid_handover_is_done_without)
{
	at_each_moment(target_dies, 3, LEASE_MS + 1000);
}
END_TEST

static void target_leaves(struct world_member *members)
{
	world_leave(&members[3], 2000);
}

START_TEST(target_that_leaves_in_mid_handover_is_done_without)
{
	at_each_moment(target_leaves, 3, 3000);
}
END_TEST

static void owner_dies(struct world_member *members)
{
	world_kill(an_owner());
}

START_TEST(owner_that_dies_in_mid_handover_is_replaced)
{
	at_each_moment(owner_dies, 3, LEASE_MS + 1000);
}
END_TEST

static void owner_leaves(struct world_member *members)
{
	world_leave(an_owner(), 2000);
}

START_TEST(owner_that_leaves_in_mid_handover_is_replaced)
{
	at_each_moment(owner_leaves, 3, 3000);
}
END_TEST

static void owner_restarts(struct world_member *members)
{
	struct world_member *owner = an_owner();

	world_kill(owner);
	world_start(owner);
}

/* What it adopted it releases once its predecessor's writes are over. */
START_TEST(owner_that_restarts_in_mid_handover_goes_on)
{
	at_each_moment(owner_restarts, 4, LEASE_MS + 1000);
}
END_TEST

static void member_joins(struct world_member *members)
{
	world_start(world_member("e"));
	set_shards(5);
}

START_TEST(member_that_joins_in_mid_handover_has_its_share)
{
	at_each_moment(member_joins, 5, 3000);
}
END_TEST

static void shards_go_back(struct world_member *members)
{
	set_shards(3);
}

START_TEST(shards_that_change_in_mid_handover_are_just_a_new_plan)
{
	at_each_moment(shards_go_back, 3, 3000);
}
END_TEST

static void coordinator_dies(struct world_member *members)
{
	world_kill(world_coordinator());
}

START_TEST(coordinator_that_dies_in_mid_handover_is_replaced)
{
	at_each_moment(coordinator_dies, 3, LEASE_MS + 1000);
}
END_TEST

static void coordinator_and_target_die(struct world_member *members)
{
	world_kill(&members[3]);
	world_kill(world_coordinator());
}

START_TEST(coordinator_and_target_that_die_together_cost_one_lease)
{
	at_each_moment(coordinator_and_target_die, 2, LEASE_MS + 1000);
}
END_TEST

static void coordinator_stops(struct world_member *members)
{
	struct world_member *coordinator = world_coordinator();

	coordinator->loop->is_paused = true;
	world_run(LEASE_MS + 5000);
	ck_assert_ptr_ne(world_coordinator(), coordinator);
	/* Now there are two. */
	coordinator->loop->is_paused = false;
}

START_TEST(one_writer_coordinator_that_goes_on_in_mid_handover_changes_nothing)
{
	at_each_moment(coordinator_stops, 4, LEASE_MS);
}
END_TEST

static void api_server_goes(struct world_member *members)
{
	world_server_stop();
	world_run((int64_t)3 * LEASE_MS);
	for (int b = 0; b < WORLD_BUCKETS; b++)
		for (int i = 0; i < 4; i++)
			ck_assert(!world_may_write(&members[i], b));
	world_server_start(1000);
}

START_TEST(outage_in_mid_handover_fences_everybody_and_loses_nobody)
{
	at_each_moment(api_server_goes, 4, LEASE_MS);
}
END_TEST

UNIT_MAIN("member/midway", handover_of_many_buckets_ends_soon,
	  target_that_dies_in_mid_handover_is_done_without,
	  target_that_leaves_in_mid_handover_is_done_without,
	  owner_that_dies_in_mid_handover_is_replaced,
	  owner_that_leaves_in_mid_handover_is_replaced,
	  owner_that_restarts_in_mid_handover_goes_on,
	  member_that_joins_in_mid_handover_has_its_share,
	  shards_that_change_in_mid_handover_are_just_a_new_plan,
	  coordinator_that_dies_in_mid_handover_is_replaced,
	  coordinator_and_target_that_die_together_cost_one_lease,
	  one_writer_coordinator_that_goes_on_in_mid_handover_changes_nothing,
	  outage_in_mid_handover_fences_everybody_and_loses_nobody)
