#include "tests/unit/member/world/world.h"

/* --- leaving --- */

START_TEST(leaving_member_hands_over_within_milliseconds)
{
	for (uint64_t seed = 30; seed < 40; seed++) {
		world_settled(seed);
		world_leave(world_another(world_coordinator()), 10000);
		ck_assert_int_le(world_run_until(world_is_covered, 40), 40);
		ck_assert_int_eq(world_active_n(), 2);
		world_end();
	}
}
END_TEST

START_TEST(leaving_coordinator_hands_over_within_milliseconds)
{
	for (uint64_t seed = 40; seed < 50; seed++) {
		world_settled(seed);
		world_leave(world_coordinator(), 10000);
		world_run(5);
		ck_assert_int_le(world_run_until(world_is_covered, 60), 60);
		ck_assert_int_eq(world_active_n(), 2);
		world_end();
	}
}
END_TEST

/* The views of a member that leaves follow what is shown after a while, or never. */
static void expect_withdrawal(int64_t follows_after_ms)
{
	struct world_member *members = world_settled(31);
	struct world_member *leaver = &members[1];
	const struct ring *ring;
	struct arena *arena = arena_create();
	bool is_there;

	world.views_ms = 1;
	world_leave(leaver, 3000);
	ring = leaver->ring.current;
	leaver->follows_ms[RESOURCE_MAIN] = world_time.now_ms + follows_after_ms;
	ck_assert_int_eq(ring->state, RING_LEAVING);
	ck_assert(bucket_set_is_empty(&ring->owned));
	/* Its clients are told, main resources first. */
	ck_assert_uint_ne(ring->served, 0);
	ck_assert(bucket_set_is_empty(&ring->shown[RESOURCE_MAIN]));
	ck_assert(!bucket_set_is_empty(&ring->shown[RESOURCE_OWNED]));
	world_run(follows_after_ms < 2900 ? follows_after_ms - 100 : 2900);
	ck_assert_slice(world_lease(arena, "r.b", &is_there).state, "");
	ck_assert(!world_is_covered());
	ck_assert_int_le(world_run_until(world_is_covered, 400), 400);
	arena_destroy(arena);
	world_end();
}

START_TEST(leaving_member_takes_its_objects_out_of_the_views_first)
{
	expect_withdrawal(1000);
}
END_TEST

START_TEST(leaving_member_waits_for_its_views_no_longer_than_for_writes)
{
	expect_withdrawal(60000);
}
END_TEST

START_TEST(leaving_member_waits_for_its_writes)
{
	struct world_member *members = world_settled(8);
	struct world_member *leaver = &members[1];

	inflight_begin(&leaver->ring.inflight, 1);
	world_leave(leaver, 10000);
	world_run(3000);
	ck_assert_int_eq(leaver->ring.current->state, RING_LEAVING);
	ck_assert(leaver->is_up);
	inflight_end(&leaver->ring.inflight, 1);
	world_run_until(world_is_covered, 50);
	world_run(100);
	ck_assert(!leaver->is_up);
	world_end();
}
END_TEST

START_TEST(one_writer_leaving_with_unanswered_writes_releases_nothing)
{
	struct world_member *members = world_settled(9);

	inflight_begin(&members[1].ring.inflight, 1);
	world_leave(&members[1], 2000);
	world_run(2100);
	ck_assert(!members[1].is_up);
	ck_assert(!world_is_covered());
	ck_assert_int_ge(world_run_until(world_is_covered, 15100), 8000);
	world_end();
}
END_TEST

START_TEST(leaving_ends_also_without_an_api_server)
{
	struct world_member *members = world_settled(60);

	world_server_stop();
	world_leave(&members[0], 1000);
	world_leave(&members[1], 1000);
	world_run(7000);
	ck_assert(!members[0].is_up);
	ck_assert(!members[1].is_up);
	world_end();
}
END_TEST

START_TEST(leases_of_those_who_left_are_deleted_once_nobody_names_them)
{
	struct world_member *members = world_settled(61);
	struct arena *arena = arena_create();
	bool is_there;

	world_leave(&members[1], 1000);
	world_run(1000);
	world_lease(arena, "r.b", &is_there);
	ck_assert(!is_there);
	world_kill(&members[2]);
	world_run(20000);
	world_lease(arena, "r.c", &is_there);
	ck_assert(!is_there);
	/* The last one's stays, for nobody is there to take its buckets. */
	world_leave(&members[0], 1000);
	world_run(1000);
	ck_assert_slice(world_lease(arena, "r.a", &is_there).state, "released");
	arena_destroy(arena);
	world_end();
}
END_TEST

START_TEST(ring_that_was_left_by_all_is_taken_up_at_once)
{
	struct world_member *members = world_settled(62);

	for (int i = 0; i < 3; i++)
		world_leave(&members[i], 1000);
	world_run(2000);
	world_start(world_member("d"));
	world_run_until(world_is_covered, 100);
	ck_assert_int_eq(world_active_n(), 1);
	world_end();
}
END_TEST

/* --- restarting in place --- */

/* Three active members with a disk each. */
static struct world_member *settled_with_disks(uint64_t seed)
{
	struct world_member *members;

	world_begin(seed);
	for (int i = 0; i < 3; i++) {
		world_member((char[]){ (char)('a' + i), '\0' });
		world_lock_file(&world.members[i]);
		world_start(&world.members[i]);
	}
	members = world.members;
	world_run_until(world_is_covered, 1000);
	world_run(12000);
	return members;
}

START_TEST(member_that_keeps_its_buckets_and_comes_back_moves_none)
{
	for (int i = 0; i < 3; i++) {
		struct world_member *members = settled_with_disks(70);
		uint64_t epoch = world.stored.epoch;

		ck_assert(membership_holds_lock(members[i].membership));
		world_keep(&members[i], 10000);
		world_run(200);
		ck_assert(!members[i].is_up);
		/* Not whole: what is kept is nobody else's. */
		ck_assert(!world_is_covered());
		world_run(9000);
		world_start(&members[i]);
		ck_assert_int_le(world_run_until(world_is_covered, 200), 200);
		world_run(30000);
		ck_assert_uint_eq(world.stored.epoch, epoch);
		ck_assert_int_eq(world.moves, WORLD_BUCKETS);
		world_end();
	}
}
END_TEST

START_TEST(coordinator_that_keeps_its_buckets_gives_up_the_seat)
{
	struct world_member *coordinator;

	settled_with_disks(71);
	coordinator = world_coordinator();
	world_keep(coordinator, 10000);
	world_run(100);
	ck_assert(!coordinator->is_up);
	ck_assert_ptr_ne(world_coordinator(), coordinator);
	world_start(coordinator);
	world_run(30000);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

START_TEST(buckets_that_were_kept_for_nobody_go_to_others_when_the_lease_is_over)
{
	struct world_member *members = settled_with_disks(72);

	world_keep(&members[1], 10000);
	world_run(100);
	ck_assert_int_le(world_run_until(world_is_covered, 15100), 15100);
	ck_assert_int_eq(world_active_n(), 2);
	/* Then it comes back after all. */
	world_start(&members[1]);
	world_run(15000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 3);
	world_end();
}
END_TEST

START_TEST(one_writer_who_keeps_its_buckets_waits_for_its_writes_too)
{
	struct world_member *members = settled_with_disks(73);

	inflight_begin(&members[1].ring.inflight, 1);
	world_keep(&members[1], 10000);
	world_run(3000);
	ck_assert(members[1].is_up);
	ck_assert_int_eq(members[1].ring.current->state, RING_LEAVING);
	inflight_end(&members[1].ring.inflight, 1);
	world_run(200);
	ck_assert(!members[1].is_up);
	world_end();
}
END_TEST

UNIT_MAIN("member/leave", leaving_member_hands_over_within_milliseconds,
	  leaving_coordinator_hands_over_within_milliseconds,
	  leaving_member_takes_its_objects_out_of_the_views_first,
	  leaving_member_waits_for_its_views_no_longer_than_for_writes,
	  leaving_member_waits_for_its_writes,
	  one_writer_leaving_with_unanswered_writes_releases_nothing,
	  leaving_ends_also_without_an_api_server,
	  leases_of_those_who_left_are_deleted_once_nobody_names_them,
	  ring_that_was_left_by_all_is_taken_up_at_once,
	  member_that_keeps_its_buckets_and_comes_back_moves_none,
	  coordinator_that_keeps_its_buckets_gives_up_the_seat,
	  buckets_that_were_kept_for_nobody_go_to_others_when_the_lease_is_over,
	  one_writer_who_keeps_its_buckets_waits_for_its_writes_too)
