#include "proxy/session/step.h"

#include "tests/unit/unit.h"

static const struct ring_resource foos = { .index = 0, .owner = -1 };

static struct bucket_set set_of(int bucket)
{
	struct bucket_set set = { 0 };

	bucket_set_add(&set, bucket);
	return set;
}

START_TEST(step_follows_from_the_facts)
{
	static const struct {
		struct step_facts facts; /* served, held, stands, streams, floor */
		enum session_step next;
	} rows[] = {
		{ { 0, 0, 0, 0, 0 }, SESSION_HELD },
		{ { 0, 0, 1, 0, 0 }, SESSION_HELD },
		{ { 0, 0, 0, 0, 1 }, SESSION_HELD },
		{ { 0, 0, 0, 1, 0 }, SESSION_ENDING },
		{ { 0, 0, 1, 1, 0 }, SESSION_ENDING },
		{ { 0, 1, 0, 0, 0 }, SESSION_HELD },
		{ { 0, 1, 1, 0, 0 }, SESSION_HELD },
		{ { 0, 1, 0, 0, 1 }, SESSION_HELD },
		{ { 0, 1, 1, 1, 0 }, SESSION_ENDING },
		{ { 1, 0, 0, 1, 0 }, SESSION_ENDING },
		{ { 1, 0, 0, 1, 1 }, SESSION_ENDING },
		{ { 1, 0, 0, 0, 0 }, SESSION_FLOOR },
		{ { 1, 0, 0, 0, 1 }, SESSION_SERVING },
		{ { 1, 0, 1, 0, 0 }, SESSION_SERVING },
		{ { 1, 0, 1, 1, 0 }, SESSION_SERVING },
		/* The next change waits for the last one's clients; an end does not. */
		{ { 1, 0, 0, 1, 0, true }, SESSION_SERVING },
		{ { 0, 1, 0, 1, 0, true }, SESSION_SERVING },
		{ { 0, 1, 1, 0, 0, true }, SESSION_SERVING },
		{ { 0, 0, 0, 1, 0, true }, SESSION_ENDING },
		{ { 0, 0, 0, 0, 0, true }, SESSION_HELD },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(session_step_next(&rows[i].facts) == rows[i].next,
			      "row %zu: %s", i,
			      session_step_name(session_step_next(&rows[i].facts)));
}
END_TEST

/*
 * Bucket 7 was ours, clients are still on their way to its view, and then the ring is
 * another one: whether they may arrive first. Others are given the bucket only once
 * sessions_follow says that nobody is shown it; who may have lost it without being
 * asked ends all at once.
 */
START_TEST(clients_on_their_way_arrive_unless_the_ring_may_not_serve_any_more)
{
	static const struct {
		const char *why;
		enum ring_state state;
		uint32_t served, held;
		enum session_step next;
	} rows[] = {
		{ "other buckets", RING_ACTIVE, 1, 0, SESSION_SERVING },
		{ "first ones are about to come", RING_ACTIVE, 1, 1, SESSION_SERVING },
		{ "none", RING_STANDBY, 1, 0, SESSION_SERVING },
		{ "a new member among them", RING_STANDBY, 1, 1, SESSION_SERVING },
		{ "not the ring's turn", RING_WAITING, 1, 0, SESSION_SERVING },
		{ "leaving, and telling so", RING_LEAVING, 1, 0, SESSION_SERVING },
		{ "leaving, all told", RING_LEAVING, 0, 0, SESSION_ENDING },
		{ "right lost", RING_RIGHT_LOST, 1, 0, SESSION_ENDING },
		{ "right lost while held", RING_RIGHT_LOST, 1, 1, SESSION_ENDING },
		{ "no member any more", RING_NOT_READY, 1, 0, SESSION_ENDING },
		{ "no member while held", RING_NOT_READY, 1, 1, SESSION_ENDING },
		{ "not known to the API server", RING_ACTIVE, 0, 0, SESSION_ENDING },
		{ "nor while held", RING_ACTIVE, 0, 1, SESSION_ENDING },
		{ "nor of others' hold", RING_ACTIVE, 2, 2, SESSION_ENDING },
	};
	const struct view view = { .set = set_of(7), .floor = 100 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ring ring = { .state = rows[i].state,
					   .served = rows[i].served,
					   .held = rows[i].held };
		const struct step_facts facts = {
			.is_served = ring_serves(&ring, &foos),
			.is_held_back = ring_holds(&ring, &foos),
			.view_stands = session_view_stands(&view, &ring, &foos),
			.has_streams = true,
			.is_settling = true,
		};

		ck_assert_msg(session_step_next(&facts) == rows[i].next, "%s: %s",
			      rows[i].why,
			      session_step_name(session_step_next(&facts)));
	}
}
END_TEST

/*
 * What holds of the facts in each step: nothing is open but in SERVING and ENDING,
 * where a floor was used up; the view that was left in FLOOR does not stand.
 */
static bool is_possible(enum session_step from, const struct step_facts *facts)
{
	bool may_be_open = from == SESSION_SERVING || from == SESSION_ENDING;

	return (may_be_open || !facts->has_streams) &&
	       (from == SESSION_FLOOR || !facts->has_floor) &&
	       (from != SESSION_FLOOR || !facts->view_stands) &&
	       (from == SESSION_SERVING || !facts->is_settling) &&
	       !(facts->is_served && facts->is_held_back);
}

/* All that can be the case. */
#define FACTS_N 64u

static struct step_facts facts_of(unsigned bits)
{
	return (struct step_facts){
		.is_served = bits & 1,
		.is_held_back = bits >> 1 & 1,
		.view_stands = bits >> 2 & 1,
		.has_streams = bits >> 3 & 1,
		.has_floor = bits >> 4 & 1,
		.is_settling = bits >> 5 & 1,
	};
}

START_TEST(nothing_is_served_that_the_ring_does_not_serve_but_to_clients_on_their_way)
{
	for (unsigned bits = 0; bits < FACTS_N; bits++) {
		const struct step_facts facts = facts_of(bits);

		if (session_step_next(&facts) == SESSION_SERVING)
			ck_assert_msg(facts.is_served ||
					      (facts.is_held_back && facts.is_settling),
				      "facts %x", bits);
	}
}
END_TEST

START_TEST(step_takes_no_way_that_is_not_in_the_table)
{
	for (int from = 0; from < SESSION_STEPS_N; from++)
		for (unsigned bits = 0; bits < FACTS_N; bits++) {
			const struct step_facts facts = facts_of(bits);
			enum session_step to = session_step_next(&facts);

			if (is_possible(from, &facts) && from != (int)to)
				ck_assert_msg(session_step_is_edge(from, to),
					      "%s to %s, facts %x",
					      session_step_name(from),
					      session_step_name(to), bits);
		}
}
END_TEST

START_TEST(view_of_the_same_buckets_survives_a_lost_right_and_a_hold_and_nothing_else)
{
	static const struct {
		enum ring_state state;
		uint32_t served, held;
		int shown;
		bool stands;
	} rows[] = {
		{ RING_ACTIVE, 1, 0, 7, true },     { RING_ACTIVE, 1, 0, 8, false },
		{ RING_ACTIVE, 0, 0, 7, false },    { RING_STANDBY, 1, 0, 7, true },
		{ RING_ACTIVE, 1, 1, 7, true },     { RING_ACTIVE, 1, 1, 8, false },
		{ RING_ACTIVE, 0, 1, 7, false },    { RING_NOT_READY, 1, 1, 7, false },
		{ RING_RIGHT_LOST, 1, 0, 7, true }, { RING_RIGHT_LOST, 1, 0, 8, false },
		{ RING_NOT_READY, 1, 0, 7, false }, { RING_LEAVING, 0, 0, 7, false },
		{ RING_LEAVING, 1, 0, 8, false },
	};
	const struct view view = { .set = set_of(7), .floor = 100 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ring ring = { .state = rows[i].state,
					   .served = rows[i].served,
					   .held = rows[i].held,
					   .shown = { set_of(rows[i].shown) } };

		ck_assert_msg(session_view_stands(&view, &ring, &foos) ==
				      rows[i].stands,
			      "row %zu", i);
	}
}
END_TEST

START_TEST(watch_without_frames_ends_no_younger_than_a_client_tolerates)
{
	struct watch_facts facts = { .since_ms = 1000, .min_age_ms = 2000 };

	ck_assert_int_eq(session_watch_due_ms(&facts), 3000);
	facts.has_frames = true;
	ck_assert_int_eq(session_watch_due_ms(&facts), 1000);
}
END_TEST

START_TEST(floor_below_our_own_write_is_of_another_storage)
{
	ck_assert(session_floor_is_foreign(99, 100));
	ck_assert(!session_floor_is_foreign(100, 100));
	ck_assert(!session_floor_is_foreign(101, 100));
}
END_TEST

UNIT_MAIN("session/step", step_follows_from_the_facts,
	  clients_on_their_way_arrive_unless_the_ring_may_not_serve_any_more,
	  nothing_is_served_that_the_ring_does_not_serve_but_to_clients_on_their_way,
	  step_takes_no_way_that_is_not_in_the_table,
	  view_of_the_same_buckets_survives_a_lost_right_and_a_hold_and_nothing_else,
	  watch_without_frames_ends_no_younger_than_a_client_tolerates,
	  floor_below_our_own_write_is_of_another_storage)
