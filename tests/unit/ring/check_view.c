#include "proxy/ring/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
/* raw URL base64 of {"v":"meta.k8s.io/v1","rv":<n>,"start":"ns/name"} */
#define TOKEN_99 \
	"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTksInN0YXJ0IjoibnMvbmFtZVx1MDAwMCJ9"
#define TOKEN_100 \
	"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTAwLCJzdGFydCI6Im5zL25hbWVcdTAwMDAifQ"
#define TOKEN_101 \
	"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MTAxLCJzdGFydCI6Im5zL25hbWVcdTAwMDAifQ"
#define TOKEN_ANY \
	"eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoibnMvbmFtZVx1MDAwMCJ9"

static const struct view at_100 = { .floor = 100 };

/* One row: a question (NULL: parameter absent) and what is owed. */
struct row {
	const char *version, *match, *token;
	bool sends_initial_events;
	enum view_verdict verdict;
	const char *becomes; /* the version after a rewrite; NULL: untouched */
	bool sets_match;
};

static void check(const struct view *view, bool is_watch, const struct row *row,
		  size_t i)
{
	const struct view_question question = {
		.is_watch = is_watch,
		.has_version = row->version,
		.version = slice_of(row->version),
		.match = slice_of(row->match),
		.token = slice_of(row->token),
		.sends_initial_events = row->sends_initial_events,
	};
	struct view_answer answer;
	enum view_verdict verdict = view_ask(view, &question, &answer);

	ck_assert_msg(verdict == row->verdict, "row %zu: verdict %d", i, verdict);
	ck_assert_msg(answer.sets_version == (row->becomes != NULL), "row %zu", i);
	if (row->becomes)
		ck_assert_str_eq(answer.version, row->becomes);
	ck_assert_msg(answer.sets_match == row->sets_match, "row %zu: match", i);
	if (row->sets_match)
		ck_assert_str_eq(answer.match, "NotOlderThan");
}

static void check_lists(const struct view *view, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(view, false, &rows[i], i);
}

static void check_watches(const struct view *view, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check(view, true, &rows[i], i);
}

START_TEST(list_is_answered_at_the_floor_or_later)
{
	static const struct row rows[] = {
		{ .verdict = VIEW_PASS },
		{ .version = "", .verdict = VIEW_PASS },
		{ "0", .verdict = VIEW_REWRITE, .becomes = "100", .sets_match = true },
		{ "00", .verdict = VIEW_REWRITE, .becomes = "100", .sets_match = true },
		{ "1", .verdict = VIEW_REWRITE, .becomes = "100", .sets_match = true },
		{ "99", .verdict = VIEW_REWRITE, .becomes = "100", .sets_match = true },
		{ "100", .verdict = VIEW_PASS },
		{ "101", .verdict = VIEW_PASS },
		{ "0", "NotOlderThan", .verdict = VIEW_REWRITE, .becomes = "100",
		  .sets_match = true },
		{ "99", "NotOlderThan", .verdict = VIEW_REWRITE, .becomes = "100",
		  .sets_match = true },
		{ "100", "NotOlderThan", .verdict = VIEW_PASS },
	};

	check_lists(&at_100, rows, COUNT(rows));
}
END_TEST

START_TEST(list_at_exactly_an_older_position_is_expired)
{
	static const struct row rows[] = {
		/* No position, which the API server refuses. */
		{ "0", "Exact", .verdict = VIEW_PASS },
		{ "99", "Exact", .verdict = VIEW_EXPIRED },
		{ "100", "Exact", .verdict = VIEW_PASS },
		{ "101", "Exact", .verdict = VIEW_PASS },
		/* Whatever a later API means by it: no older than the floor. */
		{ "99", "Nearest", .verdict = VIEW_EXPIRED },
		{ "100", "Nearest", .verdict = VIEW_PASS },
	};

	check_lists(&at_100, rows, COUNT(rows));
}
END_TEST

START_TEST(list_goes_on_only_with_a_token_of_this_view)
{
	static const struct row rows[] = {
		{ .token = TOKEN_99, .verdict = VIEW_EXPIRED },
		{ .token = TOKEN_100, .verdict = VIEW_PASS },
		{ .token = TOKEN_101, .verdict = VIEW_PASS },
		{ .token = TOKEN_ANY, .verdict = VIEW_EXPIRED },
		{ .token = "garbage", .verdict = VIEW_EXPIRED },
		{ .token = "", .verdict = VIEW_PASS },
		/* Beside a token, kube-apiserver takes version 0 and no other. */
		{ "0", .token = TOKEN_100, .verdict = VIEW_PASS },
		{ "0", .token = TOKEN_99, .verdict = VIEW_EXPIRED },
	};

	check_lists(&at_100, rows, COUNT(rows));
}
END_TEST

START_TEST(watch_from_any_begins_with_the_most_recent_state)
{
	static const struct row rows[] = {
		{ .verdict = VIEW_PASS },
		{ .version = "", .verdict = VIEW_PASS },
		{ "0", .verdict = VIEW_REWRITE, .becomes = "" },
		{ "00", .verdict = VIEW_REWRITE, .becomes = "" },
	};

	check_watches(&at_100, rows, COUNT(rows));
}
END_TEST

START_TEST(watch_from_a_position_below_the_floor_is_expired)
{
	static const struct row rows[] = {
		{ "1", .verdict = VIEW_EXPIRED },   { "99", .verdict = VIEW_EXPIRED },
		{ "100", .verdict = VIEW_PASS },    { "101", .verdict = VIEW_PASS },
		{ "099", .verdict = VIEW_EXPIRED }, { "0101", .verdict = VIEW_PASS },
	};

	check_watches(&at_100, rows, COUNT(rows));
}
END_TEST

START_TEST(watch_that_sends_the_state_first_is_never_expired)
{
	static const struct row rows[] = {
		{ NULL, "NotOlderThan", NULL, true, VIEW_PASS, NULL, false },
		{ "", "NotOlderThan", NULL, true, VIEW_PASS, NULL, false },
		{ "0", "NotOlderThan", NULL, true, VIEW_REWRITE, "100", false },
		{ "99", "NotOlderThan", NULL, true, VIEW_REWRITE, "100", false },
		{ "100", "NotOlderThan", NULL, true, VIEW_PASS, NULL, false },
		{ "101", "NotOlderThan", NULL, true, VIEW_PASS, NULL, false },
	};

	check_watches(&at_100, rows, COUNT(rows));
}
END_TEST

START_TEST(position_that_is_no_number_is_left_to_the_api_server)
{
	static const char *const versions[] = {
		"x", "-1", "+1", "1.0", " 1", "99999999999999999999999",
	};

	for (size_t i = 0; i < COUNT(versions); i++) {
		const struct row row = { versions[i], .verdict = VIEW_PASS };

		check(&at_100, false, &row, i);
		check(&at_100, true, &row, i);
	}
}
END_TEST

START_TEST(view_without_a_floor_changes_nothing)
{
	static const struct view view = { .floor = 0 };
	static const struct row rows[] = {
		{ .verdict = VIEW_PASS },
		{ "0", .verdict = VIEW_PASS },
		{ "1", .verdict = VIEW_PASS },
		{ "1", "Exact", .verdict = VIEW_PASS },
		{ .token = TOKEN_99, .verdict = VIEW_PASS },
	};

	check_lists(&view, rows, COUNT(rows));
	check_watches(&view, rows, COUNT(rows) - 1);
}
END_TEST

/*
 * Without a write of our own the floor may equal a position that was given out
 * before. Lists do not stand on a position; what goes on from one does.
 */
START_TEST(floor_beside_no_write_of_ours_is_itself_not_trusted)
{
	static const struct view view = { .floor = 100, .distrusts_positions = true };
	static const struct row lists[] = {
		{ "0", .verdict = VIEW_REWRITE, .becomes = "100", .sets_match = true },
		{ "100", .verdict = VIEW_PASS },
		{ "100", "Exact", .verdict = VIEW_PASS },
		{ .token = TOKEN_100, .verdict = VIEW_EXPIRED },
		{ .token = TOKEN_101, .verdict = VIEW_PASS },
	};
	static const struct row watches[] = {
		{ "99", .verdict = VIEW_EXPIRED },
		{ "100", .verdict = VIEW_EXPIRED },
		{ "101", .verdict = VIEW_PASS },
		{ "99", "NotOlderThan", NULL, true, VIEW_REWRITE, "100", false },
	};

	check_lists(&view, lists, COUNT(lists));
	check_watches(&view, watches, COUNT(watches));
}
END_TEST

/* The arithmetic behind coherent_view, whatever a client asks. */
START_TEST(coherent_view_no_answer_stands_on_an_older_position)
{
	static const char *const matches[] = { "", "NotOlderThan", "Exact", "Other" };
	struct random random = { 3 };

	for (int step = 0; step < 100000; step++) {
		const struct view view = { .floor = random_next(&random) % 12 };
		uint64_t asked = random_next(&random) % 12, got = asked;
		char text[24];
		const struct view_question question = {
			.is_watch = random_below(&random, 2),
			.has_version = true,
			.version = slice_make(text,
					      (size_t)sprintf(text, "%" PRIu64, asked)),
			.match = slice_of(matches[random_below(&random, 4)]),
			.sends_initial_events = random_below(&random, 2),
		};
		struct view_answer answer;

		if (view_ask(&view, &question, &answer) == VIEW_EXPIRED)
			continue;
		if (!question.is_watch && asked == 0 &&
		    slice_is(question.match, "Exact"))
			continue; /* the API server refuses that */
		if (answer.sets_version && answer.version[0] == '\0')
			continue; /* the most recent state */
		if (answer.sets_version)
			ck_assert_int_eq(slice_to_u64(slice_of(answer.version), &got),
					 0);
		ck_assert_uint_ge(got, view.floor);
	}
}
END_TEST

UNIT_MAIN("ring/view", list_is_answered_at_the_floor_or_later,
	  list_at_exactly_an_older_position_is_expired,
	  list_goes_on_only_with_a_token_of_this_view,
	  watch_from_any_begins_with_the_most_recent_state,
	  watch_from_a_position_below_the_floor_is_expired,
	  watch_that_sends_the_state_first_is_never_expired,
	  position_that_is_no_number_is_left_to_the_api_server,
	  view_without_a_floor_changes_nothing,
	  floor_beside_no_write_of_ours_is_itself_not_trusted,
	  coherent_view_no_answer_stands_on_an_older_position)
