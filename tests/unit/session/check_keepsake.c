#include "tests/unit/session/story.h"

static struct relay_request watch_from(uint64_t position)
{
	return (struct relay_request){
		.resource = &story->world.spec.resources[FOOS],
		.is_watch = true,
		.position = position,
		.path = SLICE_LITERAL("/apis/g/v1/foos"),
		.accept = SLICE_LITERAL("application/json"),
		.user_agent = SLICE_LITERAL("controller"),
	};
}

static const struct view *admit_watch(uint64_t position)
{
	const struct relay_request request = watch_from(position);

	return story->relay.admit(story->relay.arg, &request);
}

/* What a process leaves that serves bucket 7 at floor 100. */
static char *left(void)
{
	struct buf text;
	char *copy;

	buf_init(&text, 4096);
	ck_assert_int_eq(sessions_save(story->sessions, &text), 0);
	copy = strndup(text.data, text.len);
	buf_finish(&text);
	return copy;
}

/* The next process begins with this. */
static int begin_with(const char *text)
{
	begin();
	return sessions_load(story->sessions, slice_of(text));
}

START_TEST(client_of_a_predecessor_that_kept_its_buckets_need_not_list_anew)
{
	char *text;

	serve();
	text = left();
	finish();
	ck_assert_int_eq(begin_with(text), 1);
	publish(RING_ACTIVE, 7);
	ck_assert_ptr_null(admitted());
	answer_floor(200);
	check_serving(7, 200);
	ck_assert_int_eq(admit_watch(150)->standing, VIEW_STANDS_FORMER);
	ck_assert(bucket_set_has(&admit_watch(100)->former, 7));
	ck_assert_int_eq(admit_watch(200)->standing, VIEW_STANDS_HERE);
	ck_assert_int_eq(admit_watch(99)->standing, VIEW_STANDS_UNKNOWN);
	finish();
	free(text);
}
END_TEST

START_TEST(client_of_a_predecessor_is_moved_when_buckets_have_changed_meanwhile)
{
	char *text;

	serve();
	text = left();
	finish();
	begin_with(text);
	publish(RING_ACTIVE, 8);
	answer_floor(200);
	ck_assert_int_eq(admit_watch(150)->standing, VIEW_STANDS_FORMER);
	ck_assert(bucket_set_has(&admit_watch(150)->former, 7));
	ck_assert(bucket_set_has(&admit_watch(150)->set, 8));
	finish();
	free(text);
}
END_TEST

START_TEST(coherent_view_what_is_in_doubt_stays_so_for_the_next_process)
{
	struct relay_request seeds = { 0 };
	char *text;

	serve();
	/* A WATCH without a position begins with an object of version 120. */
	seeds = watch_from(0);
	{
		static const struct upstream_head head = { .status = 200 };
		struct exchange *exchange = &story->exchanges[story->exchanges_n++];
		const struct view *view = story->relay.admit(story->relay.arg, &seeds);

		exchange->stream =
			story->relay.open(story->relay.arg, &seeds, view, exchange);
		story->relay.head(exchange->stream, &head);
		pass(exchange, "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":"
			       "\"x\",\"resourceVersion\":\"120\"}}}\n");
	}
	text = left();
	finish();
	begin_with(text);
	publish(RING_ACTIVE, 7);
	answer_floor(200);
	ck_assert_int_eq(admit_watch(120)->standing, VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(admit_watch(121)->standing, VIEW_STANDS_FORMER);
	finish();
	free(text);
}
END_TEST

START_TEST(what_a_predecessor_never_served_is_not_known)
{
	char *text;

	begin();
	text = left();
	finish();
	ck_assert_int_eq(begin_with(text), 0);
	publish(RING_ACTIVE, 7);
	answer_floor(200);
	ck_assert_int_eq(admit_watch(150)->standing, VIEW_STANDS_UNKNOWN);
	finish();
	free(text);
}
END_TEST

START_TEST(floor_below_a_predecessors_proves_nothing)
{
	char *text;

	serve();
	text = left();
	finish();
	begin_with(text);
	publish(RING_ACTIVE, 7);
	answer_floor(90); /* the storage was set back */
	ck_assert_int_eq(admit_watch(80)->standing, VIEW_STANDS_UNKNOWN);
	finish();
	free(text);
}
END_TEST

START_TEST(garbage_and_other_settings_count_for_nothing)
{
	static const char *const tails[] = {
		"g/foos 100 7", "g/foos\n",         "g/foos x 7\n", "g/bars 100 7\n",
		"g/foos 0 7\n", "g/foos 100 300\n", "foos 100 7\n", "g/foos 100 7,7\n",
	};
	char *head, text[512];

	begin();
	head = left(); /* the head alone: nothing was served */
	ck_assert_int_eq(sessions_load(story->sessions, slice_of("")), -EINVAL);
	ck_assert_int_eq(sessions_load(story->sessions,
				       slice_of("ringside-views 1 256 another\n")),
			 -EINVAL);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", head, tails[i]);
		ck_assert_msg(sessions_load(story->sessions, slice_of(text)) == -EINVAL,
			      "%s", tails[i]);
	}
	finish();
	free(head);
}
END_TEST

UNIT_MAIN("session/keepsake",
	  client_of_a_predecessor_that_kept_its_buckets_need_not_list_anew,
	  client_of_a_predecessor_is_moved_when_buckets_have_changed_meanwhile,
	  coherent_view_what_is_in_doubt_stays_so_for_the_next_process,
	  what_a_predecessor_never_served_is_not_known,
	  floor_below_a_predecessors_proves_nothing,
	  garbage_and_other_settings_count_for_nothing)
