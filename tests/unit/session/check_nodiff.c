/*
 * Which clients are told what has left that do not see it by a new list: what each
 * WATCH is to be answered with, after what its client was shown before.
 */
#include "tests/unit/session/story.h"

#include "proxy/session/doubts.h"
#include "proxy/session/move.h"

static struct relay_request asks(bool is_watch, uint64_t position)
{
	return (struct relay_request){
		.resource = &story->world.spec.resources[FOOS],
		.is_watch = is_watch,
		.position = position,
		.path = SLICE_LITERAL("/apis/g/v1/foos"),
		.accept = SLICE_LITERAL("application/json"),
		.user_agent = SLICE_LITERAL("kopf/1.45"),
	};
}

/* What is admitted; then it is opened, and closed. */
static struct view lives_for_a_moment(struct relay_request request)
{
	static const struct upstream_head head = { .status = 200 };
	struct exchange *exchange = &story->exchanges[0];
	const struct view *admitted = story->relay.admit(story->relay.arg, &request);
	struct view view;

	ck_assert_ptr_nonnull(admitted);
	view = *admitted;
	memset(exchange, 0, sizeof(*exchange));
	exchange->stream =
		story->relay.open(story->relay.arg, &request, &view, exchange);
	story->relay.head(exchange->stream, &head);
	close_stream(exchange);
	return view;
}

static void begin_without_diff(void)
{
	begin();
	story->world.spec.resources[FOOS].lacks_diff = true;
	publish(RING_ACTIVE, 7);
	answer_floor(100);
}

static void change_to(int bucket, uint64_t floor)
{
	publish(RING_ACTIVE, bucket);
	answer_floor(floor);
	check_serving(bucket, floor);
}

/* These buckets and no others are what it may hold besides. */
static void check_held(const struct view *view, const int *buckets, int n)
{
	struct bucket_set left = bucket_set_without(&view->held, &view->set);

	ck_assert_int_eq(bucket_set_count(&left), n);
	for (int i = 0; i < n; i++)
		ck_assert(bucket_set_has(&left, buckets[i]));
}

static int64_t moved(int which)
{
	return sessions_moves(story->sessions)[which];
}

START_TEST(who_lists_and_watches_in_one_view_is_told_nothing)
{
	struct view view;

	begin_without_diff();
	(void)lives_for_a_moment(asks(false, 0));
	view = lives_for_a_moment(asks(true, 110));
	ck_assert_int_eq(view.standing, VIEW_STANDS_HERE);
	check_held(&view, NULL, 0);
	finish();
}
END_TEST

START_TEST(who_has_listed_anew_in_a_later_view_is_told_what_left_since)
{
	struct view view;

	begin_without_diff();
	(void)lives_for_a_moment(asks(false, 0));
	change_to(8, 200);
	change_to(9, 300);
	(void)lives_for_a_moment(asks(false, 0));
	view = lives_for_a_moment(asks(true, 310));
	ck_assert_int_eq(view.standing, VIEW_STANDS_HERE);
	check_held(&view, (int[]){ 7, 8 }, 2);
	/* It broke off before it had been told: it is told again. */
	view = lives_for_a_moment(asks(true, 310));
	check_held(&view, (int[]){ 7, 8 }, 2);
	finish();
}
END_TEST

START_TEST(who_comes_back_in_the_next_view_is_moved)
{
	struct view view;

	begin_without_diff();
	(void)lives_for_a_moment(asks(true, 110));
	change_to(8, 200);
	view = lives_for_a_moment(asks(true, 150));
	ck_assert_int_eq(view.standing, VIEW_STANDS_FORMER);
	ck_assert_int_eq(view.relists, 0);
	check_held(&view, (int[]){ 7 }, 1);
	ck_assert(bucket_set_has(&view.former, 7));
	ck_assert_int_eq(bucket_set_count(&view.former), 1);
	finish();
}
END_TEST

START_TEST(who_must_list_anew_is_told_first_and_counted_then)
{
	struct view view;

	begin_without_diff();
	(void)lives_for_a_moment(asks(true, 110));
	change_to(8, 200);
	view = lives_for_a_moment(asks(true, 50));
	ck_assert_int_eq(view.standing, VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(view.relists, EXPIRED_UNKNOWN);
	check_held(&view, (int[]){ 7 }, 1);
	ck_assert_int_eq(moved(EXPIRED_UNKNOWN), 0);
	finish();
}
END_TEST

START_TEST(stranger_with_a_position_of_no_view_may_hold_anything)
{
	struct view view;

	begin_without_diff();
	view = lives_for_a_moment(asks(true, 50));
	ck_assert_int_eq(view.relists, EXPIRED_UNKNOWN);
	ck_assert_int_eq(bucket_set_count(&view.held), story->world.spec.buckets);
	finish();
}
END_TEST

static bool yes(void *arg)
{
	(void)arg;
	return true;
}

START_TEST(stranger_may_have_been_there_before_this_process)
{
	struct view view;

	is_after_another = yes;
	begin_without_diff();
	is_after_another = NULL;
	view = lives_for_a_moment(asks(true, 110));
	ck_assert_int_eq(view.standing, VIEW_STANDS_HERE);
	ck_assert_int_eq(bucket_set_count(&view.held), story->world.spec.buckets);
	finish();
}
END_TEST

START_TEST(bounded_how_many_clients_are_known)
{
	struct view view;

	begin_without_diff();
	for (int i = 0; i < 2 * DOUBTS_MAX; i++) {
		struct relay_request request = asks(false, 0);
		char agent[16];

		snprintf(agent, sizeof(agent), "%d", i);
		request.user_agent = slice_of(agent);
		(void)lives_for_a_moment(request);
	}
	/* For who is not, anything is told; who is moved has room. */
	view = lives_for_a_moment(asks(true, 110));
	ck_assert_int_eq(bucket_set_count(&view.held), story->world.spec.buckets);
	change_to(8, 200);
	view = lives_for_a_moment(asks(true, 150));
	ck_assert_int_eq(view.standing, VIEW_STANDS_FORMER);
	finish();
}
END_TEST

START_TEST(what_no_events_can_be_made_of_is_not_told)
{
	struct relay_request table;
	struct view view;

	begin_without_diff();
	table = asks(true, 50);
	table.accept = SLICE_LITERAL("application/json;as=Table;v=v1;g=meta.k8s.io");
	view = lives_for_a_moment(table);
	ck_assert_int_eq(view.standing, VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(view.relists, 0);
	ck_assert_int_eq(moved(EXPIRED_UNKNOWN), 1);
	finish();
}
END_TEST

START_TEST(who_sees_by_a_list_what_has_left_is_told_nothing)
{
	struct view view;

	serve();
	(void)lives_for_a_moment(asks(false, 0));
	change_to(8, 200);
	view = lives_for_a_moment(asks(true, 210));
	ck_assert(bucket_set_is_empty(&view.held));
	view = lives_for_a_moment(asks(true, 50));
	ck_assert(bucket_set_is_empty(&view.held));
	ck_assert_int_eq(view.relists, 0);
	ck_assert_int_eq(moved(EXPIRED_UNKNOWN), 1);
	finish();
}
END_TEST

UNIT_MAIN("session/nodiff", who_lists_and_watches_in_one_view_is_told_nothing,
	  who_has_listed_anew_in_a_later_view_is_told_what_left_since,
	  who_comes_back_in_the_next_view_is_moved,
	  who_must_list_anew_is_told_first_and_counted_then,
	  stranger_with_a_position_of_no_view_may_hold_anything,
	  stranger_may_have_been_there_before_this_process,
	  bounded_how_many_clients_are_known, what_no_events_can_be_made_of_is_not_told,
	  who_sees_by_a_list_what_has_left_is_told_nothing)
