#include "proxy/net/reflector.h"

#include <stdio.h>

#include "tests/unit/net/fake_api.h"

#define ITEM(name, version) \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define PAGE(version, token, items) \
	"{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"" version \
	"\",\"continue\":\"" token "\"},\"items\":[" items "]}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
#define EXPIRED "{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}"

#define LIST_LINE "GET /api/v1/pods?labelSelector=a%20in%20%28b%29&limit=100"
#define WATCH_LINE \
	"GET /api/v1/pods?labelSelector=a%20in%20%28b%29&watch=true" \
	"&allowWatchBookmarks=true&resourceVersion="

#define STREAM_LINE \
	"GET /api/v1/pods?labelSelector=a%20in%20%28b%29&watch=true" \
	"&allowWatchBookmarks=true&sendInitialEvents=true" \
	"&resourceVersionMatch=NotOlderThan&timeoutSeconds="
#define INITIAL_END(version) \
	EVENT("BOOKMARK", "{\"metadata\":{\"resourceVersion\":\"" version \
			  "\",\"annotations\":{\"k8s.io/initial-events-end\":" \
			  "\"true\"}}}")

/* What was told: "[" a list begins, "+a", "-a", "]" synced, "!410" a failure. */
struct story {
	struct fake_api *fake;
	struct reflector *reflector;
	char told[256];
	int room; /* false from has_room while it is 0; -1: never */
};

static void tell(struct story *story, const char *what, struct slice name)
{
	size_t used = strlen(story->told);

	snprintf(story->told + used, sizeof(story->told) - used, "%s%.*s", what,
		 SLICE_ARGS(name));
}

static void on_list(void *arg)
{
	tell(arg, "[", slice_of(NULL));
}

static void on_object(void *arg, const struct json *object)
{
	tell(arg, "+", json_text(object, "metadata.name"));
}

static void on_gone(void *arg, const struct json *object)
{
	tell(arg, "-", json_text(object, "metadata.name"));
}

static void on_synced(void *arg)
{
	tell(arg, "]", slice_of(NULL));
}

static void on_failure(void *arg, const struct api_answer *answer)
{
	char text[16];

	snprintf(text, sizeof(text), "!%d", answer->status);
	ck_assert_str_ne(answer->err.text, "");
	tell(arg, text, slice_of(NULL));
}

static bool has_room(void *arg)
{
	struct story *story = arg;

	return story->room != 0;
}

static const struct reflector_events events = {
	on_list, on_object, on_gone, on_synced, on_failure, has_room,
};

static void story_begin(struct story *story, bool metadata_only)
{
	struct reflector_source source = { .path = "/api/v1/pods",
					   .selector = "a in (b)",
					   .metadata_only = metadata_only,
					   .limit = 100 };

	*story = (struct story){ .fake = fake_create(), .room = -1 };
	story->reflector = reflector_create(&story->fake->api, &source, &events, story);
}

/* The watch that is to begin with what there is. */
static struct transfer *story_stream(struct story *story)
{
	struct reflector_source source = { .path = "/api/v1/pods",
					   .selector = "a in (b)",
					   .metadata_only = true,
					   .limit = 100,
					   .streams_list = true };

	*story = (struct story){ .fake = fake_create(), .room = -1 };
	story->reflector = reflector_create(&story->fake->api, &source, &events, story);
	return fake_expect(story->fake, STREAM_LINE);
}

static void story_end(struct story *story)
{
	reflector_destroy(story->reflector);
	fake_destroy(story->fake);
}

/* The watch, open, from the position of a list of one object, "a", at 5. */
static struct transfer *story_watch(struct story *story)
{
	struct transfer *watch;

	story_begin(story, false);
	fake_answer(fake_expect(story->fake, LIST_LINE), 200,
		    PAGE("5", "", ITEM("a", "3")));
	watch = fake_expect(story->fake, WATCH_LINE "5&");
	ck_assert_str_eq(story->told, "[+a]");
	story->told[0] = '\0';
	fake_begin(watch, 200, NULL);
	return watch;
}

START_TEST(reflector_lists_in_pages_and_watches_from_the_list)
{
	struct story story;

	story_begin(&story, false);
	fake_answer(fake_expect(story.fake, LIST_LINE), 200,
		    PAGE("5", "next+1", ITEM("a", "3") "," ITEM("b", "4")));
	fake_answer(fake_expect(story.fake, LIST_LINE "&continue=next%2B1"), 200,
		    PAGE("5", "", ITEM("c", "1")));
	(void)fake_expect(story.fake, WATCH_LINE "5&timeoutSeconds=");
	ck_assert_str_eq(story.told, "[+a+b+c]");
	story_end(&story);
}
END_TEST

START_TEST(reflector_of_metadata_asks_for_nothing_else)
{
	struct story story;
	struct transfer *transfer;

	story_begin(&story, true);
	transfer = fake_expect(story.fake, LIST_LINE);
	ck_assert_str_eq(fake_accept(transfer), API_METADATA_LIST);
	fake_answer(transfer, 200, PAGE("5", "", ""));
	transfer = fake_expect(story.fake, WATCH_LINE "5&");
	ck_assert_str_eq(fake_accept(transfer), API_METADATA);
	story_end(&story);
}
END_TEST

START_TEST(reflector_lists_anew_when_the_continue_token_has_expired)
{
	struct story story;

	story_begin(&story, false);
	fake_answer(fake_expect(story.fake, LIST_LINE), 200,
		    PAGE("5", "t", ITEM("a", "3")));
	fake_answer(fake_expect(story.fake, LIST_LINE "&continue=t"), 410, EXPIRED);
	fake_answer(fake_expect(story.fake, LIST_LINE), 200,
		    PAGE("9", "", ITEM("b", "8")));
	(void)fake_expect(story.fake, WATCH_LINE "9&");
	ck_assert_str_eq(story.told, "[+a!410[+b]");
	story_end(&story);
}
END_TEST

START_TEST(reflector_asks_for_a_smaller_page_where_one_did_not_come)
{
	struct story story;

	story_begin(&story, false);
	fake_answer(fake_expect(story.fake, LIST_LINE), 200,
		    PAGE("5", "t", ITEM("a", "3")));
	fake_end(fake_expect(story.fake, LIST_LINE "&continue=t"), UPSTREAM_BROKEN);
	fake_answer(fake_expect(story.fake, "GET /api/v1/pods?labelSelector=a%20in%20"
					    "%28b%29&limit=50&continue=t"),
		    200, PAGE("5", "", ITEM("b", "4")));
	(void)fake_expect(story.fake, WATCH_LINE "5&");
	ck_assert_str_eq(story.told, "[+a!0+b]");
	story_end(&story);
}
END_TEST

START_TEST(reflector_takes_no_list_that_makes_no_sense)
{
	static const char *const pages[] = {
		"{}",
		"{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":{}}",
		"{\"metadata\":{},\"items\":[]}",
		"nonsense",
		"",
	};
	struct story story;

	story_begin(&story, false);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct transfer *list = fake_expect(story.fake, LIST_LINE);

		story.told[0] = '\0';
		fake_answer(list, 200, pages[i]);
		(void)fake_expect(story.fake, LIST_LINE);
		ck_assert_msg(strcmp(story.told, "!200[") == 0, "%s gave %s", pages[i],
			      story.told);
	}
	story_end(&story);
}
END_TEST

START_TEST(reflector_watches_again_from_the_last_event_after_a_clean_end)
{
	struct story story;
	struct transfer *watch = story_watch(&story);

	fake_send(watch,
		  EVENT("MODIFIED", ITEM("a", "6")) EVENT("ADDED", ITEM("b", "7"))
			  EVENT("DELETED", ITEM("a", "8"))
				  EVENT("BOOKMARK", ITEM("", "12")));
	fake_end(watch, UPSTREAM_COMPLETE);
	fake_settle(story.fake);
	/* At once: it did not wait for a timer. */
	ck_assert_uint_eq(fake_unanswered(story.fake), 1);
	(void)fake_expect(story.fake, WATCH_LINE "12&");
	ck_assert_str_eq(story.told, "+a+b-a");
	story_end(&story);
}
END_TEST

START_TEST(reflector_does_not_spin_on_watches_that_end_as_they_begin)
{
	struct story story;

	fake_end(story_watch(&story), UPSTREAM_COMPLETE);
	fake_settle(story.fake);
	ck_assert_uint_eq(fake_unanswered(story.fake), 0);
	(void)fake_expect(story.fake, WATCH_LINE "5&");
	ck_assert_str_eq(story.told, "!200");
	story_end(&story);
}
END_TEST

START_TEST(reflector_comes_back_to_its_position_after_a_broken_watch)
{
	struct story story;
	struct transfer *watch = story_watch(&story);

	fake_send(watch, EVENT("ADDED", ITEM("b", "7")) "{\"type\":\"ADD");
	fake_end(watch, UPSTREAM_BROKEN);
	watch = fake_expect(story.fake, WATCH_LINE "7&");
	fake_answer(watch, 503, "{\"message\":\"not now\"}");
	(void)fake_expect(story.fake, WATCH_LINE "7&");
	ck_assert_str_eq(story.told, "+b!0!503");
	story_end(&story);
}
END_TEST

START_TEST(reflector_lists_again_when_its_position_is_gone)
{
	struct story story;
	struct transfer *watch = story_watch(&story);

	/* Told in the stream. */
	fake_send(watch, EVENT("ERROR", EXPIRED));
	fake_answer(fake_expect(story.fake, LIST_LINE), 200, PAGE("20", "", ""));
	/* Told as the answer. */
	fake_answer(fake_expect(story.fake, WATCH_LINE "20&"), 410, EXPIRED);
	fake_answer(fake_expect(story.fake, LIST_LINE), 200, PAGE("30", "", ""));
	(void)fake_expect(story.fake, WATCH_LINE "30&");
	ck_assert_str_eq(story.told, "!410[]!410[]");
	story_end(&story);
}
END_TEST

START_TEST(reflector_other_errors_in_the_stream_do_not_cost_a_list)
{
	struct story story;

	fake_send(story_watch(&story), EVENT("ERROR", "{\"code\":500}"));
	(void)fake_expect(story.fake, WATCH_LINE "5&");
	ck_assert_str_eq(story.told, "!500");
	story_end(&story);
}
END_TEST

START_TEST(reflector_asks_for_the_next_page_when_there_is_room)
{
	struct story story;

	story_begin(&story, false);
	story.room = 0;
	fake_answer(fake_expect(story.fake, LIST_LINE), 200,
		    PAGE("5", "t", ITEM("a", "3")));
	fake_settle(story.fake);
	ck_assert_uint_eq(fake_unanswered(story.fake), 0);
	reflector_resume(story.reflector);
	fake_answer(fake_expect(story.fake, LIST_LINE "&continue=t"), 200,
		    PAGE("5", "", ITEM("b", "3")));
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "[+a+b]");
	ck_assert_uint_eq(fake_unanswered(story.fake), 0);
	reflector_resume(story.reflector);
	(void)fake_expect(story.fake, WATCH_LINE "5&");
	story_end(&story);
}
END_TEST

START_TEST(reflector_reads_no_event_while_there_is_no_room)
{
	struct story story;
	struct transfer *watch = story_watch(&story);

	story.room = 0;
	fake_send(watch, EVENT("ADDED", ITEM("b", "7")) EVENT("ADDED", ITEM("c", "8")));
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "+b");
	reflector_resume(story.reflector);
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "+b+c");
	/* It ends while nobody reads: nothing is lost, and it is noticed later. */
	fake_send(watch, EVENT("ADDED", ITEM("d", "9")));
	fake_end(watch, UPSTREAM_COMPLETE);
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "+b+c");
	story.room = -1;
	reflector_resume(story.reflector);
	(void)fake_expect(story.fake, WATCH_LINE "9&");
	ck_assert_str_eq(story.told, "+b+c+d");
	story_end(&story);
}
END_TEST

/* One that broke: it is watched again once, not now and after the delay, too. */
START_TEST(reflector_hears_of_no_end_while_there_is_no_room)
{
	struct story story;
	struct transfer *watch = story_watch(&story);

	story.room = 0;
	fake_send(watch, EVENT("ADDED", ITEM("b", "7")) EVENT("ADDED", ITEM("c", "8")));
	fake_end(watch, UPSTREAM_BROKEN);
	fake_settle(story.fake);
	reflector_resume(story.reflector);
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "+b+c");
	story.room = -1;
	reflector_resume(story.reflector);
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "+b+c!0");
	ck_assert_uint_eq(fake_unanswered(story.fake), 0);
	(void)fake_expect(story.fake, WATCH_LINE "8&");
	story_end(&story);
}
END_TEST

START_TEST(reflector_lists_and_watches_in_one_stream)
{
	struct story story;
	struct transfer *watch = story_stream(&story);

	ck_assert_str_eq(fake_accept(watch), API_METADATA);
	fake_begin(watch, 200, NULL);
	fake_send(watch, EVENT("ADDED", ITEM("a", "9")) EVENT("ADDED", ITEM("b", "3")));
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "[+a+b");
	fake_send(watch, INITIAL_END("12") EVENT("DELETED", ITEM("a", "15")));
	fake_end(watch, UPSTREAM_COMPLETE);
	(void)fake_expect(story.fake, WATCH_LINE "15&");
	ck_assert_str_eq(story.told, "[+a+b]-a");
	story_end(&story);
}
END_TEST

START_TEST(reflector_begins_a_stream_anew_that_breaks_before_it_has_listed)
{
	struct story story;
	struct transfer *watch = story_stream(&story);

	fake_begin(watch, 200, NULL);
	fake_send(watch, EVENT("ADDED", ITEM("a", "9")));
	fake_end(watch, UPSTREAM_BROKEN);
	fake_answer(fake_expect(story.fake, STREAM_LINE), 429,
		    "{\"message\":\"later\"}");
	watch = fake_expect(story.fake, STREAM_LINE);
	fake_begin(watch, 200, NULL);
	fake_send(watch, EVENT("ERROR", EXPIRED));
	watch = fake_expect(story.fake, STREAM_LINE);
	fake_begin(watch, 200, NULL);
	fake_send(watch, INITIAL_END("12"));
	fake_end(watch, UPSTREAM_BROKEN);
	watch = fake_expect(story.fake, WATCH_LINE "12&");
	/* What has been listed is not listed anew for a position that is there. */
	fake_answer(watch, 410, EXPIRED);
	(void)fake_expect(story.fake, STREAM_LINE);
	ck_assert_str_eq(story.told, "[+a!0[!429[!410[]!0!410[");
	story_end(&story);
}
END_TEST

/* How API servers answer that list in no watch: by number, or by what they do. */
static const struct {
	int status;
	const char *bytes;
} strangers[] = {
	{ 422, "{\"message\":\"sendInitialEvents is forbidden\"}" },
	{ 400, "{\"message\":\"unknown\"}" },
	{ 403, "{\"message\":\"no watch for you\"}" },
	{ 200, EVENT("ADDED", ITEM("x", "9")) EVENT("BOOKMARK", ITEM("", "12")) },
	{ 200, EVENT("ADDED", ITEM("x", "9")) },
};

START_TEST(reflector_lists_in_pages_where_no_watch_lists)
{
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		struct story story;

		fake_answer(story_stream(&story), strangers[i].status,
			    strangers[i].bytes);
		fake_settle(story.fake);
		/* At once, and without a word: nothing has failed. */
		ck_assert_uint_eq(fake_unanswered(story.fake), 1);
		fake_answer(fake_expect(story.fake, LIST_LINE), 200,
			    PAGE("5", "", ITEM("a", "3")));
		fake_answer(fake_expect(story.fake, WATCH_LINE "5&"), 410, EXPIRED);
		(void)fake_expect(story.fake, LIST_LINE);
		ck_assert_msg(strstr(story.told, "[+a]!410[") != NULL &&
				      strstr(story.told, "!4") ==
					      strstr(story.told, "!410"),
			      "%zu told %s", i, story.told);
		story_end(&story);
	}
}
END_TEST

START_TEST(reflector_honours_retry_after)
{
	struct story story;
	struct transfer *list;
	int64_t began_ms;

	story_begin(&story, false);
	list = fake_expect(story.fake, LIST_LINE);
	began_ms = loop_now_ms(story.fake->loop);
	fake_begin(list, 429, "Retry-After: 1");
	fake_end(list, UPSTREAM_COMPLETE);
	(void)fake_expect(story.fake, LIST_LINE);
	ck_assert_int_ge(loop_now_ms(story.fake->loop) - began_ms, 1000);
	story_end(&story);
}
END_TEST

START_TEST(reflector_can_be_destroyed_at_every_step)
{
	struct story story;

	story_begin(&story, false);
	story_end(&story);
	story_begin(&story, false);
	(void)fake_expect(story.fake, LIST_LINE);
	story_end(&story);
	story_begin(&story, false);
	fake_answer(fake_expect(story.fake, LIST_LINE), 500, "");
	fake_settle(story.fake);
	story_end(&story);
	fake_send(story_watch(&story), "{\"type\":");
	fake_settle(story.fake);
	story_end(&story);
}
END_TEST

UNIT_MAIN("net/reflector", reflector_lists_in_pages_and_watches_from_the_list,
	  reflector_of_metadata_asks_for_nothing_else,
	  reflector_lists_anew_when_the_continue_token_has_expired,
	  reflector_asks_for_a_smaller_page_where_one_did_not_come,
	  reflector_takes_no_list_that_makes_no_sense,
	  reflector_watches_again_from_the_last_event_after_a_clean_end,
	  reflector_does_not_spin_on_watches_that_end_as_they_begin,
	  reflector_comes_back_to_its_position_after_a_broken_watch,
	  reflector_lists_again_when_its_position_is_gone,
	  reflector_other_errors_in_the_stream_do_not_cost_a_list,
	  reflector_asks_for_the_next_page_when_there_is_room,
	  reflector_reads_no_event_while_there_is_no_room,
	  reflector_hears_of_no_end_while_there_is_no_room,
	  reflector_lists_and_watches_in_one_stream,
	  reflector_begins_a_stream_anew_that_breaks_before_it_has_listed,
	  reflector_lists_in_pages_where_no_watch_lists, reflector_honours_retry_after,
	  reflector_can_be_destroyed_at_every_step)
