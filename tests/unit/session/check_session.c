#include "tests/unit/session/story.h"

START_TEST(nothing_is_admitted_before_the_ring_serves)
{
	begin();
	ck_assert_ptr_null(admitted());
	publish(RING_NOT_READY, 7);
	ck_assert_ptr_null(admitted());
	ck_assert_int_eq(story->writes, 0);
	ck_assert_str_eq(state(), "held");
	finish();
}
END_TEST

START_TEST(first_view_is_served_at_a_floor_read_after_our_own_write)
{
	begin();
	publish(RING_ACTIVE, 7);
	ck_assert_str_eq(state(), "changing");
	fake_settle(story->world.fake);
	ck_assert_uint_eq(fake_open(story->world.fake), 0);
	answer_write(99);
	ck_assert_ptr_null(admitted());
	ck_assert_str_eq(fake_accept(fake_expect(story->world.fake, LIST)),
			 API_METADATA_LIST);
	answer_list(100);
	check_serving(7, 100);
	ck_assert(!admitted()->distrusts_positions);
	ck_assert_int_eq(story->readmits, 1);
	ck_assert_str_eq(state(), "serving");
	finish();
}
END_TEST

START_TEST(ring_that_changes_nothing_about_our_buckets_changes_no_view)
{
	serve();
	publish(RING_ACTIVE, 7);
	check_serving(7, 100);
	ck_assert_int_eq(story->writes, 1);
	finish();
}
END_TEST

START_TEST(floor_is_read_only_after_every_stream_has_closed)
{
	struct exchange *watch, *list;

	serve();
	watch = open_stream(true);
	list = open_stream(false);
	ck_assert_int_eq(pass(watch, "{}\n"), 3);
	ck_assert_int_eq(value(SESSIONS_OPEN), 1);
	publish(RING_ACTIVE, 8);
	ck_assert_ptr_null(admitted());
	ck_assert(watch->is_poked && !list->is_poked);
	ck_assert_int_eq(pass(list, "{\"items\":[]}"), 12);
	ck_assert_int_eq(pass(watch, "{}\n"), -1);
	close_stream(watch);
	ck_assert_int_eq(story->writes, 1);
	close_stream(list);
	ck_assert_int_eq(story->writes, 2);
	ck_assert_ptr_null(admitted());
	ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	answer_floor(200);
	check_serving(8, 200);
	/* The client of the one that was ended may still hold what left. */
	ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	fake_run_until(story->world.fake, &story->is_followed);
	ck_assert(sessions_follow(story->sessions, RESOURCE_MAIN));
	ck_assert_int_eq(value(SESSIONS_ENDED), 1);
	ck_assert_int_eq(value(SESSIONS_OPEN), 0);
	ck_assert_int_eq(value(SESSIONS_CHANGES), 2);
	finish();
}
END_TEST

START_TEST(each_change_of_view_reads_a_floor_of_its_own)
{
	serve();
	for (int i = 1; i <= 3; i++) {
		struct exchange *watch = open_stream(true);

		publish(RING_ACTIVE, 7 + i);
		ck_assert_ptr_null(admitted());
		close_stream(watch);
		ck_assert_ptr_null(admitted());
		answer_floor(100 + 10 * (uint64_t)i);
		check_serving(7 + i, 100 + 10 * (uint64_t)i);
	}
	finish();
}
END_TEST

START_TEST(what_does_not_end_in_time_is_cut)
{
	struct exchange *watch, *list;

	serve();
	story->conf.list_timeout_ms = story->conf.session_timeout_ms = 20;
	sessions_reload(story->sessions, &story->conf);
	watch = open_stream(true);
	list = open_stream(false);
	publish(RING_ACTIVE, 8);
	fake_run_until(story->world.fake, &story->is_writing);
	ck_assert(watch->is_cut && list->is_cut);
	ck_assert_int_eq(value(SESSIONS_CUT), 1);
	ck_assert_int_eq(value(SESSIONS_LISTS_ABORTED), 1);
	answer_floor(200);
	check_serving(8, 200);
	finish();
}
END_TEST

START_TEST(young_watch_is_ended_when_it_is_old_enough)
{
	struct exchange *watch;

	serve();
	story->conf.min_age_ms = 30;
	sessions_reload(story->sessions, &story->conf);
	watch = open_stream(true);
	publish(RING_ACTIVE, 8);
	ck_assert(!watch->is_poked);
	fake_run_until(story->world.fake, &watch->is_poked);
	ck_assert_int_eq(pass(watch, ""), -1);
	finish();
}
END_TEST

START_TEST(lost_right_that_comes_back_leaves_the_view_as_it_was)
{
	struct exchange *watch;

	serve();
	watch = open_stream(true);
	publish(RING_RIGHT_LOST, 7);
	ck_assert_ptr_null(admitted());
	ck_assert_int_eq(pass(watch, ""), -1);
	close_stream(watch);
	ck_assert_str_eq(state(), "held");
	publish(RING_ACTIVE, 7);
	check_serving(7, 100);
	ck_assert_int_eq(story->writes, 1);
	ck_assert_int_eq(story->readmits, 2);
	ck_assert_int_eq(value(SESSIONS_CHANGES), 1);
	finish();
}
END_TEST

START_TEST(lost_right_that_comes_back_while_streams_end_lets_them_live)
{
	struct exchange *watch;

	serve();
	watch = open_stream(true);
	publish(RING_RIGHT_LOST, 7);
	publish(RING_ACTIVE, 7);
	check_serving(7, 100);
	ck_assert_int_eq(pass(watch, "{}\n"), 3);
	finish();
}
END_TEST

START_TEST(buckets_that_were_about_to_come_and_do_not_leave_the_view_as_it_was)
{
	struct exchange *watch;
	const struct view *view;

	begin();
	publish_none(true);
	ck_assert_str_eq(state(), "held");
	publish_none(false);
	answer_floor(100);
	watch = open_stream(true);
	publish_none(true);
	ck_assert_ptr_null(admitted());
	ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	close_stream(watch);
	ck_assert_str_eq(state(), "held");
	ck_assert(sessions_follow(story->sessions, RESOURCE_MAIN));
	publish_none(false);
	view = admitted();
	ck_assert_ptr_nonnull(view);
	ck_assert_uint_eq(view->floor, 100);
	ck_assert(bucket_set_is_empty(&view->set));
	ck_assert_int_eq(story->writes, 1);
	finish();
}
END_TEST

START_TEST(buckets_that_were_not_ours_for_a_while_need_a_new_floor)
{
	static const enum ring_state lost[] = { RING_ACTIVE, RING_RIGHT_LOST };

	for (int i = 0; i < 2; i++) {
		struct exchange *watch;

		serve();
		watch = open_stream(true);
		publish(lost[i], 8);
		publish(RING_ACTIVE, 7);
		ck_assert_ptr_null(admitted());
		close_stream(watch);
		answer_floor(200);
		check_serving(7, 200);
		finish();
	}
}
END_TEST

START_TEST(newest_buckets_count_and_their_former_owners_writes_are_below_the_floor)
{
	begin();
	publish(RING_ACTIVE, 7);
	publish(RING_ACTIVE, 8);
	ck_assert_int_eq(story->writes, 1);
	answer_write(99);
	/* On its way to us, but read before the change. */
	fake_answer(fake_expect(story->world.fake, LIST), 200,
		    "{\"metadata\":{\"resourceVersion\":\"110\"},\"items\":[]}");
	publish(RING_ACTIVE, 9);
	ck_assert_uint_eq(fake_unanswered(story->world.fake), 1);
	answer_list(120);
	check_serving(9, 120);
	ck_assert_int_eq(story->writes, 1);
	finish();
}
END_TEST

START_TEST(right_lost_while_the_floor_is_read_begins_again)
{
	begin();
	publish(RING_ACTIVE, 7);
	answer_write(99);
	(void)fake_expect(story->world.fake, LIST);
	publish(RING_RIGHT_LOST, 7);
	ck_assert_uint_eq(fake_open(story->world.fake), 0);
	ck_assert_str_eq(state(), "held");
	publish(RING_ACTIVE, 7);
	ck_assert_int_eq(story->writes, 2);
	answer_floor(200);
	check_serving(7, 200);
	finish();
}
END_TEST

START_TEST(what_fails_is_tried_again)
{
	begin();
	publish(RING_ACTIVE, 7);
	answer_write(0);
	fake_run_until(story->world.fake, &story->is_writing);
	answer_write(99);
	fake_answer(fake_expect(story->world.fake, LIST), 403, "{\"kind\":\"Status\"}");
	fake_answer(fake_expect(story->world.fake, LIST), 200, "{}");
	fake_answer(fake_expect(story->world.fake, LIST), 200,
		    "{\"metadata\":{\"resourceVersion\":\"x\"},\"items\":[]}");
	answer_list(100);
	check_serving(7, 100);
	ck_assert_int_eq(story->writes, 2);
	finish();
}
END_TEST

START_TEST(floor_of_another_storage_makes_positions_distrusted)
{
	begin();
	publish(RING_ACTIVE, 7);
	answer_write(1000);
	answer_list(50);
	check_serving(7, 50);
	ck_assert(admitted()->distrusts_positions);
	finish();
}
END_TEST

START_TEST(stream_opened_under_no_view_passes_nothing)
{
	struct exchange *stray;
	bool ends;
	size_t n;

	begin();
	publish(RING_ACTIVE, 7);
	stray = open_stream(true);
	ck_assert_int_eq(story->relay.pass(stray->stream, slice_of("{}\n"), &n, &ends),
			 -EINVAL);
	answer_floor(100);
	check_serving(7, 100);
	finish();
}
END_TEST

START_TEST(sessions_end_in_any_step)
{
	begin();
	publish(RING_ACTIVE, 7);
	finish(); /* our write is under way, and is answered after the end */
	begin();
	publish(RING_ACTIVE, 7);
	answer_write(99);
	finish();
	begin();
	publish(RING_ACTIVE, 7);
	answer_write(0);
	finish();
}
END_TEST

UNIT_MAIN("session/session", nothing_is_admitted_before_the_ring_serves,
	  first_view_is_served_at_a_floor_read_after_our_own_write,
	  ring_that_changes_nothing_about_our_buckets_changes_no_view,
	  floor_is_read_only_after_every_stream_has_closed,
	  each_change_of_view_reads_a_floor_of_its_own,
	  what_does_not_end_in_time_is_cut, young_watch_is_ended_when_it_is_old_enough,
	  lost_right_that_comes_back_leaves_the_view_as_it_was,
	  lost_right_that_comes_back_while_streams_end_lets_them_live,
	  buckets_that_were_about_to_come_and_do_not_leave_the_view_as_it_was,
	  buckets_that_were_not_ours_for_a_while_need_a_new_floor,
	  newest_buckets_count_and_their_former_owners_writes_are_below_the_floor,
	  right_lost_while_the_floor_is_read_begins_again, what_fails_is_tried_again,
	  floor_of_another_storage_makes_positions_distrusted,
	  stream_opened_under_no_view_passes_nothing, sessions_end_in_any_step)
