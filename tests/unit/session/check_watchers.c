/*
 * Who watches, and comes back: what a client of an owned resource may lack.
 */
#include "proxy/session/watchers.h"

#include "proxy/session/resource.h"
#include "proxy/session/stream.h"
#include "tests/unit/session/story.h"

START_TEST(who_has_gone_is_missed_until_it_is_back_or_need_not_be_waited_for)
{
	struct watchers watchers = { 0 };

	ck_assert(!watchers_are_missing(&watchers, 0));
	watchers_end(&watchers, 1, 0, 100);
	watchers_end(&watchers, 2, 0, 200);
	ck_assert(watchers_are_missing(&watchers, 99));
	watchers_begin(&watchers, 2, 0);
	ck_assert(watchers_are_missing(&watchers, 99));
	watchers_begin(&watchers, 7, 0);
	ck_assert(watchers_are_missing(&watchers, 99));
	ck_assert(!watchers_are_missing(&watchers, 100));
	ck_assert(!watchers_are_missing(&watchers, 0));
}
END_TEST

START_TEST(two_informers_with_one_key_are_both_missed)
{
	struct watchers watchers = { 0 };

	watchers_end(&watchers, 1, 0, 100);
	watchers_end(&watchers, 1, 0, 100);
	watchers_begin(&watchers, 1, 0);
	ck_assert(watchers_are_missing(&watchers, 0));
	watchers_begin(&watchers, 1, 0);
	ck_assert(!watchers_are_missing(&watchers, 0));
}
END_TEST

START_TEST(who_held_the_view_lacks_nothing_of_it_and_all_of_the_next_one)
{
	struct watchers watchers = { 0 };

	watchers_end(&watchers, 1, 10, 100);
	ck_assert(watchers_are_missing(&watchers, 0));
	ck_assert(!watchers_lack(&watchers, 10, 0));
	ck_assert(watchers_lack(&watchers, 20, 0));
	ck_assert(!watchers_lack(&watchers, 20, 100));
	/* Another one with its key, of which that is not known, comes and goes. */
	watchers_end(&watchers, 1, 10, 200);
	watchers_end(&watchers, 1, 0, 200);
	ck_assert(watchers_lack(&watchers, 10, 0));
	watchers_begin(&watchers, 1, 10);
	ck_assert(watchers_lack(&watchers, 10, 0));
	watchers_begin(&watchers, 1, 0);
	ck_assert(!watchers_lack(&watchers, 10, 0));
}
END_TEST

START_TEST(bounded_what_is_waited_for)
{
	struct watchers watchers = { 0 };

	for (uint64_t i = 0; i < 3 * WATCHERS_MAX; i++)
		watchers_end(&watchers, i, 0, 100);
	ck_assert_int_eq(watchers.n, WATCHERS_MAX);
	ck_assert(!watchers_are_missing(&watchers, 100));
}
END_TEST

START_TEST(key_tells_programs_and_selectors_apart)
{
	const struct relay_request requests[] = {
		{ .path = SLICE_LITERAL("/a") },
		{ .path = SLICE_LITERAL("/b") },
		{ .user_agent = SLICE_LITERAL("/a") },
		{ .path = SLICE_LITERAL("/a"), .label_selector = SLICE_LITERAL("x") },
		{ .path = SLICE_LITERAL("/a"), .field_selector = SLICE_LITERAL("x") },
		{ .path = SLICE_LITERAL("/ax") },
	};
	const size_t n = sizeof(requests) / sizeof(requests[0]);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			ck_assert_int_eq(watcher_key(&requests[i]) ==
						 watcher_key(&requests[j]),
					 i == j);
}
END_TEST

static const struct header json = { SLICE_LITERAL("content-type"),
				    SLICE_LITERAL("application/json") };

/* Passes text in pieces of so many bytes; whether its client has been told all. */
static bool is_told_behind(const char *text, size_t piece)
{
	const struct upstream_head head = { .status = 200,
					    .headers = &json,
					    .headers_n = 1 };
	const struct stream_end end = { 0 };
	struct stream *stream = stream_create(NULL, NULL, true, 0);
	size_t length = strlen(text);
	bool is_told, ends;

	stream->sends_initial_events = true;
	stream_look_told(stream);
	ck_assert(!stream->is_told);
	stream_head(stream, &head, 0);
	for (size_t at = 0; at < length; at += piece) {
		struct slice bytes = slice_make(
			text + at, length - at < piece ? length - at : piece);

		ck_assert_int_eq(stream_pass(stream, &bytes, &end, &ends), 0);
	}
	stream_look_told(stream);
	is_told = stream->is_told;
	stream_destroy(stream);
	return is_told;
}

START_TEST(watch_that_begins_with_all_objects_has_told_them_behind_the_bookmark)
{
	static const char most[] = "{\"type\":\"ADDED\",\"object\":{\"k8s\":1}}\n"
				   "{\"a\":{\"kk8s.io/initial-events-en";

	for (size_t piece = 1; piece < 90; piece++) {
		char text[128];

		ck_assert(!is_told_behind(most, piece));
		snprintf(text, sizeof(text), "%s%s", most, "d\":\"true\"}}\n");
		ck_assert(is_told_behind(text, piece));
	}
}
END_TEST

/* --- of owned resources --- */

/* Serves all three resources, one after the other: our own writes are one at a time. */
static void serve_all(void)
{
	static const uint32_t served[] = { 4, 6, 7 };
	static const char *const lists[] = {
		"GET /apis/apps/v1/replicasets?limit=1",
		"GET /apis/apps/v1/deployments?limit=1",
		LIST,
	};
	char text[] = "{\"metadata\":{\"resourceVersion\":\"100\"},\"items\":[]}";

	begin();
	for (int i = 0; i < 3; i++) {
		struct ring ring = { .state = RING_ACTIVE,
				     .spec = &story->world.spec,
				     .served = served[i] };

		bucket_set_add(&ring.owned, 7);
		bucket_set_add(&ring.shown[RESOURCE_MAIN], 7);
		bucket_set_add(&ring.shown[RESOURCE_OWNED], 7);
		ring_publish(&story->ring, &ring);
		sessions_on_ring(story->sessions);
		answer_write(99);
		fake_answer(fake_expect(story->world.fake, lists[i]), 200, text);
		fake_settle(story->world.fake);
	}
	check_serving(7, 100);
}

static struct exchange *watch_from(int resource, enum view_standing standing)
{
	const struct relay_request request = {
		.resource = &story->world.spec.resources[resource],
		.is_watch = true,
	};
	const struct view view = { .standing = standing };
	struct exchange *exchange = &story->exchanges[story->exchanges_n++];

	exchange->stream =
		story->relay.open(story->relay.arg, &request, &view, exchange);
	return exchange;
}

static struct exchange *watch_of(int resource)
{
	return watch_from(resource, VIEW_STANDS_BY_FLOOR);
}

START_TEST(client_of_an_owned_resource_is_blind_from_the_end_of_its_watch_to_the_next)
{
	static const struct upstream_head head = { .status = 200 };
	struct exchange *watch;

	serve_all();
	ck_assert(!sessions_are_blind(story->sessions, RESOURCE_OWNED));
	watch = watch_of(DEPLOYMENTS);
	ck_assert(sessions_are_blind(story->sessions, RESOURCE_OWNED));
	story->relay.head(watch->stream, &head);
	ck_assert(!sessions_are_blind(story->sessions, RESOURCE_OWNED));
	close_stream(watch);
	ck_assert(sessions_are_blind(story->sessions, RESOURCE_OWNED));
	watch = watch_of(DEPLOYMENTS);
	ck_assert(sessions_are_blind(story->sessions, RESOURCE_OWNED));
	story->relay.head(watch->stream, &head);
	ck_assert(!sessions_are_blind(story->sessions, RESOURCE_OWNED));
	finish();
}
END_TEST

START_TEST(client_that_breaks_off_again_and_again_holds_what_the_view_brought)
{
	static const struct upstream_head head = { .status = 200 };
	struct exchange *watch;

	serve_all();
	watch = watch_of(DEPLOYMENTS);
	ck_assert(sessions_lack(story->sessions, RESOURCE_OWNED));
	story->relay.head(watch->stream, &head);
	ck_assert(!sessions_lack(story->sessions, RESOURCE_OWNED));
	close_stream(watch); /* what it was sent last it may not have read */
	ck_assert(sessions_lack(story->sessions, RESOURCE_OWNED));
	for (int i = 0; i < 3; i++) {
		watch = watch_from(DEPLOYMENTS, VIEW_STANDS_HERE);
		ck_assert(!sessions_lack(story->sessions, RESOURCE_OWNED));
		ck_assert(sessions_are_blind(story->sessions, RESOURCE_OWNED));
		close_stream(watch);
		ck_assert(!sessions_lack(story->sessions, RESOURCE_OWNED));
		ck_assert(sessions_are_blind(story->sessions, RESOURCE_OWNED));
	}
	finish();
}
END_TEST

START_TEST(client_that_never_lets_itself_be_told_is_not_waited_for_for_ever)
{
	struct resource *resource;

	serve_all();
	resource = &story->sessions->resources[DEPLOYMENTS];
	(void)watch_of(DEPLOYMENTS);
	close_stream(watch_of(DEPLOYMENTS));
	resource->served_ms -= 2 * WATCHERS_BACK_MS - 1000;
	ck_assert(sessions_lack(story->sessions, RESOURCE_OWNED));
	resource->served_ms -= 1000;
	ck_assert(!sessions_lack(story->sessions, RESOURCE_OWNED));
	finish();
}
END_TEST

START_TEST(main_resources_are_not_waited_for)
{
	serve_all();
	close_stream(open_stream(true));
	ck_assert(!sessions_are_blind(story->sessions, RESOURCE_OWNED));
	finish();
}
END_TEST

/* --- who was there before us --- */

static bool yes(void *arg)
{
	(void)arg;
	return true;
}

static bool is_admitted(uint64_t position)
{
	const struct relay_request request = {
		.resource = &story->world.spec.resources[FOOS],
		.position = position,
	};

	return story->relay.admit(story->relay.arg, &request) != NULL;
}

START_TEST(client_of_our_predecessor_sees_main_objects_once_owned_ones_are_watched)
{
	static const struct upstream_head head = { .status = 200 };

	serve_all();
	ck_assert(is_admitted(99)); /* nobody was here before us */
	finish();

	is_after_another = yes;
	serve_all();
	is_after_another = NULL;
	ck_assert(!is_admitted(99));
	ck_assert(is_admitted(0));
	ck_assert(is_admitted(100)); /* a position of ours */
	story->is_readmitted = false;
	for (int i = DEPLOYMENTS; i <= REPLICASETS; i++) {
		ck_assert(!is_admitted(99));
		story->relay.head(watch_of(i)->stream, &head);
	}
	ck_assert(is_admitted(99));
	fake_run_until(story->world.fake, &story->is_readmitted);
	finish();
}
END_TEST

UNIT_MAIN("session/watchers",
	  who_has_gone_is_missed_until_it_is_back_or_need_not_be_waited_for,
	  two_informers_with_one_key_are_both_missed,
	  who_held_the_view_lacks_nothing_of_it_and_all_of_the_next_one,
	  bounded_what_is_waited_for, key_tells_programs_and_selectors_apart,
	  watch_that_begins_with_all_objects_has_told_them_behind_the_bookmark,
	  client_of_an_owned_resource_is_blind_from_the_end_of_its_watch_to_the_next,
	  client_that_breaks_off_again_and_again_holds_what_the_view_brought,
	  client_that_never_lets_itself_be_told_is_not_waited_for_for_ever,
	  main_resources_are_not_waited_for,
	  client_of_our_predecessor_sees_main_objects_once_owned_ones_are_watched)
