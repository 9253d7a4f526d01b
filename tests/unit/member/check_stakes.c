#include "tests/unit/member/world/world.h"

#define LOCK WORLD_LEASES "/lock"
#define RING_HOLDER "ringside.dev/ns/r"

/* Members whose controller elects a leader by the Lease `lock`, not started. */
static struct world_member *members_with_a_lock(uint64_t seed, int n)
{
	world_begin(seed);
	for (int i = 0; i < n; i++)
		world_lock(world_member((char[]){ (char)('a' + i), '\0' }));
	return world.members;
}

static struct world_member *settled_with_a_lock(uint64_t seed)
{
	struct world_member *members = members_with_a_lock(seed, 3);

	for (int i = 0; i < 3; i++)
		world_start(&members[i]);
	world_run_until(world_is_covered, 1000);
	world_run(12000);
	return members;
}

/* Another replica writes the lock, whoever holds it. */
static void replica_writes(const char *holder, int duration_s)
{
	char text[400];

	snprintf(text, sizeof(text),
		 "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"lock\"},\"spec\":{"
		 "\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%d}}",
		 holder, duration_s);
	world_put_text(LOCK, text);
}

static void replica_renews_for(int64_t ms)
{
	for (int64_t i = 0; i < ms; i += 2000) {
		replica_writes("pod_1", 15);
		world_run(2000);
	}
}

static void expect_holder(const char *holder)
{
	struct arena *arena = arena_create();
	bool is_there;

	ck_assert_slice(world_lease(arena, "lock", &is_there).holder, holder);
	arena_destroy(arena);
}

static bool are_all(enum ring_state state)
{
	for (int i = 0; i < world.members_n; i++)
		if (world.members[i].is_up &&
		    world.members[i].ring.current->state != state)
			return false;
	return true;
}

static int64_t rights_lost(void)
{
	int64_t n = 0;

	for (int i = 0; i < world.members_n; i++)
		n += world.members[i].losses;
	return n;
}

START_TEST(ring_takes_a_lock_that_nobody_holds)
{
	settled_with_a_lock(100);
	expect_holder(RING_HOLDER);
	world_run(120000);
	ck_assert(world_is_covered());
	ck_assert_int_eq(rights_lost(), 0);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

START_TEST(one_writer_ring_waits_for_a_replica_that_leads)
{
	struct world_member *members = members_with_a_lock(101, 3);

	replica_writes("pod_1", 15);
	for (int i = 0; i < 3; i++)
		world_start(&members[i]);
	replica_renews_for(60000);
	expect_holder("pod_1");
	ck_assert(are_all(RING_WAITING));
	world_expect_reason(&members[0], "runs without Ringside");
	/* Handovers go on meanwhile. */
	world_leave(&members[2], 1000);
	replica_renews_for(20000);
	ck_assert(!members[2].is_up);
	/* It gives the lock up; then it is the ring's at its next beat. */
	replica_writes("", 1);
	ck_assert_int_le(world_run_until(world_is_covered, 3000), 3000);
	expect_holder(RING_HOLDER);
	world_end();
}
END_TEST

START_TEST(ring_follows_a_replica_that_died_when_its_lock_is_over)
{
	struct world_member *members = members_with_a_lock(102, 2);

	replica_writes("pod_1", 15);
	for (int i = 0; i < 2; i++)
		world_start(&members[i]);
	world_run(14000);
	ck_assert_int_eq(world_active_n(), 0);
	world_run_until(world_is_covered, 20000);
	world_end();
}
END_TEST

START_TEST(lock_has_no_gap_when_the_coordinator_dies)
{
	for (uint64_t seed = 103; seed < 108; seed++) {
		struct world_member *coordinator;

		settled_with_a_lock(seed);
		coordinator = world_coordinator();
		world_kill(coordinator);
		ck_assert_int_le(world_run_until(world_is_covered, 16000), 16000);
		world_run(30000);
		ck_assert_int_eq(rights_lost(), 0);
		expect_holder(RING_HOLDER);
		world_end();
	}
}
END_TEST

START_TEST(last_one_to_leave_gives_the_lock_up)
{
	struct world_member *members = settled_with_a_lock(110);

	world_leave(&members[0], 1000);
	world_run(1000);
	world_leave(&members[1], 1000);
	world_run(1000);
	ck_assert(!members[0].is_up && !members[1].is_up);
	expect_holder(RING_HOLDER);
	ck_assert(world_is_covered());
	world_leave(&members[2], 1000);
	world_run(200);
	ck_assert(!members[2].is_up);
	expect_holder("");
	world_end();
}
END_TEST

START_TEST(lock_of_a_ring_that_died_runs_out)
{
	struct world_member *members = settled_with_a_lock(111);

	world_kill(&members[0]);
	world_leave(&members[1], 1000);
	world_leave(&members[2], 1000);
	world_run(3000);
	/* Whether the dead one writes is not known to those who left. */
	ck_assert(!members[1].is_up && !members[2].is_up);
	expect_holder(RING_HOLDER);
	world_end();
}
END_TEST

START_TEST(fail_closed_right_ends_with_the_evidence_of_the_lock)
{
	struct world_member *members = settled_with_a_lock(112);

	world_server_stop();
	world_run(13000);
	for (int i = 0; i < 3; i++)
		ck_assert(!world_may_write(&members[i], 0));
	ck_assert_int_eq(members[0].ring.current->state, RING_RIGHT_LOST);
	world_run(60000);
	world_server_start(1000);
	world_run_until(world_is_covered, 6000);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

START_TEST(one_writer_ring_makes_room_for_a_replica_that_came_in_an_outage)
{
	struct world_member *members = settled_with_a_lock(113);

	world_server_stop();
	world_run(30000);
	/* It is nearer to the API server, and was there first. */
	world_server_start(5000);
	replica_writes("pod_1", 15);
	replica_renews_for(30000);
	expect_holder("pod_1");
	ck_assert(are_all(RING_WAITING));
	ck_assert(bucket_set_is_empty(&members[0].ring.current->shown[RESOURCE_MAIN]));
	replica_writes("", 1);
	world_run_until(world_is_covered, 5000);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

#define ELSEWHERE "/apis/coordination.k8s.io/v1/namespaces/elsewhere/leases/second"

START_TEST(ring_waits_for_each_of_its_locks_wherever_it_is)
{
	struct world_member *members = members_with_a_lock(115, 2);

	world_put_text(ELSEWHERE, "{\"kind\":\"Lease\",\"metadata\":{\"name\":"
				  "\"second\",\"namespace\":\"elsewhere\"},\"spec\":{"
				  "\"holderIdentity\":\"pod_1\","
				  "\"leaseDurationSeconds\":60}}");
	for (int i = 0; i < 2; i++) {
		members[i].spec.locks[1] =
			(struct ring_lock){ .namespace = SLICE_LITERAL("elsewhere"),
					    .name = SLICE_LITERAL("second") };
		members[i].spec.locks_n = 2;
		ring_spec_seal(&members[i].spec, members[i].arena);
		world_start(&members[i]);
	}
	world_run(50000);
	expect_holder(RING_HOLDER);
	ck_assert(are_all(RING_WAITING));
	/* It runs out. */
	world_run_until(world_is_covered, 30000);
	ck_assert_ptr_nonnull(strstr(server_find(ELSEWHERE)->text, RING_HOLDER));
	world_leave(&members[0], 1000);
	world_run(1000);
	world_leave(&members[1], 1000);
	world_run(1000);
	ck_assert_ptr_null(strstr(server_find(ELSEWHERE)->text, RING_HOLDER));
	expect_holder("");
	world_end();
}
END_TEST

START_TEST(lock_that_is_deleted_is_made_anew)
{
	settled_with_a_lock(114);
	server_remove(server_find(LOCK));
	world_run(5000);
	expect_holder(RING_HOLDER);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

UNIT_MAIN("member/stakes", ring_takes_a_lock_that_nobody_holds,
	  one_writer_ring_waits_for_a_replica_that_leads,
	  ring_follows_a_replica_that_died_when_its_lock_is_over,
	  lock_has_no_gap_when_the_coordinator_dies,
	  last_one_to_leave_gives_the_lock_up, lock_of_a_ring_that_died_runs_out,
	  fail_closed_right_ends_with_the_evidence_of_the_lock,
	  one_writer_ring_makes_room_for_a_replica_that_came_in_an_outage,
	  ring_waits_for_each_of_its_locks_wherever_it_is,
	  lock_that_is_deleted_is_made_anew)
