/*
 * What a client is told that does not see by a new list what has left: that, and no
 * more.
 */
#include "tests/unit/session/move_stage.h"

#define DELETED_A EVENT("DELETED", OBJECT("a", "90", "1"))
#define DELETED_B EVENT("DELETED", OBJECT("b", "90", "1"))

static void is_here(struct move_plan *plan)
{
	plan->stands_here = plan->lacks_diff = true;
}

static void is_unknown(struct move_plan *plan)
{
	plan->lacks_diff = true;
	plan->relists = EXPIRED_UNKNOWN;
}

static void is_doubted(struct move_plan *plan)
{
	plan->lacks_diff = true;
	plan->relists = EXPIRED_DOUBTED;
}

static void is_moved(struct move_plan *plan)
{
	plan->lacks_diff = true;
}

static const struct answer here[] = {
	{ LEFT AT_R, 200, LIST_OF("90", "t", OBJECT("a", "50", "1")) },
	{ NEXT, 200, LIST_OF("90", "", OBJECT("b", "60", "1")) },
	{ WATCH_FROM("90"), 200, KEPT },
	{ 0 },
};

START_TEST(who_has_listed_anew_is_told_what_left_and_watches_on)
{
	begin(here);
	stage->alter = is_here;
	run();
	ck_assert_slice(buf_slice(&stage->got), DELETED_A DELETED_B KEPT);
	ck_assert(stage->is_over && stage->result == UPSTREAM_COMPLETE);
	ck_assert(move_has_told(stage->move) && move_is_released(stage->move));
	ck_assert(move_is_acquired(stage->move) && move_is_settled(stage->move));
	ck_assert_int_eq(stage->values[MOVES_TOLD], 1);
	ck_assert_int_eq(stage->values[MOVES_STARTED], 0);
	finish();
}
END_TEST

START_TEST(it_has_been_told_once_all_of_it_was_taken)
{
	for (size_t n = 0; n <= sizeof(DELETED_A DELETED_B KEPT) - 1; n++) {
		begin(here);
		stage->alter = is_here;
		stage->reads_n = n;
		run();
		/* It may not be known yet that this was all. */
		if (n != sizeof(DELETED_A DELETED_B) - 1)
			ck_assert_msg(move_has_told(stage->move) ==
					      (n > sizeof(DELETED_A DELETED_B) - 1),
				      "after %zu bytes", n);
		finish();
	}
}
END_TEST

/* What it is told before it is told to list anew, and what is counted. */
static const struct {
	const char *what;
	void (*alter)(struct move_plan *plan);
	struct answer answers[5];
	const char *begins_with;
	int counted;
	bool has_told;
} rows[] = {
	{ "its position is of no view that is known",
	  is_unknown,
	  { { LEFT AT_R, 200, LIST_OF("90", "", OBJECT("a", "50", "1")) },
	    { LEFT, 200, LIST_OF("300", "", OBJECT("a", "50", "1")) } },
	  DELETED_A DELETED_A "{\"type\":\"ERROR\"",
	  EXPIRED_UNKNOWN,
	  true },
	{ "its position was given in a move, with what was made since",
	  is_doubted,
	  { { LEFT AT_R, 200, LIST_OF("90", "", OBJECT("a", "50", "1")) },
	    { LEFT, 200, LIST_OF("300", "t", OBJECT("a", "50", "1")) },
	    { NEXT, 200, LIST_OF("300", "", OBJECT("b", "95", "1")) } },
	  DELETED_A DELETED_A DELETED_B "{\"type\":\"ERROR\"",
	  EXPIRED_DOUBTED,
	  true },
	{ "its position is forgotten: as it is now",
	  is_moved,
	  { { LEFT AT_R, 410, "{}" },
	    { LEFT, 200, LIST_OF("300", "t", OBJECT("a", "250", "1")) },
	    { NEXT, 200, LIST_OF("300", "", OBJECT("b", "60", "1")) } },
	  DELETED_A DELETED_B "{\"type\":\"ERROR\"",
	  EXPIRED_GONE,
	  true },
	{ "its position is forgotten between two pages",
	  is_here,
	  { { LEFT AT_R, 200, LIST_OF("90", "t", OBJECT("a", "50", "1")) },
	    { NEXT, 410, "{}" },
	    { LEFT, 200, LIST_OF("300", "", OBJECT("b", "60", "1")) } },
	  DELETED_A DELETED_B "{\"type\":\"ERROR\"",
	  EXPIRED_GONE,
	  true },
	{ "the present is forgotten, too",
	  is_unknown,
	  { { LEFT AT_R, 410, "{}" },
	    { LEFT, 200, LIST_OF("300", "t", OBJECT("a", "250", "1")) },
	    { NEXT, 410, "{}" } },
	  DELETED_A "{\"type\":\"ERROR\"",
	  EXPIRED_GONE,
	  false },
	{ "lists are forbidden",
	  is_unknown,
	  { { LEFT AT_R, 403, "{}" } },
	  "{\"type\":\"ERROR\"",
	  EXPIRED_REFUSED,
	  false },
	{ "what came is forgotten",
	  is_moved,
	  { { LEFT AT_R, 200, LIST_OF("90", "", OBJECT("a", "50", "1")) },
	    { CAME AT_F, 410, "{}" } },
	  DELETED_A "{\"type\":\"ERROR\"",
	  EXPIRED_GONE,
	  true },
};

START_TEST(what_left_is_told_before_it_is_told_to_list_anew)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(rows[i].answers);
		stage->alter = rows[i].alter;
		run();
		ck_assert_msg(
			slice_starts_with(buf_slice(&stage->got), rows[i].begins_with),
			"%s: told '%.*s'", rows[i].what,
			SLICE_ARGS(buf_slice(&stage->got)));
		ck_assert_msg(stage->is_over && stage->result == UPSTREAM_COMPLETE,
			      "%s", rows[i].what);
		ck_assert_msg(stage->values[rows[i].counted] == 1, "%s: is not counted",
			      rows[i].what);
		ck_assert_msg(move_has_told(stage->move) == rows[i].has_told,
			      "%s: told", rows[i].what);
		finish();
	}
}
END_TEST

START_TEST(who_cannot_be_answered_now_comes_back)
{
	static const struct answer answers[] = { { LEFT AT_R, 503, "{}" }, { 0 } };

	begin(answers);
	stage->alter = is_unknown;
	run();
	ck_assert(stage->is_over && stage->result == UPSTREAM_UNREACHABLE);
	ck_assert(!move_has_told(stage->move));
	ck_assert_int_eq(stage->values[EXPIRED_UNKNOWN], 0);
	finish();
}
END_TEST

UNIT_MAIN("session/move_nodiff", who_has_listed_anew_is_told_what_left_and_watches_on,
	  it_has_been_told_once_all_of_it_was_taken,
	  what_left_is_told_before_it_is_told_to_list_anew,
	  who_cannot_be_answered_now_comes_back)
