#include "proxy/session/stream.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define NOW 10000
#define TWO_FRAMES "{\"a\":1}\n{\"b\":2}\n"
#define FRAME_BYTES 8

static const struct stream_end not_yet = { .now_ms = NOW, .min_age_ms = 2000 };
static const struct stream_end now = { true, NOW, 2000 };
static const struct stream_end later = { true, NOW + 2000, 2000 };

static struct stream *stream_of(bool is_watch, int status, const char *type,
				const char *coding)
{
	struct header fields[] = {
		{ SLICE_LITERAL("Content-Type"), slice_of(type) },
		{ SLICE_LITERAL("Content-Encoding"), slice_of(coding) },
	};
	struct upstream_head head = { .status = status,
				      .headers = fields,
				      .headers_n = coding != NULL ? 2 : 1 };
	struct stream *stream = stream_create(NULL, NULL, is_watch, NOW);

	stream_head(stream, &head, NOW);
	return stream;
}

static struct stream *watch(void)
{
	return stream_of(true, 200, "application/json", NULL);
}

/* Passes the text; n bytes are to go on, and the stream is to end or not. */
static void check_pass(struct stream *stream, struct slice bytes,
		       const struct stream_end *end, int n, bool is_end)
{
	bool ends;

	ck_assert_int_eq(stream_pass(stream, &bytes, end, &ends), 0);
	ck_assert_int_eq((int)bytes.len, n);
	ck_assert_int_eq(ends, is_end);
}

START_TEST(stream_passes_everything_while_it_need_not_end)
{
	struct stream *stream = watch();

	check_pass(stream, slice_of(TWO_FRAMES), &not_yet, 2 * FRAME_BYTES, false);
	check_pass(stream, slice_of("{\"half"), &not_yet, 6, false);
	check_pass(stream, slice_of(""), &not_yet, 0, false);
	stream_destroy(stream);
}
END_TEST

START_TEST(watch_ends_between_frames_and_nowhere_else)
{
	struct stream *stream = watch();

	check_pass(stream, slice_of("{\"a"), &not_yet, 3, false);
	check_pass(stream, slice_of(""), &later, 0, false);
	check_pass(stream, slice_of("\""), &later, 1, false);
	check_pass(stream, slice_of(":1}\n{\"b\":2}\n"), &later, 4, true);
	stream_destroy(stream);
}
END_TEST

START_TEST(watch_that_has_passed_a_frame_ends_at_once)
{
	struct stream *stream = watch();

	check_pass(stream, slice_of("{\"a\":1}\n"), &not_yet, FRAME_BYTES, false);
	check_pass(stream, slice_of("{\"b\":2}\n"), &now, 0, true);
	stream_destroy(stream);
}
END_TEST

START_TEST(young_watch_ends_behind_its_first_frame_or_when_it_is_old_enough)
{
	struct stream *stream = watch();

	check_pass(stream, slice_of(""), &now, 0, false);
	check_pass(stream, slice_of(TWO_FRAMES), &now, FRAME_BYTES, true);
	stream_destroy(stream);
	stream = watch();
	check_pass(stream, slice_of(""), &now, 0, false);
	check_pass(stream, slice_of(""), &later, 0, true);
	stream_destroy(stream);
}
END_TEST

/* client-go takes what comes behind its initial events for a watch that begins there.
 */
START_TEST(watch_that_has_just_sent_its_initial_events_is_young)
{
	static const char initial[] = "{\"a\":1}\n{\"k8s.io/initial-events-end\":1}\n";
	static const int n = sizeof(initial) - 1;

	for (int cut = 0; cut <= n; cut++) {
		struct stream *stream = watch();

		stream->sends_initial_events = true;
		check_pass(stream, slice_make(initial, (size_t)cut), &not_yet, cut,
			   false);
		check_pass(stream, slice_of(initial + cut),
			   &(struct stream_end){ .now_ms = NOW + 2000 }, n - cut,
			   false);
		check_pass(stream, slice_of(""), &later, 0, cut == n);
		if (cut < n)
			check_pass(stream, slice_of(TWO_FRAMES), &later, FRAME_BYTES,
				   true);
		stream_destroy(stream);
	}
}
END_TEST

START_TEST(watch_in_protobuf_ends_between_frames)
{
	static const char bytes[] = "\0\0\0\2ab\0\0\0\1c";
	struct stream *stream = stream_of(
		true, 200, "application/vnd.kubernetes.protobuf;stream=watch", NULL);

	check_pass(stream, slice_make(bytes, 3), &not_yet, 3, false);
	check_pass(stream, slice_make(bytes + 3, sizeof(bytes) - 4), &later, 3, true);
	stream_destroy(stream);
}
END_TEST

START_TEST(lists_and_other_answers_pass_untouched)
{
	struct stream *list = stream_of(false, 200, "application/json", "gzip");
	struct stream *gone = stream_of(true, 410, "application/json", NULL);

	ck_assert(!stream_is_session(list));
	ck_assert(!stream_is_session(gone));
	check_pass(list, slice_of(TWO_FRAMES), &later, 2 * FRAME_BYTES, false);
	check_pass(gone, slice_of(TWO_FRAMES), &later, 2 * FRAME_BYTES, false);
	stream_destroy(list);
	stream_destroy(gone);
}
END_TEST

START_TEST(what_cannot_be_framed_is_refused)
{
	static const struct {
		const char *type, *coding, *bytes;
	} rows[] = {
		{ "application/yaml", NULL, "" },
		{ "text/html", NULL, "" },
		{ "application/json", "gzip", "" },
		/* A length of 4 GiB. */
		{ "application/vnd.kubernetes.protobuf", NULL, "\xff\xff\xff\xff" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stream *stream =
			stream_of(true, 200, rows[i].type, rows[i].coding);
		struct slice bytes = slice_of(rows[i].bytes);
		bool ends;

		ck_assert_int_eq(stream_pass(stream, &bytes, &not_yet, &ends), -EINVAL);
		stream_destroy(stream);
	}
}
END_TEST

UNIT_MAIN("session/stream", stream_passes_everything_while_it_need_not_end,
	  watch_ends_between_frames_and_nowhere_else,
	  watch_that_has_passed_a_frame_ends_at_once,
	  young_watch_ends_behind_its_first_frame_or_when_it_is_old_enough,
	  watch_that_has_just_sent_its_initial_events_is_young,
	  watch_in_protobuf_ends_between_frames, lists_and_other_answers_pass_untouched,
	  what_cannot_be_framed_is_refused)
