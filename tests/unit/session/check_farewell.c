/*
 * Deletions that are looked up before they are told: a WATCH on a fake API server, of
 * which the test is the exchange.
 */
#include "proxy/session/farewell.h"

#include <stdio.h>

#include "tests/unit/net/fake_api.c"  // NOLINT(bugprone-suspicious-include)
#include "tests/unit/net/fake_ring.c" // NOLINT(bugprone-suspicious-include)

#define WATCH "GET /apis/g/v1/foos?watch=true"
#define LOOKUP "GET /apis/g/v1/namespaces/x/foos?"
#define OBJECT(name, uid) \
	"{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\",\"metadata\":{\"name\":\"" name \
	"\",\"namespace\":\"x\",\"uid\":\"" uid "\",\"resourceVersion\":\"7\"}}"
#define EVENT(type, name) \
	"{\"type\":\"" type "\",\"object\":" OBJECT(name, "u-" name) "}\n"
#define MOVED_ON \
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\"," \
	"\"metadata\":{\"resourceVersion\":\"7\",\"creationTimestamp\":null}}}\n"
#define LIST(items) "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" items "]}"

static struct {
	struct fake_ring world;
	struct ring_resource foos;
	struct farewell *farewell;
	struct transfer *transfer; /* the exchange's */
	struct transfer *watch;    /* the API server's */
	int64_t values[FAREWELLS_METRICS_N];
	struct buf told;
	int status;
	bool is_ended;
	enum upstream_result result;
} story;

static void on_head(void *arg, const struct upstream_head *head)
{
	(void)arg;
	story.status = head->status;
}

static void on_bytes(void *arg)
{
	struct upstream *way = farewell_way(story.farewell);
	struct slice bytes = transfer_peek(way, story.transfer);

	(void)arg;
	ck_assert_int_eq(buf_append(&story.told, bytes), 0);
	transfer_take(way, story.transfer, bytes.len);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	(void)err;
	on_bytes(arg);
	story.is_ended = true;
	story.result = result;
}

static void begin(enum release_manner manner, const char *labels, const char *fields)
{
	static const struct upstream_events to = { .on_head = on_head,
						   .on_bytes = on_bytes,
						   .on_end = on_end };
	const struct upstream_request request = {
		.method = SLICE_LITERAL("GET"),
		.target = SLICE_LITERAL("/apis/g/v1/foos?watch=true"),
	};
	struct farewell_plan plan = { .label_selector = slice_of(labels),
				      .field_selector = slice_of(fields),
				      .allows_bookmarks = true,
				      .values = story.values };

	memset(&story, 0, sizeof(story));
	fake_ring_init(&story.world);
	fake_ring_learn(&story.world);
	buf_init(&story.told, 1 << 20);
	story.foos = story.world.spec.resources[FOOS];
	story.foos.on_release = manner;
	plan.api = &story.world.fake->api;
	plan.catalog = story.world.catalog;
	plan.resource = &story.foos;
	story.farewell = farewell_create(&story.world.fake->super, &plan);
	story.transfer =
		transfer_start(farewell_way(story.farewell), &request, &to, NULL);
	story.watch = fake_expect(story.world.fake, WATCH);
}

static void finish(void)
{
	transfer_close(farewell_way(story.farewell), story.transfer);
	farewell_unref(story.farewell);
	buf_finish(&story.told);
	fake_ring_finish(&story.world);
}

/* The watch says this; what its client has been told by then is left in `told`. */
static void say(const char *frames)
{
	if (story.status == 0)
		fake_begin(story.watch, 200, NULL);
	fake_send(story.watch, frames);
	fake_settle(story.world.fake);
}

static void check_told(const char *told)
{
	fake_settle(story.world.fake);
	ck_assert_slice(buf_slice(&story.told), told);
	buf_clear(&story.told);
}

START_TEST(what_exists_elsewhere_is_not_told_and_what_is_gone_is)
{
	static const struct {
		int status;
		const char *found, *told;
		int hushed;
	} rows[] = {
		{ 200, LIST(OBJECT("a", "u-a")), MOVED_ON, 1 },
		{ 200, LIST(""), EVENT("DELETED", "a"), 0 },
		/* Made again under its name. */
		{ 200, LIST(OBJECT("a", "u-b")), EVENT("DELETED", "a"), 0 },
		{ 404, "{\"kind\":\"Status\",\"code\":404}", EVENT("DELETED", "a"), 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(RELEASE_SUPPRESSED, "", "");
		say(EVENT("ADDED", "a") EVENT("DELETED", "a") EVENT("ADDED", "b"));
		check_told(EVENT("ADDED", "a"));
		ck_assert(!farewell_is_idle(story.farewell));
		fake_answer(fake_expect(story.world.fake,
					LOOKUP "pretty=false&fieldSelector="
					       "metadata.name%3Da"),
			    rows[i].status, rows[i].found);
		fake_settle(story.world.fake);
		ck_assert_msg(slice_starts_with(buf_slice(&story.told), rows[i].told),
			      "row %zu", i);
		buf_consume(&story.told, strlen(rows[i].told));
		check_told(EVENT("ADDED", "b"));
		ck_assert(farewell_is_idle(story.farewell));
		ck_assert_int_eq(story.values[FAREWELLS_HUSHED], rows[i].hushed);
		ck_assert_int_eq(story.values[FAREWELLS_LOOKED_UP], 1);
		finish();
	}
}
END_TEST

START_TEST(clients_own_selectors_decide_what_is_there)
{
	struct transfer *lookup;

	begin(RELEASE_SUPPRESSED, "app in (a,b)", "spec.x=1");
	say(EVENT("DELETED", "a"));
	lookup = fake_expect(story.world.fake, LOOKUP);
	ck_assert_str_eq(fake_line(lookup),
			 LOOKUP "pretty=false&fieldSelector="
				"spec.x%3D1%2Cmetadata.name%3Da&labelSelector="
				"app%20in%20%28a%2Cb%29");
	ck_assert_str_eq(fake_accept(lookup), API_METADATA_LIST);
	fake_answer(lookup, 200, LIST(""));
	check_told(EVENT("DELETED", "a"));
	finish();
}
END_TEST

START_TEST(watch_breaks_before_what_cannot_be_found_out)
{
	static const struct {
		int status;
		const char *found;
	} rows[] = {
		{ 403, "{\"kind\":\"Status\"}" },
		{ 500, "" },
		{ 200, "{}" },
		{ 200, "?" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(RELEASE_SUPPRESSED, "", "");
		say(EVENT("ADDED", "a") EVENT("DELETED", "a"));
		fake_answer(fake_expect(story.world.fake, LOOKUP), rows[i].status,
			    rows[i].found);
		check_told(EVENT("ADDED", "a"));
		ck_assert(story.is_ended);
		ck_assert_int_eq(story.result, UPSTREAM_BROKEN);
		ck_assert_int_eq(story.values[FAREWELLS_UNKNOWN], 1);
		finish();
	}
}
END_TEST

START_TEST(what_is_being_deleted_is_told_without_a_look)
{
	static const char deleted[] =
		"{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"name\":\"a\","
		"\"uid\":\"u\",\"deletionTimestamp\":\"x\","
		"\"resourceVersion\":\"7\"}}}\n";

	begin(RELEASE_SUPPRESSED, "", "");
	say(deleted);
	check_told(deleted);
	finish();
}
END_TEST

START_TEST(marked_needs_no_look)
{
	begin(RELEASE_MARKED, "", "");
	say(EVENT("ADDED", "a"));
	check_told(EVENT("ADDED", "a"));
	say(EVENT("DELETED", "a"));
	fake_settle(story.world.fake);
	ck_assert_uint_eq(fake_unanswered(story.world.fake), 0);
	ck_assert_ptr_nonnull(memmem(story.told.data, story.told.len,
				     "{\"deletionTimestamp\":\"20", 23));
	finish();
}
END_TEST

START_TEST(answer_that_is_no_watch_passes_as_it_is)
{
	begin(RELEASE_SUPPRESSED, "", "");
	fake_begin(story.watch, 403, NULL);
	fake_send(story.watch, "{\"kind\":\"Status\",\"type\":\"DELETED\"}");
	fake_end(story.watch, UPSTREAM_COMPLETE);
	check_told("{\"kind\":\"Status\",\"type\":\"DELETED\"}");
	ck_assert_int_eq(story.status, 403);
	ck_assert(story.is_ended);
	ck_assert_int_eq(story.result, UPSTREAM_COMPLETE);
	finish();
}
END_TEST

START_TEST(end_waits_for_the_look_and_comes_between_frames)
{
	begin(RELEASE_SUPPRESSED, "", "");
	say(EVENT("DELETED", "a"));
	fake_end(story.watch, UPSTREAM_COMPLETE);
	fake_settle(story.world.fake);
	ck_assert(!story.is_ended);
	fake_answer(fake_expect(story.world.fake, LOOKUP), 200, LIST(""));
	check_told(EVENT("DELETED", "a"));
	ck_assert(story.is_ended);
	ck_assert_int_eq(story.result, UPSTREAM_COMPLETE);
	finish();

	begin(RELEASE_MARKED, "", "");
	say(EVENT("ADDED", "a") "{\"type\":");
	fake_end(story.watch, UPSTREAM_COMPLETE);
	check_told(EVENT("ADDED", "a"));
	ck_assert_int_eq(story.result, UPSTREAM_BROKEN);
	finish();
}
END_TEST

START_TEST(client_that_leaves_in_the_middle_of_a_look_leaves_nothing)
{
	begin(RELEASE_SUPPRESSED, "", "");
	say(EVENT("DELETED", "a"));
	(void)fake_expect(story.world.fake, LOOKUP);
	finish();
}
END_TEST

START_TEST(deleted_alone_needs_no_farewell)
{
	struct ring_resource foos = { .on_release = RELEASE_DELETED };
	const struct slice json = SLICE_LITERAL("application/json");

	ck_assert(!farewell_is_wanted(&foos, json));
	foos.on_release = RELEASE_MARKED;
	ck_assert(farewell_is_wanted(&foos, json));
	ck_assert(!farewell_is_wanted(
		&foos, SLICE_LITERAL("application/json;as=Table;v=v1;g=meta.k8s.io")));
}
END_TEST

UNIT_MAIN("session/farewell", what_exists_elsewhere_is_not_told_and_what_is_gone_is,
	  clients_own_selectors_decide_what_is_there,
	  watch_breaks_before_what_cannot_be_found_out,
	  what_is_being_deleted_is_told_without_a_look, marked_needs_no_look,
	  answer_that_is_no_watch_passes_as_it_is,
	  end_waits_for_the_look_and_comes_between_frames,
	  client_that_leaves_in_the_middle_of_a_look_leaves_nothing,
	  deleted_alone_needs_no_farewell)
