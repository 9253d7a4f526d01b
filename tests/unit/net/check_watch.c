#include "proxy/net/watch.h"

#include <stdio.h>

#include "tests/unit/net/fake_api.h"

#define BOOKMARK \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{" \
	"\"resourceVersion\":\"9\"}}}\n"
#define ADDED_A \
	"{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"," \
	"\"resourceVersion\":\"7\"}}}\n"

/* What the watch under test has told, as text: "+a=b@9" and so on. */
struct story {
	struct fake_api *fake;
	struct watch *watch;
	char told[256];
	int status;
	int64_t retry_after_ms;
	char reason[512];
	bool is_over;
	int room; /* events until it pauses; -1: never */
};

static bool on_event(void *arg, const struct watch_event *event)
{
	struct story *story = arg;
	size_t used = strlen(story->told);

	snprintf(story->told + used, sizeof(story->told) - used, "%c%.*s@%.*s ",
		 "+*-b!"[event->type],
		 SLICE_ARGS(json_text(event->object, "metadata.name")),
		 SLICE_ARGS(event->resource_version));
	return story->room < 0 || --story->room > 0;
}

static void on_end(void *arg, const struct api_answer *end)
{
	struct story *story = arg;

	story->status = end->status;
	story->retry_after_ms = end->retry_after_ms;
	snprintf(story->reason, sizeof(story->reason), "%s", end->err.text);
	story->is_over = true;
	watch_close(story->watch);
	story->watch = NULL;
}

static const struct watch_listener listener = { on_event, on_end };

static struct transfer *story_begin(struct story *story, int64_t silence_ms)
{
	struct watch_request request = { .target = "/api/v1/pods?watch=true",
					 .accept = API_METADATA,
					 .frame_bytes_max = 400,
					 .silence_ms = silence_ms };

	*story = (struct story){ .fake = fake_create(), .room = -1 };
	story->watch = watch_open(&story->fake->api, &request, &listener, story);
	return fake_expect(story->fake, "GET /api/v1/pods?watch=true");
}

static void story_end(struct story *story)
{
	watch_close(story->watch);
	fake_destroy(story->fake);
}

START_TEST(watch_tells_each_line_as_an_event_and_ends_cleanly)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);

	ck_assert_str_eq(fake_accept(transfer), API_METADATA);
	fake_begin(transfer, 200, NULL);
	fake_send(transfer, ADDED_A BOOKMARK "\n");
	fake_end(transfer, UPSTREAM_COMPLETE);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_str_eq(story.told, "+a@7 b@9 ");
	ck_assert_int_eq(story.status, 200);
	story_end(&story);
}
END_TEST

START_TEST(watch_events_may_come_byte_by_byte)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);
	const char *text = ADDED_A BOOKMARK;

	fake_begin(transfer, 200, NULL);
	for (; *text; text++) {
		fake_send(transfer, (char[]){ *text, '\0' });
		fake_settle(story.fake);
	}
	ck_assert_str_eq(story.told, "+a@7 b@9 ");
	story_end(&story);
}
END_TEST

/* Two events, and the end; the listener has taken one. */
static void begin_with_room_for_one(struct story *story, enum upstream_result result)
{
	struct transfer *transfer = story_begin(story, 0);

	story->room = 1;
	fake_begin(transfer, 200, NULL);
	fake_send(transfer, ADDED_A BOOKMARK);
	fake_end(transfer, result);
	fake_settle(story->fake);
}

START_TEST(watch_that_is_paused_tells_nothing_until_it_is_resumed)
{
	struct story story;

	begin_with_room_for_one(&story, UPSTREAM_COMPLETE);
	ck_assert_str_eq(story.told, "+a@7 ");
	ck_assert(!story.is_over);
	story.room = -1;
	watch_resume(story.watch);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_str_eq(story.told, "+a@7 b@9 ");
	ck_assert_int_eq(story.status, 200);
	story_end(&story);
}
END_TEST

/* The end is found with the last event, and waits as another event would. */
START_TEST(watch_that_is_paused_by_its_last_event_ends_when_it_is_resumed)
{
	struct story story;

	begin_with_room_for_one(&story, UPSTREAM_BROKEN);
	story.room = 1;
	watch_resume(story.watch);
	fake_settle(story.fake);
	ck_assert_str_eq(story.told, "+a@7 b@9 ");
	ck_assert(!story.is_over);
	watch_resume(story.watch);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_int_eq(story.status, 0);
	story_end(&story);
}
END_TEST

START_TEST(watch_that_breaks_says_so_after_what_it_still_had)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);

	fake_begin(transfer, 200, NULL);
	fake_send(transfer, ADDED_A "{\"type\":");
	fake_end(transfer, UPSTREAM_BROKEN);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_str_eq(story.told, "+a@7 ");
	ck_assert_int_eq(story.status, 0);
	ck_assert_str_eq(story.reason, "the connection broke");
	story_end(&story);
}
END_TEST

START_TEST(watch_that_ends_inside_an_event_is_broken)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);

	fake_begin(transfer, 200, NULL);
	fake_send(transfer, "{\"type\":");
	fake_end(transfer, UPSTREAM_COMPLETE);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_int_eq(story.status, 0);
	story_end(&story);
}
END_TEST

START_TEST(watch_refusal_carries_status_message_and_retry_after)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);

	fake_begin(transfer, 429, "Retry-After: 3");
	fake_send(transfer, "{\"kind\":\"Status\",\"message\":\"too many\"}");
	fake_end(transfer, UPSTREAM_COMPLETE);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_int_eq(story.status, 429);
	ck_assert_int_eq(story.retry_after_ms, 3000);
	ck_assert_str_eq(story.reason, "HTTP 429: too many");
	story_end(&story);
}
END_TEST

START_TEST(watch_error_event_ends_it_with_its_code)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);

	fake_begin(transfer, 200, NULL);
	fake_send(transfer,
		  "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
		  "\"message\":\"too old\"}}\n" ADDED_A);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_str_eq(story.told, "");
	ck_assert_int_eq(story.status, 410);
	ck_assert_str_eq(story.reason, "ERROR event 410: too old");
	story_end(&story);
}
END_TEST

START_TEST(watch_event_that_cannot_be_read_is_a_position_that_is_gone)
{
	static const char *const frames[] = {
		"nonsense\n",
		"{\"type\":\"ADDED\"\n",
		"{\"type\":\"WHAT\",\"object\":{}}\n",
	};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct story story;
		struct transfer *transfer = story_begin(&story, 0);

		fake_begin(transfer, 200, NULL);
		fake_send(transfer, frames[i]);
		fake_run_until(story.fake, &story.is_over);
		ck_assert_int_eq(story.status, 410);
		story_end(&story);
	}
}
END_TEST

START_TEST(watch_event_above_the_bound_is_a_position_that_is_gone)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 0);
	char part[101] = { 0 };

	memset(part, ' ', 100);
	fake_begin(transfer, 200, NULL);
	for (int i = 0; i < 5; i++)
		fake_send(transfer, part);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_int_eq(story.status, 410);
	ck_assert_str_eq(story.reason, "an event is too large");
	story_end(&story);
}
END_TEST

START_TEST(watch_that_is_silent_for_too_long_is_broken)
{
	struct story story;
	struct transfer *transfer = story_begin(&story, 40);
	int64_t began_ms = loop_now_ms(story.fake->loop);

	fake_begin(transfer, 200, NULL);
	fake_send(transfer, BOOKMARK);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_int_ge(loop_now_ms(story.fake->loop) - began_ms, 40);
	ck_assert_int_eq(story.status, 0);
	ck_assert_str_eq(story.told, "b@9 ");
	story_end(&story);
}
END_TEST

START_TEST(watch_that_gets_no_answer_is_broken_after_the_same_time)
{
	struct story story;

	(void)story_begin(&story, 40);
	fake_run_until(story.fake, &story.is_over);
	ck_assert_int_eq(story.status, 0);
	story_end(&story);
}
END_TEST

UNIT_MAIN("net/watch", watch_tells_each_line_as_an_event_and_ends_cleanly,
	  watch_events_may_come_byte_by_byte,
	  watch_that_is_paused_tells_nothing_until_it_is_resumed,
	  watch_that_is_paused_by_its_last_event_ends_when_it_is_resumed,
	  watch_that_breaks_says_so_after_what_it_still_had,
	  watch_that_ends_inside_an_event_is_broken,
	  watch_refusal_carries_status_message_and_retry_after,
	  watch_error_event_ends_it_with_its_code,
	  watch_event_that_cannot_be_read_is_a_position_that_is_gone,
	  watch_event_above_the_bound_is_a_position_that_is_gone,
	  watch_that_is_silent_for_too_long_is_broken,
	  watch_that_gets_no_answer_is_broken_after_the_same_time)
