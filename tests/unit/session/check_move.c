/*
 * What a client is told whose view has changed.
 */
#include "tests/unit/session/move_stage.h"

/* --- one that comes to its end --- */

static const struct answer all_well[] = {
	{ LEFT AT_R, 200, LIST_OF("90", "t", OBJECT("a", "50", "1")) },
	{ NEXT, 200, LIST_OF("90", "", OBJECT("b", "60", "1")) },
	{ CAME AT_F, 200,
	  LIST_OF("100", "", OBJECT("x", "70", "2") "," OBJECT("y", "99", "2")) },
	{ WATCH_FROM("90&timeoutSeconds=4&allowWatchBookmarks=true"), 200,
	  EVENT("MODIFIED", OBJECT("x", "92", "2"))
		  KEPT EVENT("MODIFIED", OBJECT("y", "99", "2")) BOOKMARK("104") },
	{ WATCH_FROM("104"), 200, EVENT("MODIFIED", OBJECT("x", "110", "2")) },
	{ 0 },
};

#define TOLD_OF_MOVE \
	EVENT("DELETED", OBJECT("a", "90", "1")) \
	EVENT("DELETED", OBJECT("b", "90", "1")) \
	EVENT("ADDED", OBJECT("x", "70", "2")) \
	EVENT("ADDED", OBJECT("y", "99", "2")) \
	OUR_BOOKMARK("90") KEPT BOOKMARK("104")
#define TOLD TOLD_OF_MOVE EVENT("MODIFIED", OBJECT("x", "110", "2"))

START_TEST(client_is_told_what_left_what_came_and_what_it_has_missed)
{
	begin(all_well);
	run();
	ck_assert_slice(buf_slice(&stage->got), TOLD);
	ck_assert(stage->is_over && stage->result == UPSTREAM_COMPLETE);
	ck_assert(move_is_released(stage->move) && move_is_acquired(stage->move));
	ck_assert(move_is_settled(stage->move));
	ck_assert_int_eq(stage->values[MOVES_RELEASED], 2);
	ck_assert_int_eq(stage->values[MOVES_ACQUIRED], 2);
	ck_assert_int_eq(stage->values[MOVES_DROPPED], 2);
	ck_assert_int_eq(stage->values[MOVES_SETTLED], 1);
	finish();
}
END_TEST

START_TEST(coherent_view_whatever_the_pieces_the_bytes_are_the_same)
{
	static const size_t reads[] = { 1, 2, 3, 7, 64, 4095 };

	for (size_t piece = 1; piece < 400; piece += piece < 20 ? 1 : 37) {
		begin(all_well);
		stage->piece = piece;
		stage->reads = reads[piece % 6];
		run();
		ck_assert_slice(buf_slice(&stage->got), TOLD);
		finish();
	}
}
END_TEST

/* The version of the last whole line. */
static uint64_t position_of(struct slice text)
{
	uint64_t position = R;
	struct slice line;

	while (slice_find(text, '\n') >= 0 && slice_split(&text, '\n', &line)) {
		static const struct slice key = SLICE_LITERAL("\"resourceVersion\":\"");

		for (size_t i = 0; i + key.len < line.len; i++) {
			struct slice rest = slice_from(line, i), value;

			if (slice_starts_with(rest, key.data) &&
			    (rest = slice_from(rest, key.len),
			     slice_split(&rest, '"', &value)))
				ck_assert_int_eq(slice_to_u64(value, &position), 0);
		}
	}
	return position;
}

/*
 * Wherever its client is cut off: what stands there, and comes back, either holds what
 * its position says, or is in doubt.
 */
START_TEST(coherent_view_at_every_byte_a_client_that_is_cut_off_is_known_or_doubted)
{
	static const size_t moved = sizeof(TOLD_OF_MOVE) - 1;
	struct view former = { .floor = 80 }, current = { .floor = F };
	struct past past = { 0 };

	bucket_set_add(&former.set, 1);
	bucket_set_add(&current.set, 2);
	past_add(&past, &former, &current);
	for (size_t n = 0; n <= sizeof(TOLD) - 1; n++) {
		const struct view *view;
		enum view_standing standing;
		uint64_t position;

		begin(all_well);
		stage->reads_n = n;
		run();
		ck_assert_uint_eq(stage->got.len, n);
		position = position_of(buf_slice(&stage->got));
		standing = past_judge(&past, &current, &stage->doubt, position, &view);
		if (n >= moved)
			ck_assert_int_eq(standing, VIEW_STANDS_HERE);
		else if (position == R)
			ck_assert_int_eq(standing, VIEW_STANDS_FORMER);
		else
			ck_assert_int_eq(standing, VIEW_STANDS_DOUBTED);
		finish();
	}
}
END_TEST

/* A reconciler holds back what it kept while its position is not back at r. */
START_TEST(bookmark_at_the_old_position_is_in_the_batch_of_what_came)
{
	static const char batch[] = "\"resourceVersion\":\"99\"";
	struct slice bytes;

	begin(all_well);
	stage->reads = 0; /* it stays, and reads nothing */
	run();
	bytes = transfer_peek(move_way(stage->move), stage->transfer);
	ck_assert_msg(strstr(arena_text(stage->world.arena, bytes), batch) != NULL,
		      "%.*s", SLICE_ARGS(bytes));
	ck_assert(strstr(arena_text(stage->world.arena, bytes), OUR_BOOKMARK("90")) !=
		  NULL);
	finish();
}
END_TEST

/* The frame at F says nothing new, and was the last one: its client must know where it
 * is. */
START_TEST(client_arrives_by_a_bookmark_where_the_frame_that_is_at_the_floor_is_old)
{
	static const struct answer answers[] = {
		{ LEFT AT_R, 200, LIST_OF("90", "", "") },
		{ CAME AT_F, 200, LIST_OF("100", "", OBJECT("y", "100", "2")) },
		{ WATCH_FROM("90&timeoutSeconds=4"), 200,
		  EVENT("ADDED", OBJECT("y", "100", "2")) },
		{ WATCH_FROM("100"), 200, "" },
		{ 0 },
	};

	begin(answers);
	run();
	ck_assert_slice(buf_slice(&stage->got),
			EVENT("ADDED", OBJECT("y", "100", "2")) OUR_BOOKMARK("90")
				OUR_BOOKMARK("100"));
	finish();
}
END_TEST

/* --- what is in the way --- */

#define EMPTY(version) LIST_OF(version, "", "")
#define RELEASED \
	{ \
		LEFT AT_R, 200, LIST_OF("90", "", OBJECT("a", "50", "1")) \
	}
#define ACQUIRED \
	{ \
		CAME AT_F, 200, EMPTY("100") \
	}
#define SETTLING WATCH_FROM("90&timeoutSeconds=4")

struct obstacle {
	const char *what;
	struct answer answers[8];
	int counted;         /* EXPIRED_* or MOVES_PAUSED */
	const char *ends_in; /* what was told; or holds, if it is no whole line */
	enum upstream_result result;
};

static const struct obstacle obstacles[] = {
	{ "the past is compacted",
	  { { LEFT, 410, "{}" } },
	  EXPIRED_GONE,
	  "\"code\":410" },
	{ "lists are forbidden",
	  { { LEFT, 403, "{}" } },
	  EXPIRED_REFUSED,
	  "\"code\":410" },
	{ "another version than asked for",
	  { { LEFT, 200, EMPTY("91") } },
	  EXPIRED_REFUSED,
	  "\"code\":410" },
	{ "no list", { { LEFT, 200, "[1]" } }, EXPIRED_REFUSED, "\"code\":410" },
	{ "a list that breaks off, and says it did not",
	  { { LEFT, 200, "{\"items\":[" } },
	  EXPIRED_REFUSED,
	  "\"code\":410" },
	{ "an object without metadata",
	  { { LEFT, 200, LIST_OF("90", "", "{}") } },
	  EXPIRED_REFUSED,
	  "\"code\":410" },
	{ "the past is compacted between two pages",
	  { { LEFT AT_R, 200, LIST_OF("90", "t", OBJECT("a", "50", "1")) },
	    { NEXT, 410, "{}" } },
	  EXPIRED_GONE,
	  "\"code\":410" },
	{ "nothing is said yet, and the API server is busy",
	  { { LEFT, 429, "{}" } },
	  MOVES_PAUSED,
	  "",
	  UPSTREAM_UNREACHABLE },
	{ "nothing is said yet, and the connection breaks",
	  { { LEFT, 500, "", UPSTREAM_BROKEN } },
	  MOVES_PAUSED,
	  "",
	  UPSTREAM_UNREACHABLE },
	{ "the API server is busy in the middle",
	  { RELEASED, { CAME, 503, "{}" } },
	  MOVES_PAUSED,
	  OUR_BOOKMARK("90") },
	{ "the connection breaks in the middle",
	  { RELEASED, { CAME, 200, "{\"items\":[", UPSTREAM_BROKEN } },
	  MOVES_PAUSED,
	  OUR_BOOKMARK("90") },
	{ "the watch is refused for now",
	  { RELEASED,
	    ACQUIRED,
	    { SETTLING, 500, "{}" },
	    { SETTLING, 200, BOOKMARK("104") },
	    { WATCH_FROM("104"), 200, "" } },
	  MOVES_SETTLED,
	  BOOKMARK("104") },
	{ "the watch is refused for longer",
	  { RELEASED,
	    ACQUIRED,
	    { SETTLING, 500, "{}" },
	    { SETTLING, 500, "{}" },
	    { SETTLING, 500, "{}" },
	    { SETTLING, 500, "{}" } },
	  MOVES_PAUSED,
	  OUR_BOOKMARK("90") },
	{ "the watch breaks",
	  { RELEASED,
	    ACQUIRED,
	    { SETTLING, 200, KEPT "{\"ty", UPSTREAM_BROKEN },
	    { WATCH_FROM("95&timeoutSeconds=4"), 200, BOOKMARK("104") },
	    { WATCH_FROM("104"), 200, "" } },
	  MOVES_SETTLED,
	  KEPT BOOKMARK("104") },
	{ "the watch breaks, and its client knows more than at r",
	  { RELEASED,
	    ACQUIRED,
	    { SETTLING, 200, KEPT, UPSTREAM_BROKEN },
	    { WATCH_FROM("95&timeoutSeconds=4"), 500, "{}" },
	    { WATCH_FROM("95&timeoutSeconds=4"), 500, "{}" },
	    { WATCH_FROM("95&timeoutSeconds=4"), 500, "{}" } },
	  MOVES_PAUSED,
	  KEPT },
	{ "the watch cannot be read",
	  { RELEASED, ACQUIRED, { SETTLING, 200, "no event\n" } },
	  EXPIRED_REFUSED,
	  "\"code\":410" },
	{ "the API server says itself that the position is gone",
	  { RELEASED,
	    ACQUIRED,
	    { SETTLING, 200, EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410}") } },
	  EXPIRED_GONE,
	  EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410}") },
	{ "the API server lags: the watch is opened once more",
	  { RELEASED,
	    ACQUIRED,
	    { SETTLING, 200, BOOKMARK("97") },
	    { WATCH_FROM("97&timeoutSeconds=4"), 200, BOOKMARK("100") },
	    { WATCH_FROM("100"), 200, "" } },
	  MOVES_SETTLED,
	  BOOKMARK("100") },
};

static bool is_told(const char *text, const char *ends_in)
{
	size_t n = strlen(ends_in);

	if (n == 0 || ends_in[n - 1] != '\n')
		return strstr(text, ends_in) != NULL;
	return strlen(text) >= n && strcmp(text + strlen(text) - n, ends_in) == 0;
}

START_TEST(each_obstacle_has_its_end)
{
	for (size_t i = 0; i < sizeof(obstacles) / sizeof(obstacles[0]); i++) {
		const struct obstacle *row = &obstacles[i];
		const char *text;

		begin(row->answers);
		run();
		fake_run_until(stage->world.fake, &stage->is_over);
		text = arena_text(stage->world.arena, buf_slice(&stage->got));
		ck_assert_msg(stage->result == row->result, "%s: result %d", row->what,
			      stage->result);
		ck_assert_msg(stage->values[row->counted] == 1, "%s: is not counted",
			      row->what);
		for (int k = EXPIRED_DOUBTED; k < MOVES_METRICS_N; k++)
			ck_assert_msg(k == row->counted || stage->values[k] == 0,
				      "%s: counted as %d", row->what, k);
		ck_assert_msg(is_told(text, row->ends_in), "%s: told '%s'", row->what,
			      text);
		ck_assert_msg(stage->has_head == (row->ends_in[0] != '\0'), "%s: head",
			      row->what);
		finish();
	}
}
END_TEST

START_TEST(what_no_events_can_be_made_of_is_not_moved)
{
	static const struct {
		const char *accept;
		bool is_possible;
	} rows[] = {
		{ "application/json", true },
		{ "", true },
		{ "application/vnd.kubernetes.protobuf", true },
		{ "application/vnd.kubernetes.protobuf,application/json", true },
		{ "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
		  true },
		{ "application/json;as=Table;g=meta.k8s.io;v=v1", false },
		{ "application/cbor", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(move_is_possible(slice_of(rows[i].accept)) ==
				      rows[i].is_possible,
			      "%s", rows[i].accept);
}
END_TEST

UNIT_MAIN("session/move", client_is_told_what_left_what_came_and_what_it_has_missed,
	  coherent_view_whatever_the_pieces_the_bytes_are_the_same,
	  coherent_view_at_every_byte_a_client_that_is_cut_off_is_known_or_doubted,
	  bookmark_at_the_old_position_is_in_the_batch_of_what_came,
	  client_arrives_by_a_bookmark_where_the_frame_that_is_at_the_floor_is_old,
	  each_obstacle_has_its_end, what_no_events_can_be_made_of_is_not_moved)
