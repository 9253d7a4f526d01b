/*
 * Clients that come back from a former view: who is moved and who has to list, and who
 * waits for whom, and for how long.
 */
#include "proxy/session/move.h"
#include "tests/unit/session/story.h"

#define WAIT_MS 20000
#define PATH "/apis/g/v1/foos"
#define LEFT "GET " PATH "?pretty=false&limit=500&labelSelector="
#define LIST_OF(version) \
	"{\"kind\":\"FooList\",\"apiVersion\":\"g/v1\"," \
	"\"metadata\":{\"resourceVersion\":\"" version "\"},\"items\":[]}"
#define BOOKMARK(version) \
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\"," \
	"\"metadata\":{\"resourceVersion\":\"" version "\"}}}\n"

/* A client's WATCH that is moved, as the exchange drives it. */
struct reader {
	struct exchange *exchange;
	struct upstream *way;
	struct transfer *transfer;
	bool reads;
};

static struct relay_request request_from(uint64_t position)
{
	return (struct relay_request){
		.resource = &story->world.spec.resources[FOOS],
		.is_watch = true,
		.allows_bookmarks = true,
		.position = position,
		.path = SLICE_LITERAL(PATH),
		.user_agent = SLICE_LITERAL("client"),
	};
}

/* Where a WATCH stands that asks so, as it is judged when it is admitted. */
static enum view_standing standing(const struct relay_request *request)
{
	const struct view *view = story->relay.admit(story->relay.arg, request);

	ck_assert_ptr_nonnull(view);
	return view->standing;
}

static void on_bytes(void *arg)
{
	struct reader *reader = arg;
	struct slice bytes;

	while (reader->reads && reader->exchange->stream != NULL) {
		bytes = transfer_peek(reader->way, reader->transfer);
		/* Asked also without bytes: what was taken has left. */
		(void)pass(reader->exchange, arena_text(story->world.arena, bytes));
		if (bytes.len == 0)
			return;
		transfer_take(reader->way, reader->transfer, bytes.len);
	}
}

static void on_head(void *arg, const struct upstream_head *head)
{
	struct reader *reader = arg;

	story->relay.head(reader->exchange->stream, head);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	(void)arg;
	(void)result;
	(void)err;
}

static const struct upstream_events events = {
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

static void come_back(struct reader *reader, uint64_t position)
{
	static const struct upstream_request asked = {
		.method = SLICE_LITERAL("GET"),
		.target = SLICE_LITERAL(PATH "?watch=1"),
	};
	const struct relay_request request = request_from(position);
	const struct view *view = story->relay.admit(story->relay.arg, &request);

	ck_assert_ptr_nonnull(view);
	ck_assert_int_eq(view->standing, VIEW_STANDS_FORMER);
	reader->exchange = &story->exchanges[story->exchanges_n++];
	reader->exchange->stream =
		story->relay.open(story->relay.arg, &request, view, reader->exchange);
	reader->way = story->relay.way(reader->exchange->stream);
	ck_assert_ptr_nonnull(reader->way);
	reader->transfer = transfer_start(reader->way, &asked, &events, reader);
}

static void leave(struct reader *reader)
{
	transfer_close(reader->way, reader->transfer);
	if (reader->exchange->stream != NULL)
		close_stream(reader->exchange);
}

/* View 7 at 100, with an open WATCH, becomes view 8 at 200. */
static void change_view(int watches)
{
	struct exchange *open[EXCHANGES_MAX];

	serve();
	story->conf.settle_timeout_ms = 60000;
	sessions_reload(story->sessions, &story->conf);
	for (int i = 0; i < watches; i++) {
		open[i] = open_stream(true);
		ck_assert_int_eq(pass(open[i], "{}\n"), 3);
	}
	publish(RING_ACTIVE, 8);
	for (int i = 0; i < watches; i++) {
		ck_assert_int_eq(pass(open[i], ""), -1);
		close_stream(open[i]);
	}
	answer_floor(200);
	check_serving(8, 200);
}

/* The API server's side of a move from 150. */
static void answer_lists(void)
{
	fake_answer(fake_expect(story->world.fake, LEFT), 200, LIST_OF("150"));
	fake_answer(fake_expect(story->world.fake, LEFT), 200, LIST_OF("200"));
}

static void answer_watch(void)
{
	struct transfer *watch =
		fake_expect(story->world.fake, "GET " PATH "?watch=1&resourceVersion=");

	fake_begin(watch, 200, NULL);
	fake_send(watch, BOOKMARK("205"));
	/* The watch from there on. */
	fake_begin(fake_expect(story->world.fake,
			       "GET " PATH "?watch=1&resourceVersion=205"),
		   200, NULL);
	fake_settle(story->world.fake);
}

/* The former view is served until the reader has arrived in it, and no longer. */
static void see_it_arrive(const struct reader *reader)
{
	answer_lists();
	fake_settle(story->world.fake);
	check_serving(8, 200);
	ck_assert(!reader->exchange->is_poked);
	answer_watch();
	fake_run_until(story->world.fake, &reader->exchange->is_poked);
	ck_assert_ptr_null(admitted());
}

START_TEST(next_change_waits_until_who_is_moved_has_arrived)
{
	struct reader reader = { .reads = true };

	change_view(1);
	come_back(&reader, 150);
	publish(RING_ACTIVE, 9);
	see_it_arrive(&reader);
	leave(&reader);
	answer_floor(300);
	check_serving(9, 300);
	finish();
}
END_TEST

START_TEST(changes_in_a_row_are_one_when_their_time_has_come)
{
	struct reader reader = { .reads = true };

	change_view(1);
	come_back(&reader, 150);
	for (int bucket = 9; bucket < 14; bucket++) {
		publish(RING_ACTIVE, bucket);
		check_serving(8, 200);
	}
	answer_lists();
	answer_watch();
	fake_run_until(story->world.fake, &reader.exchange->is_poked);
	leave(&reader);
	answer_floor(300);
	check_serving(13, 300);
	ck_assert_int_eq(story->writes, 3);
	finish();
}
END_TEST

START_TEST(next_change_waits_no_longer_than_the_settle_timeout)
{
	struct reader reader = { .reads = true };

	change_view(1);
	come_back(&reader, 150);
	story->conf.settle_timeout_ms = 20;
	sessions_reload(story->sessions, &story->conf);
	publish(RING_ACTIVE, 9);
	answer_lists();
	/* It ends where it may, and stands in doubt. */
	fake_run_until(story->world.fake, &reader.exchange->is_poked);
	leave(&reader);
	answer_floor(300);
	check_serving(9, 300);
	finish();
}
END_TEST

START_TEST(what_is_held_back_is_served_until_who_is_moved_has_arrived)
{
	struct reader reader = { .reads = true };

	change_view(1);
	come_back(&reader, 150);
	publish_none(true);
	see_it_arrive(&reader);
	ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	leave(&reader);
	ck_assert_str_eq(state(), "held");
	ck_assert(sessions_follow(story->sessions, RESOURCE_MAIN));
	publish(RING_ACTIVE, 9);
	answer_floor(300);
	check_serving(9, 300);
	finish();
}
END_TEST

/* It may be given to others only once nobody can come back to it. */
START_TEST(what_is_held_back_and_served_meanwhile_is_not_released)
{
	change_view(1);
	story->conf.settle_timeout_ms = 100;
	sessions_reload(story->sessions, &story->conf);
	publish_none(true);
	check_serving(8, 200); /* to the client that is away */
	ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	fake_run_until(story->world.fake, &story->is_followed);
	ck_assert_ptr_null(admitted());
	ck_assert_str_eq(state(), "held");
	finish();
}
END_TEST

START_TEST(right_that_is_lost_ends_who_is_moved_held_back_or_not)
{
	for (int is_held = 0; is_held < 2; is_held++) {
		struct reader reader = { .reads = true };

		change_view(1);
		come_back(&reader, 150);
		if (is_held)
			publish_none(true);
		publish(RING_RIGHT_LOST, 8);
		ck_assert(reader.exchange->is_poked);
		ck_assert_ptr_null(admitted());
		leave(&reader);
		finish();
	}
}
END_TEST

START_TEST(reader_that_stops_is_cut_and_holds_up_nobody_else)
{
	struct reader reader = { .reads = true }, stopped = { .reads = false };

	change_view(2);
	come_back(&reader, 150);
	answer_lists();
	answer_watch();
	come_back(&stopped, 150);
	answer_lists();
	fake_settle(story->world.fake);
	ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	story->conf.session_timeout_ms = 20;
	sessions_reload(story->sessions, &story->conf);
	fake_run_until(story->world.fake, &story->is_followed);
	ck_assert(stopped.exchange->is_cut && !reader.exchange->is_cut);
	ck_assert_int_eq(value(SESSIONS_CUT), 1);
	/* It is not served the former view again: it is told what has left. */
	const struct relay_request again = request_from(150);

	ck_assert_int_eq(standing(&again), VIEW_STANDS_FORMER);
	leave(&reader);
	leave(&stopped);
	finish();
}
END_TEST

START_TEST(who_comes_back_again_and_again_holds_up_the_release_no_longer)
{
	struct reader readers[2] = { 0 };
	int64_t until_ms;
	int i = 0;

	change_view(1);
	story->conf.session_timeout_ms = 1000;
	sessions_reload(story->sessions, &story->conf);
	come_back(&readers[0], 150);
	until_ms = loop_now_ms(story->world.fake->loop) + WAIT_MS;
	while (!story->is_followed) {
		i++;
		ck_assert_int_lt(loop_now_ms(story->world.fake->loop), until_ms);
		come_back(&readers[i % 2], 150); /* one is always there */
		leave(&readers[(i + 1) % 2]);
		story->exchanges_n = 1 + (i + 1) % 2; /* whose place is free */
		fake_settle(story->world.fake);
	}
	leave(&readers[i % 2]);
	finish();
}
END_TEST

static void run_for(int64_t ms)
{
	int64_t until_ms = loop_now_ms(story->world.fake->loop) + ms;

	while (loop_now_ms(story->world.fake->loop) < until_ms)
		fake_settle(story->world.fake);
}

START_TEST(reader_that_goes_on_is_not_cut_however_much_has_left)
{
	struct reader reader = { .reads = true };
	struct transfer *list;

	change_view(1);
	story->conf.session_timeout_ms = 1000;
	sessions_reload(story->sessions, &story->conf);
	come_back(&reader, 150);
	list = fake_expect(story->world.fake, LEFT);
	fake_begin(list, 200, NULL);
	fake_send(list, "{\"kind\":\"FooList\",\"apiVersion\":\"g/v1\",\"metadata\":{"
			"\"resourceVersion\":\"150\"},\"items\":[");
	for (int i = 0; i < 15; i++) {
		fake_send(list, "{\"metadata\":{\"name\":\"a\",\"resourceVersion\":"
				"\"1\"}},");
		run_for(100);
		ck_assert(!reader.exchange->is_cut);
		ck_assert(!sessions_follow(story->sessions, RESOURCE_MAIN));
	}
	/* And then it does not go on. */
	fake_run_until(story->world.fake, &reader.exchange->is_cut);
	leave(&reader);
	finish();
}
END_TEST

START_TEST(who_is_not_waited_for_is_cut_only_while_it_does_not_read)
{
	struct reader slow = { .reads = true }, stopped = { .reads = false };

	change_view(1);
	story->conf.session_timeout_ms = 200;
	sessions_reload(story->sessions, &story->conf);
	run_for(250);
	come_back(&stopped, 150);
	ck_assert(sessions_follow(story->sessions, RESOURCE_MAIN));
	fake_answer(fake_expect(story->world.fake, LEFT), 200,
		    "{\"kind\":\"FooList\",\"apiVersion\":\"g/v1\",\"metadata\":{"
		    "\"resourceVersion\":\"150\"},\"items\":[{\"metadata\":{\"name\":"
		    "\"a\",\"resourceVersion\":\"1\"}}]}");
	come_back(&slow, 150);
	fake_run_until(story->world.fake, &stopped.exchange->is_cut);
	run_for(250);
	ck_assert(!slow.exchange->is_cut);
	leave(&slow);
	leave(&stopped);
	finish();
}
END_TEST

/* View 7 at 100 becomes view 7 and 8 at 200. */
static void widen_view(void)
{
	struct ring ring = { .state = RING_ACTIVE, .served = 1 };

	serve();
	ring.spec = &story->world.spec;
	for (int bucket = 7; bucket < 9; bucket++) {
		bucket_set_add(&ring.owned, bucket);
		bucket_set_add(&ring.shown[RESOURCE_MAIN], bucket);
	}
	ring_publish(&story->ring, &ring);
	sessions_on_ring(story->sessions);
	answer_floor(200);
}

START_TEST(whom_nothing_has_left_is_not_waited_for_however_slow_the_api_server_is)
{
	struct reader reader = { .reads = true };

	widen_view();
	story->conf.session_timeout_ms = 100;
	sessions_reload(story->sessions, &story->conf);
	come_back(&reader, 150);
	ck_assert(sessions_follow(story->sessions, RESOURCE_MAIN));
	run_for(350);
	ck_assert(!reader.exchange->is_cut);
	leave(&reader);
	finish();
}
END_TEST

/* Each reason for which a WATCH has to list is counted under its name. */
START_TEST(who_cannot_be_moved_is_counted_by_reason)
{
	static const struct {
		const char *accept, *agent;
		uint64_t position;
		bool is_deprecated;
		int reason;
	} rows[] = {
		{ "application/json", "client", 150, false, 0 },
		{ "application/json", "client", 99, false, EXPIRED_UNKNOWN },
		{ "application/json;as=Table;g=meta.k8s.io;v=v1", "client", 150, false,
		  EXPIRED_ENCODING },
		{ "application/cbor", "client", 150, false, EXPIRED_ENCODING },
		{ "application/json", "client", 150, true, EXPIRED_ENCODING },
		{ "application/json", "kubernetes-csharp/1", 150, false,
		  EXPIRED_CLIENT },
		{ "application/json", "client", 205, false, 0 },
	};

	change_view(1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct relay_request request = request_from(rows[i].position);
		int64_t before[MOVES_METRICS_N];

		memcpy(before, sessions_moves(story->sessions), sizeof(before));
		request.accept = slice_of(rows[i].accept);
		request.user_agent = slice_of(rows[i].agent);
		request.is_deprecated_watch = rows[i].is_deprecated;
		ck_assert_int_eq(standing(&request) == VIEW_STANDS_UNKNOWN,
				 rows[i].reason != 0);
		for (int k = EXPIRED_DOUBTED; k < MOVES_METRICS_N; k++)
			ck_assert_msg(sessions_moves(story->sessions)[k] ==
					      before[k] + (k == rows[i].reason),
				      "row %zu, reason %d", i, k);
	}
	finish();
}
END_TEST

UNIT_MAIN("session/moving", next_change_waits_until_who_is_moved_has_arrived,
	  changes_in_a_row_are_one_when_their_time_has_come,
	  next_change_waits_no_longer_than_the_settle_timeout,
	  what_is_held_back_is_served_until_who_is_moved_has_arrived,
	  what_is_held_back_and_served_meanwhile_is_not_released,
	  right_that_is_lost_ends_who_is_moved_held_back_or_not,
	  reader_that_stops_is_cut_and_holds_up_nobody_else,
	  who_comes_back_again_and_again_holds_up_the_release_no_longer,
	  reader_that_goes_on_is_not_cut_however_much_has_left,
	  who_is_not_waited_for_is_cut_only_while_it_does_not_read,
	  whom_nothing_has_left_is_not_waited_for_however_slow_the_api_server_is,
	  who_cannot_be_moved_is_counted_by_reason)
