#include "tests/unit/member/world/world.h"

/* --- crashes --- */

static void takes_over_after(struct world_member *victim, int64_t max_ms)
{
	world_kill(victim);
	ck_assert_int_le(world_run_until(world_is_covered, max_ms), max_ms);
	ck_assert_int_eq(world_active_n(), 2);
}

START_TEST(one_writer_crash_is_healed_once_the_lease_has_run_out)
{
	for (uint64_t seed = 10; seed < 20; seed++) {
		world_settled(seed);
		takes_over_after(world_another(world_coordinator()), 15000 + 50);
		world_end();
	}
}
END_TEST

START_TEST(one_writer_crash_of_the_coordinator_takes_no_longer)
{
	for (uint64_t seed = 20; seed < 30; seed++) {
		world_settled(seed);
		takes_over_after(world_coordinator(), 15000 + 70);
		world_end();
	}
}
END_TEST

START_TEST(one_writer_two_crashes_at_once_leave_all_to_the_third)
{
	struct world_member *members = world_settled(4);

	world_kill(&members[0]);
	world_kill(&members[1]);
	world_run_until(world_is_covered, 15100);
	ck_assert_int_eq(world_active_n(), 1);
	world_end();
}
END_TEST

START_TEST(one_writer_member_that_stops_is_sealed_and_comes_back_as_another)
{
	struct world_member *members = world_settled(5);
	struct world_member *victim = world_another(world_coordinator());

	victim->loop->is_paused = true;
	world_run(20000);
	ck_assert_int_eq(world_active_n(), 3); /* it still thinks so, stopped */
	victim->loop->is_paused = false;
	world_run(5);
	ck_assert_int_eq(victim->ring.current->state, RING_RIGHT_LOST);
	world_run_until(world_is_covered, 1000);
	world_run(10000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 3);
	(void)members;
	world_end();
}
END_TEST

START_TEST(member_that_stops_for_less_than_its_lease_keeps_its_buckets)
{
	struct world_member *members = world_settled(6);
	uint64_t epoch = world.stored.epoch;

	members[1].loop->is_paused = true;
	world_run(9500);
	members[1].loop->is_paused = false;
	world_run(10000);
	ck_assert_uint_eq(world.stored.epoch, epoch);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

START_TEST(writes_in_flight_hold_up_the_new_life_of_a_sealed_member)
{
	struct world_member *members = world_settled(7);
	struct world_member *victim = world_another(world_coordinator());
	struct membership_report report;

	(void)members;
	victim->loop->is_paused = true;
	world_run(20000);
	inflight_begin(&victim->ring.inflight, 3);
	victim->loop->is_paused = false;
	world_run(100);
	membership_report(victim->membership, &report);
	/* Its last renewal is longer ago than its duration: they are over anyway. */
	ck_assert_str_ne(report.identity, "");
	inflight_end(&victim->ring.inflight, 3);
	world_end();
}
END_TEST

/* --- restarts in place --- */

START_TEST(restart_in_place_without_a_lock_file_waits_for_the_lease)
{
	struct world_member *members = world_settled(63);

	world_kill(&members[1]);
	world_run(100);
	world_start(&members[1]);
	world_run(9000);
	ck_assert_int_eq(members[1].ring.current->state, RING_NOT_READY);
	world_expect_reason(&members[1], "waiting until the Lease");
	world_run(7000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 3);
	world_end();
}
END_TEST

START_TEST(restart_in_place_with_the_lock_file_goes_on_at_once)
{
	struct world_member *members;
	uint64_t epoch;

	world_begin(64);
	for (int i = 0; i < 3; i++) {
		members = world_member((char[]){ (char)('a' + i), '\0' }) - i;
		world_lock_file(&members[i]);
		world_start(&members[i]);
	}
	world_run_until(world_is_covered, 1000);
	world_run(6000);
	epoch = world.stored.epoch;
	for (int i = 0; i < 3; i++) {
		world_kill(&members[i]);
		world_run(50);
		world_start(&members[i]);
		world_run_until(world_is_covered, 100);
	}
	world_run(30000);
	ck_assert_uint_eq(world.stored.epoch, epoch);
	world_end();
}
END_TEST

START_TEST(restart_in_place_when_the_lease_is_gone_waits_for_former_writes)
{
	struct world_member *members = world_settled(65);

	world_kill(&members[1]);
	server_remove(server_find(WORLD_LEASES "/r.b"));
	world_run(10);
	world_start(&members[1]);
	world_run(10000);
	ck_assert_int_eq(members[1].ring.current->state, RING_NOT_READY);
	world_run(10000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 3);
	world_end();
}
END_TEST

/* A second process with the id of the first. */
static struct world_member *twin_of(const struct world_member *member)
{
	return world_member(member->id);
}

START_TEST(one_writer_twin_waits_and_says_why_until_the_first_is_gone)
{
	struct world_member *members = world_settled(66);
	struct world_member *twin = twin_of(&members[1]);
	uint64_t epoch = world.stored.epoch;

	world_start(twin);
	world_run(40000);
	ck_assert_int_eq(twin->ring.current->state, RING_NOT_READY);
	world_expect_reason(twin, "another process is alive under our member id");
	ck_assert_uint_eq(world.stored.epoch, epoch);
	world_kill(&members[1]);
	world_run(40000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(twin->ring.current->state, RING_ACTIVE);
	world_end();
}
END_TEST

START_TEST(one_writer_twin_of_a_stopped_member_takes_its_place)
{
	struct world_member *members = world_settled(67);
	struct world_member *twin = twin_of(&members[1]);

	members[1].loop->is_paused = true;
	world_start(twin);
	world_run(20000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(twin->ring.current->state, RING_ACTIVE);
	members[1].loop->is_paused = false;
	world_run(40000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(twin->ring.current->state, RING_ACTIVE);
	ck_assert_int_eq(members[1].ring.current->state, RING_RIGHT_LOST);
	world_end();
}
END_TEST

/* --- barriers --- */

struct barrier_answer {
	uint64_t version;
	uint64_t floor; /* the server's version when it was asked for */
	int answers;
};

static void on_barrier(void *arg, uint64_t version)
{
	struct barrier_answer *answer = arg;

	answer->version = version;
	answer->answers++;
}

START_TEST(barrier_gives_a_version_above_all_that_was_there_before)
{
	struct world_member *members = world_settled(94);
	struct barrier_answer answers[50] = { 0 };

	for (int i = 0; i < 50; i++) {
		world_run(server_roll(3));
		answers[i].floor = world_server.version;
		membership_write_barrier(members[0].membership, on_barrier,
					 &answers[i]);
	}
	world_run(500);
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(answers[i].answers, 1);
		ck_assert_uint_gt(answers[i].version, answers[i].floor);
	}
	world_end();
}
END_TEST

START_TEST(barrier_that_cannot_be_had_is_answered_with_zero)
{
	struct world_member *members = world_settled(95);
	struct barrier_answer down = { 0 }, killed = { 0 }, early = { 0 };
	struct world_member *late = world_member("d");

	world_start(late);
	membership_write_barrier(late->membership, on_barrier, &early);
	world_server_stop();
	membership_write_barrier(members[0].membership, on_barrier, &down);
	world_run(8000);
	ck_assert_int_eq(down.answers, 1);
	ck_assert_uint_eq(down.version, 0);
	ck_assert_int_eq(early.answers, 1);
	ck_assert_uint_eq(early.version, 0);
	membership_write_barrier(members[1].membership, on_barrier, &killed);
	world_kill(&members[1]);
	ck_assert_int_eq(killed.answers, 1);
	ck_assert_uint_eq(killed.version, 0);
	world_end();
}
END_TEST

UNIT_MAIN("member/keeper", one_writer_crash_is_healed_once_the_lease_has_run_out,
	  one_writer_crash_of_the_coordinator_takes_no_longer,
	  one_writer_two_crashes_at_once_leave_all_to_the_third,
	  one_writer_member_that_stops_is_sealed_and_comes_back_as_another,
	  member_that_stops_for_less_than_its_lease_keeps_its_buckets,
	  writes_in_flight_hold_up_the_new_life_of_a_sealed_member,
	  restart_in_place_without_a_lock_file_waits_for_the_lease,
	  restart_in_place_with_the_lock_file_goes_on_at_once,
	  restart_in_place_when_the_lease_is_gone_waits_for_former_writes,
	  one_writer_twin_waits_and_says_why_until_the_first_is_gone,
	  one_writer_twin_of_a_stopped_member_takes_its_place,
	  barrier_gives_a_version_above_all_that_was_there_before,
	  barrier_that_cannot_be_had_is_answered_with_zero)
