#include "tests/unit/member/world/world.h"

#define SILENCE_MS 30000

/* Three members that look at their controllers, which contend for a lock. */
static struct world_member *attended(uint64_t seed)
{
	struct world_member *members;

	world_begin(seed);
	world.conf.controller_silence_ms = SILENCE_MS;
	members = world_members(3);
	world_run_until(world_is_covered, 1000);
	world_run(12000);
	return members;
}

/* The controllers of all but one renew their locks. */
static void run_without(const struct world_member *silent, int64_t ms)
{
	for (int64_t i = 0; i < ms; i += 2000) {
		for (int j = 0; j < world.members_n; j++)
			if (&world.members[j] != silent)
				world.members[j].ring.vitals.locked_ms =
					world_time.now_ms;
		world_run(2000);
	}
}

START_TEST(controllers_that_were_never_heard_of_are_left_alone)
{
	attended(120);
	world_run((int64_t)10 * SILENCE_MS);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

START_TEST(member_gives_up_its_buckets_when_its_controller_falls_silent)
{
	struct world_member *members = attended(121);

	run_without(NULL, 60000);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	run_without(&members[1], SILENCE_MS + 2000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(members[1].ring.current->state, RING_STANDBY);
	ck_assert_int_eq(world_active_n(), 2);
	/* An outage does not bring it back. */
	world_server_stop();
	world_run(20000);
	world_server_start(1000);
	run_without(&members[1], 20000);
	ck_assert_int_eq(members[1].ring.current->state, RING_STANDBY);
	/* Its controller does. */
	run_without(NULL, 4000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 3);
	world_end();
}
END_TEST

START_TEST(nothing_moves_while_all_controllers_are_silent)
{
	attended(122);
	run_without(NULL, 10000);
	world_run((int64_t)4 * SILENCE_MS);
	ck_assert(world_is_covered());
	/* The last one to be found silent is not asked to let go of what it took. */
	ck_assert_int_ge(world_active_n(), 1);
	run_without(NULL, 10000);
	ck_assert_int_eq(world_active_n(), 3);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

START_TEST(outage_silences_no_controller)
{
	attended(123);
	run_without(NULL, 10000);
	world_server_stop();
	run_without(NULL, (int64_t)2 * SILENCE_MS);
	/* Nor does what it takes to come back from it. */
	world_server_start(1000);
	world_run(SILENCE_MS / 2);
	run_without(NULL, 20000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

/* It has heard nothing while it stood still. */
START_TEST(member_that_was_stopped_takes_its_controller_for_alive)
{
	struct world_member *members;

	world_begin(124);
	world.conf.controller_silence_ms = 6000;
	members = world_members(3);
	world_run_until(world_is_covered, 1000);
	run_without(NULL, 12000);
	members[1].loop->is_paused = true;
	run_without(&members[1], 8000);
	members[1].loop->is_paused = false;
	world_run(1000);
	run_without(NULL, 20000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

UNIT_MAIN("member/pulse", controllers_that_were_never_heard_of_are_left_alone,
	  member_gives_up_its_buckets_when_its_controller_falls_silent,
	  nothing_moves_while_all_controllers_are_silent, outage_silences_no_controller,
	  member_that_was_stopped_takes_its_controller_for_alive)
