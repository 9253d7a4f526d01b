#include "proxy/ring/parting.h"

#include "tests/unit/unit.h"

#define ASKED_MS 100000

struct row {
	enum parting_mode mode;
	bool holds_lock;
	size_t connections;
	int64_t after_ms;
	enum parting expected;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct parting_facts facts = {
			.mode = rows[i].mode,
			.holds_lock = rows[i].holds_lock,
			.connections = rows[i].connections,
			.asked_ms = ASKED_MS,
			.now_ms = ASKED_MS + rows[i].after_ms,
		};

		ck_assert_msg(parting_decide(&facts) == rows[i].expected, "row %zu", i);
	}
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

START_TEST(buckets_are_released_once_the_controller_is_gone)
{
	static const struct row rows[] = {
		{ PARTING_MODE_AUTO, true, 0, 0, PARTING_RELEASE },
		{ PARTING_MODE_AUTO, true, 3, 0, PARTING_WAIT },
		{ PARTING_MODE_AUTO, true, 1, PARTING_WAIT_MS - 1, PARTING_WAIT },
		{ PARTING_MODE_AUTO, true, 0, PARTING_WAIT_MS - 1, PARTING_RELEASE },
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(buckets_are_kept_beside_a_controller_that_stays)
{
	static const struct row rows[] = {
		{ PARTING_MODE_AUTO, true, 1, PARTING_WAIT_MS, PARTING_KEEP },
		{ PARTING_MODE_AUTO, true, 1, 10 * PARTING_WAIT_MS, PARTING_KEEP },
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(nothing_is_kept_that_nobody_could_adopt)
{
	static const struct row rows[] = {
		{ PARTING_MODE_AUTO, false, 3, 0, PARTING_RELEASE },
		{ PARTING_MODE_KEEP, false, 3, 0, PARTING_RELEASE },
	};

	CHECK_ROWS(rows);
}
END_TEST

START_TEST(what_the_file_asks_for_is_done_at_once)
{
	static const struct row rows[] = {
		{ PARTING_MODE_RELEASE, true, 3, 0, PARTING_RELEASE },
		{ PARTING_MODE_KEEP, true, 0, 0, PARTING_KEEP },
	};

	CHECK_ROWS(rows);
}
END_TEST

UNIT_MAIN("ring/parting", buckets_are_released_once_the_controller_is_gone,
	  buckets_are_kept_beside_a_controller_that_stays,
	  nothing_is_kept_that_nobody_could_adopt,
	  what_the_file_asks_for_is_done_at_once)
