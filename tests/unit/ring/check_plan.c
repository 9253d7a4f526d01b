#include "proxy/ring/plan.h"

#include <stdio.h>

#include "proxy/ring/handover.h"
#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define MEMBERS 40
#define BUCKETS 256

/* "m0/1" .. "m39/1": so many that tests take identities from here. */
static char names[MEMBERS][16];

static struct slice name(int i)
{
	sprintf(names[i], "m%d/1", i);
	return slice_of(names[i]);
}

static struct assignment blank(int buckets)
{
	struct assignment now = { .buckets = buckets };

	for (int b = 0; b < BUCKETS_MAX; b++)
		now.bucket[b] = (struct assigned_bucket){ .owner = -1, .target = -1 };
	return now;
}

/* As if whoever is to let go of a bucket did so at once; whether it changed *now. */
static bool next(struct assignment *now, const struct slice *active, int active_n,
		 const int *owner)
{
	static const bool is_gone[ASSIGNMENT_MEMBERS_MAX];
	uint64_t acknowledged[ASSIGNMENT_MEMBERS_MAX];
	const struct handover_plan plan = { .active = active,
					    .active_n = active_n,
					    .want = owner,
					    .is_gone = is_gone,
					    .acknowledged = acknowledged };
	bool is_changed = false;

	for (int i = 0; i < ASSIGNMENT_MEMBERS_MAX; i++)
		acknowledged[i] = UINT64_MAX;
	while (handover_next(now, now, &plan))
		is_changed = true;
	return is_changed;
}

/* Plans for these candidates as the coordinator does; whether it changed *now. */
static bool plan(struct assignment *now, const struct slice *candidates, int n,
		 int shards)
{
	struct slice active[MEMBERS];
	int chosen[MEMBERS], owner[BUCKETS_MAX];
	int active_n = plan_active(now, candidates, n, shards, chosen);

	for (int i = 0; i < active_n; i++)
		active[i] = candidates[chosen[i]];
	plan_assign(now, active, active_n, owner);
	return next(now, active, active_n, owner);
}

/* The same with members given by number, NULL-terminated by -1. */
static bool plan_for(struct assignment *now, const int *members, int shards)
{
	struct slice candidates[MEMBERS];
	int n = 0;

	for (; members[n] >= 0; n++)
		candidates[n] = name(members[n]);
	return plan(now, candidates, n, shards);
}

#define MEMBERS_OF(...) ((const int[]){ __VA_ARGS__, -1 })

static int held(const struct assignment *now, int member)
{
	struct bucket_set owned = assignment_owned(now, name(member));

	return bucket_set_count(&owned);
}

static bool is_active(const struct assignment *now, int member)
{
	int i = assignment_member(now, name(member));

	return i >= 0 && i < now->active_n;
}

/* What no planner can do better than, counted without knowing how ours works. */
static int moves_bound(const struct assignment *now, const struct assignment *next)
{
	int counts[MEMBERS], n = next->active_n, kept = 0;
	int fair, extra;

	if (n == 0)
		return 0;
	fair = now->buckets / n;
	extra = now->buckets % n;
	for (int i = 0; i < n; i++) {
		struct bucket_set owned = assignment_owned(now, next->members[i]);

		counts[i] = bucket_set_count(&owned);
		kept += counts[i] < fair ? counts[i] : fair;
	}
	for (int i = 0; i < n && extra > 0; i++) {
		if (counts[i] <= fair)
			continue;
		kept++;
		extra--;
	}
	return now->buckets - kept;
}

static int moves_made(const struct assignment *now, const struct assignment *next)
{
	int moves = 0;

	for (int b = 0; b < now->buckets; b++) {
		int from = now->bucket[b].owner, to = next->bucket[b].owner;

		moves += from < 0 || to < 0 ||
			 !slice_eq(now->members[from], next->members[to]);
	}
	return moves;
}

/* ck_assert is a system call: what is checked often is gathered first. */
static bool is_balanced(const struct assignment *now)
{
	int count[MEMBERS] = { 0 };
	bool is_sound = true;

	for (int b = 0; b < now->buckets; b++) {
		const struct assigned_bucket *bucket = &now->bucket[b];

		if (bucket->owner < 0 || bucket->owner >= now->active_n)
			return false;
		is_sound &= bucket->target == bucket->owner;
		count[bucket->owner]++;
	}
	for (int i = 0; i < now->active_n; i++)
		is_sound &= count[i] >= now->buckets / now->active_n &&
			    count[i] <= now->buckets / now->active_n + 1;
	return is_sound;
}

START_TEST(plan_gives_the_first_member_everything)
{
	struct assignment now = blank(BUCKETS);

	ck_assert(plan_for(&now, MEMBERS_OF(0), 3));
	ck_assert_int_eq(held(&now, 0), BUCKETS);
	ck_assert_uint_eq(now.epoch, 1);
	ck_assert_uint_eq(now.bucket[17].since, 1);
}
END_TEST

START_TEST(plan_moves_no_bucket_when_nothing_changed)
{
	struct assignment now = blank(BUCKETS);

	ck_assert(plan_for(&now, MEMBERS_OF(0, 1, 2), 3));
	ck_assert(!plan_for(&now, MEMBERS_OF(0, 1, 2), 3));
	ck_assert_uint_eq(now.epoch, 1);
}
END_TEST

START_TEST(plan_takes_the_same_share_from_everybody_for_a_newcomer)
{
	struct assignment now = blank(BUCKETS), before;

	plan_for(&now, MEMBERS_OF(0, 1), 3);
	before = now;
	ck_assert(plan_for(&now, MEMBERS_OF(0, 1, 2), 3));
	ck_assert_int_eq(held(&now, 2), 85);
	ck_assert_int_eq(moves_made(&before, &now), 85);
	for (int b = 0; b < BUCKETS; b++)
		ck_assert_uint_eq(now.bucket[b].since,
				  now.bucket[b].owner == 2 ? 3 : 1);
}
END_TEST

START_TEST(plan_lets_no_standby_displace_an_active_member)
{
	struct assignment now = blank(BUCKETS);

	plan_for(&now, MEMBERS_OF(5, 6, 7), 3);
	/* Seniors that come later, as after a partition. */
	ck_assert(!plan_for(&now, MEMBERS_OF(0, 1, 5, 6, 7, 8), 3));
	ck_assert(is_active(&now, 5) && is_active(&now, 6) && is_active(&now, 7));
}
END_TEST

START_TEST(plan_replaces_a_dead_member_by_the_most_senior_standby)
{
	struct assignment now = blank(BUCKETS);

	plan_for(&now, MEMBERS_OF(5, 6, 7), 3);
	ck_assert(plan_for(&now, MEMBERS_OF(3, 4, 5, 7, 8), 3));
	ck_assert(is_active(&now, 3) && !is_active(&now, 4) && !is_active(&now, 6));
	ck_assert_int_eq(now.members_n, 3);
}
END_TEST

START_TEST(plan_gives_a_standby_exactly_the_lost_buckets)
{
	for (int dead = 0; dead < 5; dead++) {
		struct assignment now = blank(BUCKETS), before;
		int candidates[MEMBERS], n = 0;
		struct bucket_set lost, got;

		plan_for(&now, MEMBERS_OF(0, 1, 2, 3, 4), 5);
		before = now;
		lost = assignment_owned(&now, name(dead));
		for (int i = 0; i <= 6; i++)
			if (i != dead)
				candidates[n++] = i;
		candidates[n] = -1;
		ck_assert(plan_for(&now, candidates, 5));
		got = assignment_owned(&now, name(5));
		ck_assert(bucket_set_is_equal(&lost, &got));
		ck_assert_int_eq(moves_made(&before, &now), bucket_set_count(&lost));
	}
}
END_TEST

START_TEST(plan_shrinks_from_the_juniors)
{
	struct assignment now = blank(BUCKETS);

	plan_for(&now, MEMBERS_OF(0, 1, 2, 3, 4), 5);
	ck_assert(plan_for(&now, MEMBERS_OF(0, 1, 2, 3, 4), 2));
	ck_assert_int_eq(now.active_n, 2);
	ck_assert(is_active(&now, 0) && is_active(&now, 1));
	ck_assert_int_eq(held(&now, 0) + held(&now, 1), BUCKETS);
}
END_TEST

START_TEST(plan_takes_a_new_incarnation_for_another_member)
{
	struct assignment now = blank(BUCKETS);
	const struct slice reborn[] = { name(0), name(2), SLICE_LITERAL("m1/2") };
	struct bucket_set lost, got;

	plan_for(&now, MEMBERS_OF(0, 1, 2), 3);
	lost = assignment_owned(&now, name(1));
	ck_assert(plan(&now, reborn, 3, 3));
	got = assignment_owned(&now, SLICE_LITERAL("m1/2"));
	ck_assert(bucket_set_is_equal(&lost, &got));
	ck_assert_int_eq(held(&now, 1), 0);
}
END_TEST

START_TEST(plan_holds_on_to_a_handover_that_is_under_way)
{
	struct assignment now = blank(BUCKETS);
	int owner[BUCKETS_MAX];
	const struct slice both[] = { name(0), name(1) };

	plan_for(&now, MEMBERS_OF(0, 1), 2);
	/* 0 hands ten buckets to 1, which hands ten others to 0. */
	for (int b = 0; b < 10; b++) {
		now.bucket[b].target = 1;
		now.bucket[BUCKETS - 1 - b].target = 0;
	}
	plan_assign(&now, both, 2, owner);
	for (int b = 0; b < BUCKETS; b++)
		ck_assert_int_eq(owner[b], now.bucket[b].target);
	/* The target dies: whoever has it keeps it. */
	plan_assign(&now, both, 1, owner);
	for (int b = 0; b < BUCKETS; b++)
		ck_assert_int_eq(owner[b], 0);
}
END_TEST

START_TEST(plan_without_members_leaves_the_buckets_to_nobody)
{
	struct assignment now = blank(BUCKETS);
	int owner[BUCKETS_MAX];

	plan_for(&now, MEMBERS_OF(0, 1), 2);
	plan_assign(&now, NULL, 0, owner);
	for (int b = 0; b < BUCKETS; b++)
		ck_assert_int_eq(owner[b], -1);
}
END_TEST

START_TEST(plan_has_members_without_a_bucket_where_there_are_too_few)
{
	struct assignment now = blank(2);

	ck_assert(plan_for(&now, MEMBERS_OF(0, 1, 2, 3), 4));
	ck_assert(is_balanced(&now));
	ck_assert(!plan_for(&now, MEMBERS_OF(0, 1, 2, 3), 4));
}
END_TEST

/* A ring that lives for a while: who is alive, in what order, how many shards. */
struct history {
	struct random random;
	struct assignment now;
	bool alive[MEMBERS];
	int shards;
};

static int history_candidates(const struct history *h, struct slice *out)
{
	int n = 0;

	for (int i = 0; i < MEMBERS; i++)
		if (h->alive[i])
			out[n++] = name(i);
	return n;
}

static void history_step(struct history *h)
{
	switch (random_below(&h->random, 8)) {
	case 0:
		h->shards = 1 + random_below(&h->random, 20);
		break;
	case 1: /* several at once */
		for (int i = 0; i < MEMBERS; i++)
			h->alive[i] = random_below(&h->random, 3);
		break;
	default:
		h->alive[random_below(&h->random, MEMBERS)] ^= 1;
	}
}

/* The active set: as many as there can be, nobody displaced, seniors first. */
static void check_active(const struct history *h, const struct assignment *before)
{
	bool was[MEMBERS], is[MEMBERS], is_fair = true;
	int alive = 0, stayed = 0, standing = 0, want;

	for (int i = 0; i < MEMBERS; i++) {
		was[i] = is_active(before, i);
		is[i] = is_active(&h->now, i);
		alive += h->alive[i];
		standing += h->alive[i] && was[i];
		stayed += is[i] && was[i];
		is_fair &= h->alive[i] || !is[i];
	}
	for (int senior = 0; senior < MEMBERS; senior++)
		for (int junior = senior + 1; junior < MEMBERS; junior++)
			is_fair &= !h->alive[senior] || was[senior] != was[junior] ||
				   is[senior] || !is[junior];
	want = alive < h->shards ? alive : h->shards;
	ck_assert(is_fair);
	ck_assert_int_eq(h->now.active_n, want);
	ck_assert_int_eq(stayed, standing < want ? standing : want);
}

static void history_run(uint64_t seed, int buckets, int steps)
{
	struct history h = { .random = { seed }, .now = blank(buckets), .shards = 3 };

	for (int step = 0; step < steps; step++) {
		struct assignment before = h.now, again = h.now;
		struct slice candidates[MEMBERS];
		bool is_changed;
		int n;

		history_step(&h);
		n = history_candidates(&h, candidates);
		is_changed = plan(&h.now, candidates, n, h.shards);
		ck_assert_int_eq(is_changed, plan(&again, candidates, n, h.shards));
		ck_assert_mem_eq(again.bucket, h.now.bucket, sizeof(again.bucket));
		check_active(&h, &before);
		if (n == 0)
			continue;
		ck_assert(is_balanced(&h.now));
		ck_assert_int_eq(moves_made(&before, &h.now),
				 moves_bound(&before, &h.now));
		ck_assert(!plan(&h.now, candidates, n, h.shards));
	}
}

START_TEST(plan_stays_balanced_sticky_and_minimal_through_long_histories)
{
	static const int buckets[] = { 256, 7, 1, 1024, 100 };

	for (int i = 0; i < 5; i++)
		history_run((uint64_t)i + 10, buckets[i], 2000);
}
END_TEST

UNIT_MAIN("ring/plan", plan_gives_the_first_member_everything,
	  plan_moves_no_bucket_when_nothing_changed,
	  plan_takes_the_same_share_from_everybody_for_a_newcomer,
	  plan_lets_no_standby_displace_an_active_member,
	  plan_replaces_a_dead_member_by_the_most_senior_standby,
	  plan_gives_a_standby_exactly_the_lost_buckets, plan_shrinks_from_the_juniors,
	  plan_takes_a_new_incarnation_for_another_member,
	  plan_holds_on_to_a_handover_that_is_under_way,
	  plan_without_members_leaves_the_buckets_to_nobody,
	  plan_has_members_without_a_bucket_where_there_are_too_few,
	  plan_stays_balanced_sticky_and_minimal_through_long_histories)
