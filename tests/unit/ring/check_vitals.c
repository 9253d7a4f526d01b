#include "proxy/ring/vitals.h"

#include "tests/unit/unit.h"

#define SILENCE_MS 1000
#define NOW_MS 1000000
#define AGO(ms) (NOW_MS - (ms))

/* It does all that a controller can, all the time. */
#define LIVELY \
	{ \
		.requested_ms = NOW_MS, .locked_ms = NOW_MS, .watched_ms = NOW_MS, \
		.connected_ms = NOW_MS, .taken_ms = NOW_MS, .healthy_ms = NOW_MS, \
		.has_health = true, \
	}

static const struct vitals lively = LIVELY;

static enum vitals_sign judge(const struct vitals *vitals, int64_t since_ms)
{
	struct vitals_state state = { .silent = VITALS_ALIVE };

	vitals_step(&state, &(struct vitals_question){ .vitals = vitals,
						       .silence_ms = SILENCE_MS,
						       .since_ms = since_ms,
						       .now_ms = NOW_MS });
	return state.silent;
}

START_TEST(idle_controllers_are_alive)
{
	static const struct {
		const char *what;
		struct vitals vitals;
	} rows[] = {
		{ "lively", LIVELY },
		{ "never heard of", { 0 } },
		{ "watches, and has no work",
		  { .requested_ms = AGO(600000),
		    .watched_ms = AGO(600000),
		    .connected_ms = NOW_MS,
		    .taken_ms = NOW_MS } },
		{ "asks now and then, and watches nothing",
		  { .requested_ms = AGO(600000),
		    .connected_ms = AGO(600000),
		    .taken_ms = NOW_MS } },
		{ "has had no good health, but no URL that tells so any more",
		  { .healthy_ms = AGO(600000) } },
		{ "reads slowly, and asks",
		  { .requested_ms = NOW_MS,
		    .watched_ms = AGO(600000),
		    .connected_ms = NOW_MS,
		    .taken_ms = AGO(600000) } },
		{ "away for a moment",
		  { .requested_ms = AGO(600000),
		    .watched_ms = AGO(600000),
		    .connected_ms = AGO(SILENCE_MS - 1),
		    .taken_ms = NOW_MS } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(judge(&rows[i].vitals, 1) == VITALS_ALIVE, "%s",
			      rows[i].what);
}
END_TEST

START_TEST(controller_is_silent_by_any_sign_that_it_should_show)
{
	static const int64_t long_ago = AGO(SILENCE_MS);
	struct vitals vitals = lively;

	vitals.locked_ms = long_ago;
	ck_assert_int_eq(judge(&vitals, 1), VITALS_LOCK);
	vitals = lively;
	vitals.connected_ms = vitals.requested_ms = long_ago;
	ck_assert_int_eq(judge(&vitals, 1), VITALS_GONE);
	vitals = lively;
	vitals.taken_ms = vitals.requested_ms = long_ago;
	ck_assert_int_eq(judge(&vitals, 1), VITALS_STUCK);
	vitals = lively;
	vitals.healthy_ms = long_ago;
	ck_assert_int_eq(judge(&vitals, 1), VITALS_HEALTH);
}
END_TEST

START_TEST(silence_counts_only_while_it_could_be_heard)
{
	struct vitals vitals = lively;

	vitals.locked_ms = AGO(600000);
	ck_assert_int_eq(judge(&vitals, AGO(SILENCE_MS - 1)), VITALS_ALIVE);
	ck_assert_int_eq(judge(&vitals, AGO(SILENCE_MS)), VITALS_LOCK);
	ck_assert_int_eq(judge(&vitals, INT64_MAX), VITALS_ALIVE);
}
END_TEST

START_TEST(controller_that_never_came_is_silent_where_its_health_is_asked)
{
	const struct vitals vitals = { .has_health = true };

	ck_assert_int_eq(judge(&vitals, AGO(SILENCE_MS - 1)), VITALS_ALIVE);
	ck_assert_int_eq(judge(&vitals, AGO(SILENCE_MS)), VITALS_HEALTH);
}
END_TEST

static bool step_at(struct vitals_state *state, const struct vitals *vitals,
		    int64_t since_ms, int64_t now_ms)
{
	return vitals_step(state, &(struct vitals_question){ .vitals = vitals,
							     .silence_ms = SILENCE_MS,
							     .since_ms = since_ms,
							     .now_ms = now_ms });
}

START_TEST(who_is_silent_stays_so_until_that_sign_is_seen)
{
	struct vitals_state state = { .silent = VITALS_ALIVE };
	struct vitals vitals = lively;

	vitals.locked_ms = AGO(SILENCE_MS);
	ck_assert(step_at(&state, &vitals, 1, NOW_MS));
	ck_assert_int_eq(state.silent, VITALS_LOCK);
	/* It asks for something, but does not lead. Nor does an outage make it. */
	vitals.requested_ms = NOW_MS + 10;
	ck_assert(!step_at(&state, &vitals, 1, NOW_MS + 10));
	ck_assert(!step_at(&state, &vitals, INT64_MAX, NOW_MS + 10));
	ck_assert(!step_at(&state, &vitals, NOW_MS + 10, NOW_MS + 10));
	vitals.locked_ms = NOW_MS + 20;
	vitals.taken_ms = vitals.connected_ms = NOW_MS + 20;
	ck_assert(step_at(&state, &vitals, 1, NOW_MS + 20));
	ck_assert_int_eq(state.silent, VITALS_ALIVE);
	ck_assert(!step_at(&state, &vitals, 1, NOW_MS + 20));
}
END_TEST

START_TEST(nothing_is_looked_at_where_that_is_off)
{
	struct vitals_state state = { .silent = VITALS_LOCK, .silent_ms = NOW_MS };
	struct vitals vitals = lively;

	vitals.locked_ms = 1;
	ck_assert(vitals_step(&state, &(struct vitals_question){ .vitals = &vitals,
								 .since_ms = 1,
								 .now_ms = NOW_MS }));
	ck_assert_int_eq(state.silent, VITALS_ALIVE);
	for (int sign = 0; sign < VITALS_SIGNS_N; sign++)
		ck_assert_str_ne(vitals_complaint((enum vitals_sign)sign), "");
	ck_assert_str_eq(vitals_complaint(VITALS_ALIVE), "");
}
END_TEST

UNIT_MAIN("ring/vitals", idle_controllers_are_alive,
	  controller_is_silent_by_any_sign_that_it_should_show,
	  silence_counts_only_while_it_could_be_heard,
	  controller_that_never_came_is_silent_where_its_health_is_asked,
	  who_is_silent_stays_so_until_that_sign_is_seen,
	  nothing_is_looked_at_where_that_is_off)
