#include "tests/unit/member/world/world.h"

/* --- beginning --- */

START_TEST(members_that_start_together_make_one_epoch)
{
	world_begin(1);
	world_members(3);
	world_run_until(world_is_covered, 1000);
	ck_assert_int_eq(world_active_n(), 3);
	world_run(60000);
	/* One for the owners, one for the end of the first pass. */
	ck_assert_uint_le(world.stored.epoch, 2);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	world_end();
}
END_TEST

START_TEST(member_alone_waits_a_moment_for_others_then_serves_all)
{
	world_begin(2);
	world_members(1);
	world_run(4000);
	ck_assert_int_eq(world.members[0].ring.current->state, RING_NOT_READY);
	world_expect_reason(&world.members[0], "no assignment");
	world_run_until(world_is_covered, 2000);
	world_run(100);
	ck_assert_uint_eq(world.members[0].ring.current->served, 1);
	world_end();
}
END_TEST

START_TEST(member_that_is_one_too_many_stands_by)
{
	struct world_member *members = world_settled(3);
	struct world_member *fourth = world_member("d");
	uint64_t epoch = world.stored.epoch;

	world_start(fourth);
	world_run(30000);
	ck_assert_int_eq(fourth->ring.current->state, RING_STANDBY);
	ck_assert_uint_eq(world.stored.epoch, epoch);
	world_kill(&members[0]);
	world_run_until(world_is_covered, 15100);
	ck_assert_int_eq(fourth->ring.current->state, RING_ACTIVE);
	/* It takes exactly what was lost. */
	ck_assert_int_le(world.moves, WORLD_BUCKETS + 22);
	world_end();
}
END_TEST

/* --- outages --- */

START_TEST(outage_of_the_api_server_moves_nothing)
{
	static const int lengths_ms[] = { 500, 6000, 11000, 12500, 15500, 60000 };

	for (size_t i = 0; i < sizeof(lengths_ms) / sizeof(lengths_ms[0]); i++)
		for (uint64_t seed = 70; seed < 75; seed++) {
			uint64_t epoch;

			world_settled(seed);
			epoch = world.stored.epoch;
			world_run((int64_t)(seed - 70) * 1300);
			world_server_stop();
			world_run(lengths_ms[i]);
			world_server_start(3000);
			world_run_until(world_is_covered, 5000);
			world_run(60000);
			ck_assert_uint_eq(world.stored.epoch, epoch);
			ck_assert(world_is_covered());
			world_end();
		}
}
END_TEST

START_TEST(right_ends_a_margin_before_the_lease_and_comes_back)
{
	struct world_member *members = world_settled(80);
	int64_t until_ms = members[0].ring.current->right_until_ms;

	world_server_stop();
	while (world_time.now_ms < until_ms - 1)
		world_step(until_ms - 1);
	ck_assert_int_eq(members[0].ring.current->state, RING_ACTIVE);
	world_run(1);
	ck_assert_int_eq(members[0].ring.current->state, RING_RIGHT_LOST);
	world_server_start(1);
	world_run_until(world_is_covered, 5000);
	world_end();
}
END_TEST

/* --- hands of others --- */

START_TEST(one_writer_deleted_lease_costs_the_incarnation)
{
	struct world_member *members = world_settled(81);

	for (int i = 0; i < 3; i++) {
		char path[256];

		snprintf(path, sizeof(path), WORLD_LEASES "/r.%s", members[i].id);
		server_remove(server_find(path));
		world_run(25000);
		ck_assert(world_is_covered());
		ck_assert_int_eq(world_active_n(), 3);
	}
	world_end();
}
END_TEST

START_TEST(deleted_seat_is_made_anew)
{
	world_settled(82);
	server_remove(server_find(WORLD_LEASES "/r"));
	world_run(6000);
	ck_assert_ptr_nonnull(server_find(WORLD_LEASES "/r"));
	world_end();
}
END_TEST

START_TEST(assignment_that_is_deleted_is_written_anew_and_nothing_moves)
{
	uint64_t epoch;

	world_settled(83);
	epoch = world.stored.epoch;
	server_remove(server_find(WORLD_ASSIGNMENT));
	world_run(200);
	ck_assert_uint_eq(world.stored.epoch, epoch + 1);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

START_TEST(assignment_that_is_garbage_is_written_anew_and_nothing_moves)
{
	uint64_t epoch;

	world_settled(84);
	epoch = world.stored.epoch;
	world_put_text(WORLD_ASSIGNMENT,
		       "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
		       "\"r-assignment\"},\"data\":{\"epoch\":\"x\"}}");
	world_run(200);
	ck_assert_uint_eq(world.stored.epoch, epoch + 1);
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

START_TEST(assignment_that_is_set_back_is_written_anew)
{
	struct world_member *members = world_settled(85);
	char *former = strdup(server_find(WORLD_ASSIGNMENT)->text);
	uint64_t epoch;

	world_leave(&members[1], 100);
	world_run(1000);
	epoch = world.stored.epoch;
	world_put_text(WORLD_ASSIGNMENT, former);
	world_run(200);
	ck_assert_uint_eq(world.stored.epoch, epoch + 1);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 2);
	free(former);
	world_end();
}
END_TEST

START_TEST(assignment_that_is_lost_is_not_begun_anew_by_a_newcomer)
{
	struct world_member *members = world_settled(86);
	struct world_member *newcomer = world_member("d");
	uint64_t epoch = world.stored.epoch;

	/* All who know it stand still while it is deleted and somebody comes. */
	for (int i = 0; i < 3; i++)
		members[i].loop->is_paused = true;
	server_remove(server_find(WORLD_ASSIGNMENT));
	server_remove(server_find(WORLD_LEASES "/r"));
	world_start(newcomer);
	world_run(8000);
	ck_assert_ptr_null(server_find(WORLD_ASSIGNMENT));
	for (int i = 0; i < 3; i++)
		members[i].loop->is_paused = false;
	world_run(6000);
	ck_assert_uint_gt(world.stored.epoch, epoch);
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 3);
	world_end();
}
END_TEST

START_TEST(one_writer_assignment_that_is_lost_with_all_who_knew_it_is_begun_anew)
{
	struct world_member *members = world_settled(87);
	uint64_t epoch = world.stored.epoch;

	for (int i = 0; i < 3; i++)
		members[i].loop->is_paused = true;
	server_remove(server_find(WORLD_ASSIGNMENT));
	world_start(world_member("d"));
	world_start(world_member("e"));
	world_run(30000);
	ck_assert_uint_gt(world.stored.epoch, epoch);
	ck_assert_int_eq(members[3].ring.current->state, RING_ACTIVE);
	for (int i = 0; i < 3; i++)
		members[i].loop->is_paused = false;
	world_run(30000);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

START_TEST(lease_of_somebody_else_is_left_alone)
{
	struct world_member *member;

	world_begin(88);
	world_put_text(WORLD_LEASES "/r.a",
		       "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"r.a\"},\"spec\":{"
		       "\"holderIdentity\":\"pod_1\",\"leaseDurationSeconds\":15}}");
	world_put_text(WORLD_LEASES "/r",
		       "{\"kind\":\"Lease\",\"metadata\":{\"name\":\"r\"},\"spec\":{"
		       "\"holderIdentity\":\"pod_1\",\"leaseDurationSeconds\":15}}");
	world_members(2);
	member = &world.members[0];
	world_run(40000);
	ck_assert_int_eq(member->ring.current->state, RING_NOT_READY);
	world_expect_reason(member, "not this ring's");
	ck_assert_ptr_nonnull(strstr(server_find(WORLD_LEASES "/r.a")->text, "pod_1"));
	ck_assert_ptr_nonnull(strstr(server_find(WORLD_LEASES "/r")->text, "pod_1"));
	server_remove(server_find(WORLD_LEASES "/r.a"));
	server_remove(server_find(WORLD_LEASES "/r"));
	world_run(12000);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

/* --- settings --- */

START_TEST(shards_and_their_generation_decide_how_many_are_active)
{
	struct world_member *members = world_settled(90);
	struct member_conf conf = world.conf;

	conf.shards = 2;
	conf.generation = 1;
	/* Whoever reads the file first; the others still have the former one. */
	for (int i = 0; i < 3; i++) {
		members[i].conf.shards = conf.shards;
		members[i].conf.generation = conf.generation;
		membership_reload(members[i].membership, &conf);
		world_run(7000);
	}
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 2);
	ck_assert_uint_eq(world.stored.generation, 1);
	/* A member with the old file takes the seat: it does not undo it. */
	for (int i = 0; i < 3; i++) {
		conf.shards = 3;
		conf.generation = 0;
		membership_reload(members[i].membership, &conf);
	}
	world_run(30000);
	ck_assert_int_eq(world_active_n(), 2);
	for (int i = 0; i < 3; i++) {
		conf.generation = 2;
		membership_reload(members[i].membership, &conf);
	}
	world_run(100);
	ck_assert_int_eq(world_active_n(), 3);
	ck_assert(world_is_covered());
	world_end();
}
END_TEST

START_TEST(member_with_other_buckets_refuses_to_serve)
{
	struct world_member *odd;

	world_settled(91);
	odd = world_member("d");
	odd->spec.buckets = 128;
	world_start(odd);
	world_run(30000);
	ck_assert_int_eq(odd->ring.current->state, RING_NOT_READY);
	world_expect_reason(odd, "number of buckets");
	ck_assert_int_eq(world.moves, WORLD_BUCKETS);
	/* Not even when nobody else is left. */
	for (int i = 0; i < 3; i++)
		world_kill(&world.members[i]);
	world_run(60000);
	ck_assert_int_eq(odd->ring.current->state, RING_NOT_READY);
	world_end();
}
END_TEST

START_TEST(members_with_new_resources_take_over_when_the_last_old_one_is_gone)
{
	struct world_member *members = world_settled(92);
	struct world_member *fresh[2];

	for (int i = 0; i < 2; i++) {
		fresh[i] = world_member((char[]){ (char)('d' + i), '\0' });
		fresh[i]->spec.resources[0].resource = SLICE_LITERAL("bars");
		ring_spec_seal(&fresh[i]->spec, fresh[i]->arena);
		world_start(fresh[i]);
	}
	world_run(10000);
	ck_assert_int_eq(fresh[0]->ring.current->state, RING_NOT_READY);
	world_expect_reason(fresh[0], "resources");
	for (int i = 0; i < 3; i++) {
		world_leave(&members[i], 1000);
		world_run(3000);
	}
	ck_assert(world_is_covered());
	ck_assert_int_eq(world_active_n(), 2);
	ck_assert_slice(world.stored.resources, fresh[0]->spec.hash);
	world_end();
}
END_TEST

START_TEST(assignment_of_another_format_is_left_alone)
{
	world_begin(93);
	world_put_text(WORLD_ASSIGNMENT,
		       "{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
		       "\"r-assignment\"},\"data\":{\"format\":\"2\"}}");
	world_members(3);
	world_run(30000);
	ck_assert_int_eq(world_active_n(), 0);
	world_expect_reason(&world.members[0], "another version of Ringside");
	ck_assert_ptr_nonnull(strstr(server_find(WORLD_ASSIGNMENT)->text, "\"2\""));
	world_end();
}
END_TEST

UNIT_MAIN("member/coordinator", members_that_start_together_make_one_epoch,
	  member_alone_waits_a_moment_for_others_then_serves_all,
	  member_that_is_one_too_many_stands_by, outage_of_the_api_server_moves_nothing,
	  right_ends_a_margin_before_the_lease_and_comes_back,
	  one_writer_deleted_lease_costs_the_incarnation, deleted_seat_is_made_anew,
	  assignment_that_is_deleted_is_written_anew_and_nothing_moves,
	  assignment_that_is_garbage_is_written_anew_and_nothing_moves,
	  assignment_that_is_set_back_is_written_anew,
	  assignment_that_is_lost_is_not_begun_anew_by_a_newcomer,
	  one_writer_assignment_that_is_lost_with_all_who_knew_it_is_begun_anew,
	  lease_of_somebody_else_is_left_alone,
	  shards_and_their_generation_decide_how_many_are_active,
	  member_with_other_buckets_refuses_to_serve,
	  members_with_new_resources_take_over_when_the_last_old_one_is_gone,
	  assignment_of_another_format_is_left_alone)
