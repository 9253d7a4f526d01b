#include "proxy/ring/roster.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct slice ring = SLICE_LITERAL("foos");

/* The Lease of "foos.a" in its incarnation "a/1", with a duration of 15 s. */
static struct lease lease_of_a(const char *version)
{
	return (struct lease){
		.name = SLICE_LITERAL("foos.a"),
		.ring = ring,
		.resource_version = slice_of(version),
		.holder = SLICE_LITERAL("a/1"),
		.duration_s = 15,
		.acquire_time = SLICE_LITERAL("2026-11-24T00:00:00.000000Z"),
		.renew_time = SLICE_LITERAL("2026-11-24T00:00:00.000000Z"),
		.settings = SLICE_LITERAL("hash/256/name"),
		.acknowledged = SLICE_LITERAL("7"),
	};
}

/* Observes what must be sound; whether it was news. */
static bool observe(struct roster *roster, const struct lease *lease, int64_t now_ms)
{
	bool changed;
	struct err err;
	int rc = roster_observe(roster, ring, lease, now_ms, &changed, &err);

	ck_assert_msg(rc == 0, "%s", err.text);
	return changed;
}

static const struct peer *peer_a(const struct roster *roster)
{
	return roster_find(roster, slice_of("foos.a"));
}

START_TEST(roster_tells_what_a_lease_says)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");
	const struct peer *peer;

	ck_assert_ptr_null(peer_a(roster));
	ck_assert(observe(roster, &lease, 1000));
	peer = peer_a(roster);
	ck_assert_str_eq(peer->member, "a");
	ck_assert_str_eq(peer->identity, "a/1");
	ck_assert_str_eq(peer->lease_name, "foos.a");
	ck_assert_str_eq(peer->resource_version, "100");
	ck_assert_str_eq(peer->settings, "hash/256/name");
	ck_assert_str_eq(peer->acquire_time, "2026-11-24T00:00:00.000000Z");
	ck_assert_int_eq(peer->duration_ms, 15000);
	ck_assert_int_eq(peer->seen_ms, 1000);
	ck_assert_uint_eq(peer->acknowledged, 7);
	ck_assert(peer->is_present && !peer->is_ended && !peer->is_released);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_calls_silent_what_stood_unchanged_for_its_duration)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");

	observe(roster, &lease, 1000);
	ck_assert_int_eq(roster_state(peer_a(roster), 1000), PEER_ALIVE);
	ck_assert_int_eq(roster_state(peer_a(roster), 15999), PEER_ALIVE);
	ck_assert_int_eq(roster_state(peer_a(roster), 16000), PEER_SILENT);
	ck_assert_int_eq(roster_next_deadline(roster, 1000), 16000);
	ck_assert_int_eq(roster_next_deadline(roster, 16000), INT64_MAX);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_restarts_the_time_only_for_another_resource_version)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");

	observe(roster, &lease, 1000);
	/* The same again, as after a relist, and whatever else it may say. */
	lease.renew_time = slice_of("2030-01-01T00:00:00.000000Z");
	ck_assert(!observe(roster, &lease, 9000));
	ck_assert_int_eq(peer_a(roster)->seen_ms, 1000);
	lease.resource_version = slice_of("101");
	ck_assert(!observe(roster, &lease, 9000));
	ck_assert_int_eq(peer_a(roster)->seen_ms, 9000);
	ck_assert_str_eq(peer_a(roster)->resource_version, "101");
	ck_assert_int_eq(roster_next_deadline(roster, 9000), 24000);
	roster_destroy(roster);
}
END_TEST

/* Times that others write order members, and nothing else. */
START_TEST(roster_compares_no_wall_clock)
{
	static const char *const times[] = { "", "1970-01-01T00:00:00.000000Z",
					     "2999-01-01T00:00:00.000000Z", "garbage" };

	for (size_t i = 0; i < COUNT(times); i++) {
		struct roster *roster = roster_create();
		struct lease lease = lease_of_a("100");

		lease.renew_time = slice_of(times[i]);
		lease.acquire_time = slice_of(times[i]);
		observe(roster, &lease, 1000);
		ck_assert_int_eq(roster_state(peer_a(roster), 15999), PEER_ALIVE);
		ck_assert_int_eq(roster_state(peer_a(roster), 16000), PEER_SILENT);
		roster_destroy(roster);
	}
}
END_TEST

static void change_holder(struct lease *lease)
{
	lease->holder = slice_of("a/2");
}

static void change_state(struct lease *lease)
{
	lease->state = slice_of("ended");
}

static void change_release(struct lease *lease)
{
	lease->state = slice_of("released");
}

static void change_settings(struct lease *lease)
{
	lease->settings = slice_of("other");
}

static void change_controller(struct lease *lease)
{
	lease->controller = slice_of("silent");
}

static void change_acknowledged(struct lease *lease)
{
	lease->acknowledged = slice_of("8");
}

static void change_duration(struct lease *lease)
{
	lease->duration_s = 16;
}

static void change_acquire_time(struct lease *lease)
{
	lease->acquire_time = slice_of("2026-11-25T00:00:00.000000Z");
}

START_TEST(roster_reports_what_is_news)
{
	static void (*const changes[])(struct lease *) = {
		change_holder,   change_state,        change_release,
		change_settings, change_controller,   change_acknowledged,
		change_duration, change_acquire_time,
	};

	for (size_t i = 0; i < COUNT(changes); i++) {
		struct roster *roster = roster_create();
		struct lease lease = lease_of_a("100");

		observe(roster, &lease, 1000);
		changes[i](&lease);
		lease.resource_version = slice_of("101");
		ck_assert_msg(observe(roster, &lease, 2000), "change %zu", i);
		lease.resource_version = slice_of("102");
		ck_assert_msg(!observe(roster, &lease, 3000), "change %zu again", i);
		roster_destroy(roster);
	}
}
END_TEST

START_TEST(roster_counts_a_lease_that_disappears_as_unchanged)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");
	bool changed = false;

	observe(roster, &lease, 1000);
	roster_observe_gone(roster, slice_of("foos.a"), &changed);
	ck_assert(changed);
	ck_assert_ptr_nonnull(peer_a(roster));
	ck_assert(!peer_a(roster)->is_present);
	ck_assert_int_eq(roster_state(peer_a(roster), 15999), PEER_ALIVE);
	ck_assert_int_eq(roster_state(peer_a(roster), 16000), PEER_SILENT);
	roster_observe_gone(roster, slice_of("foos.a"), &changed);
	ck_assert(!changed);
	/* A list that was old: it is there after all, and no younger. */
	ck_assert(observe(roster, &lease, 5000));
	ck_assert(peer_a(roster)->is_present);
	ck_assert_int_eq(peer_a(roster)->seen_ms, 1000);
	roster_observe_gone(roster, slice_of("foos.b"), &changed);
	ck_assert(!changed);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_forgets_whoever_gave_up_once_the_lease_is_gone)
{
	static const char *const states[] = { "ended", "released" };

	for (size_t i = 0; i < COUNT(states); i++) {
		struct roster *roster = roster_create();
		struct lease lease = lease_of_a("100");
		bool changed = false;

		lease.state = slice_of(states[i]);
		observe(roster, &lease, 1000);
		ck_assert_int_eq(roster_state(peer_a(roster), 99999),
				 i == 0 ? PEER_ENDED : PEER_RELEASED);
		ck_assert_int_eq(roster_next_deadline(roster, 1000), INT64_MAX);
		roster_observe_gone(roster, slice_of("foos.a"), &changed);
		ck_assert(changed);
		ck_assert_ptr_null(peer_a(roster));
		roster_destroy(roster);
	}
}
END_TEST

START_TEST(roster_lets_no_older_lease_revive_an_incarnation)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");

	observe(roster, &lease, 1000);
	lease.state = slice_of("ended");
	lease.resource_version = slice_of("101");
	observe(roster, &lease, 2000);
	lease = lease_of_a("100");
	ck_assert(!observe(roster, &lease, 3000));
	ck_assert_int_eq(roster_state(peer_a(roster), 3000), PEER_ENDED);
	/* It comes back as another one. */
	lease = lease_of_a("103");
	lease.holder = slice_of("a/2");
	ck_assert(observe(roster, &lease, 4000));
	ck_assert_int_eq(roster_state(peer_a(roster), 4000), PEER_ALIVE);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_ignores_leases_with_an_odd_holder_and_says_so)
{
	static const struct {
		const char *name;
		const char *holder;
		const char *says;
	} rows[] = {
		{ "foos.a", "", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "a", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "a/", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "b/1", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "a/1/2", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "a/1 2", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "a/1\n0-7",
		  "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.a", "/1", "spec holderIdentity: expected a/<incarnation>" },
		{ "foos.", "/1", "spec holderIdentity: expected /<incarnation>" },
		{ "foos", "a/1", "metadata name: expected foos.<member>" },
		{ "fooz.a", "a/1", "metadata name: expected foos.<member>" },
		{ "foosxa", "a/1", "metadata name: expected foos.<member>" },
		{ "", "a/1", "metadata name: expected foos.<member>" },
	};
	struct roster *roster = roster_create();
	const struct peer *peers[ROSTER_PEERS_MAX];

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct lease lease = lease_of_a("100");
		bool changed = false;
		struct err err;

		lease.name = slice_of(rows[i].name);
		lease.holder = slice_of(rows[i].holder);
		ck_assert_msg(roster_observe(roster, ring, &lease, 1, &changed, &err) ==
				      -EINVAL,
			      "row %zu", i);
		ck_assert_str_eq(err.text, rows[i].says);
		ck_assert(!changed);
	}
	ck_assert_int_eq(roster_list(roster, peers), 0);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_ages_a_lease_that_an_outsider_took)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");

	observe(roster, &lease, 1000);
	lease.resource_version = slice_of("101");
	lease.holder = slice_of("somebody else");
	ck_assert_int_eq(roster_observe(roster, ring, &lease, 9000, NULL, NULL),
			 -EINVAL);
	ck_assert_str_eq(peer_a(roster)->identity, "a/1");
	ck_assert_int_eq(roster_state(peer_a(roster), 16000), PEER_SILENT);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_bounds_what_others_write)
{
	static const struct {
		int64_t duration_s;
		int64_t duration_ms;
	} rows[] = {
		{ 15, 15000 },
		{ 0, ROSTER_DURATION_MIN_MS },
		{ -5, ROSTER_DURATION_MIN_MS },
		{ 600, ROSTER_DURATION_MAX_MS },
		{ 601, ROSTER_DURATION_MAX_MS },
		{ INT64_MAX, ROSTER_DURATION_MAX_MS },
	};
	static const char *const acknowledged[] = { "", "x", "-1",
						    "99999999999999999999" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct roster *roster = roster_create();
		struct lease lease = lease_of_a("100");

		lease.duration_s = rows[i].duration_s;
		lease.acknowledged = slice_of(acknowledged[i % COUNT(acknowledged)]);
		observe(roster, &lease, 0);
		ck_assert_int_eq(peer_a(roster)->duration_ms, rows[i].duration_ms);
		ck_assert_uint_eq(peer_a(roster)->acknowledged, 0);
		roster_destroy(roster);
	}
}
END_TEST

START_TEST(roster_follows_so_many_members_and_no_more)
{
	struct roster *roster = roster_create();
	const struct peer *peers[ROSTER_PEERS_MAX];
	bool changed = false;
	struct err err;

	for (int i = 0; i <= ROSTER_PEERS_MAX; i++) {
		struct lease lease = lease_of_a("100");
		char name[32], holder[32];

		sprintf(name, "foos.m%d", i);
		sprintf(holder, "m%d/1", i);
		lease.name = slice_of(name);
		lease.holder = slice_of(holder);
		ck_assert_int_eq(
			roster_observe(roster, ring, &lease, 0, &changed, &err),
			i < ROSTER_PEERS_MAX ? 0 : -ENOSPC);
	}
	ck_assert_int_eq(roster_list(roster, peers), ROSTER_PEERS_MAX);
	roster_destroy(roster);
}
END_TEST

START_TEST(roster_lists_seniors_first)
{
	static const struct {
		const char *name, *holder, *acquired;
	} rows[] = {
		{ "foos.z", "z/1", "2026-11-24T00:00:00.000000Z" },
		{ "foos.b", "b/1", "2026-11-24T00:00:00.000001Z" },
		{ "foos.a", "a/1", "2026-11-24T00:00:01.000000Z" },
		{ "foos.c", "c/1", "2026-11-24T00:00:01.000000Z" },
		{ "foos.0", "0/1", "" }, /* tells nothing: no seniority by that */
	};
	struct random random = { 7 };

	for (int round = 0; round < 50; round++) {
		struct roster *roster = roster_create();
		const struct peer *peers[ROSTER_PEERS_MAX];

		/* In any order, some several times. */
		for (int i = 0; i < 60; i++) {
			size_t row = i < 50 ? (size_t)random_below(&random, COUNT(rows))
					    : (size_t)i % COUNT(rows);
			struct lease lease = lease_of_a("100");

			lease.name = slice_of(rows[row].name);
			lease.holder = slice_of(rows[row].holder);
			lease.acquire_time = slice_of(rows[row].acquired);
			observe(roster, &lease, i);
		}
		ck_assert_int_eq(roster_list(roster, peers), COUNT(rows));
		for (size_t i = 0; i < COUNT(rows); i++)
			ck_assert_str_eq(peers[i]->lease_name, rows[i].name);
		roster_destroy(roster);
	}
}
END_TEST

START_TEST(roster_next_deadline_is_the_nearest_of_the_living)
{
	struct roster *roster = roster_create();
	struct lease lease = lease_of_a("100");

	ck_assert_int_eq(roster_next_deadline(roster, 0), INT64_MAX);
	observe(roster, &lease, 1000);
	lease.name = slice_of("foos.b");
	lease.holder = slice_of("b/1");
	lease.duration_s = 5;
	observe(roster, &lease, 3000);
	ck_assert_int_eq(roster_next_deadline(roster, 3000), 8000);
	/* b is silent, and is not waited for any more. */
	ck_assert_int_eq(roster_next_deadline(roster, 8000), 16000);
	roster_destroy(roster);
}
END_TEST

UNIT_MAIN("ring/roster", roster_tells_what_a_lease_says,
	  roster_calls_silent_what_stood_unchanged_for_its_duration,
	  roster_restarts_the_time_only_for_another_resource_version,
	  roster_compares_no_wall_clock, roster_reports_what_is_news,
	  roster_counts_a_lease_that_disappears_as_unchanged,
	  roster_forgets_whoever_gave_up_once_the_lease_is_gone,
	  roster_lets_no_older_lease_revive_an_incarnation,
	  roster_ignores_leases_with_an_odd_holder_and_says_so,
	  roster_ages_a_lease_that_an_outsider_took, roster_bounds_what_others_write,
	  roster_follows_so_many_members_and_no_more, roster_lists_seniors_first,
	  roster_next_deadline_is_the_nearest_of_the_living)
