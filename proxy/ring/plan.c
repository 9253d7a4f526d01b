#include "proxy/ring/plan.h"

#include <assert.h>

static bool is_active(const struct assignment *now, struct slice identity)
{
	int member = assignment_member(now, identity);

	return member >= 0 && member < now->active_n;
}

int plan_active(const struct assignment *now, const struct slice *candidates, int n,
		int shards, int *active)
{
	int room = shards, active_n = 0, standing = 0;

	for (int i = 0; i < n; i++)
		standing += is_active(now, candidates[i]);
	/* Seats for newcomers: what those who are active already leave. */
	for (int i = 0; i < n && room > 0; i++) {
		bool stays = is_active(now, candidates[i]);

		if (!stays && room <= standing)
			continue;
		standing -= stays;
		active[active_n++] = i;
		room--;
	}
	return active_n;
}

struct shares {
	int held[ASSIGNMENT_MEMBERS_MAX];  /* buckets that a member has now */
	int quota[ASSIGNMENT_MEMBERS_MAX]; /* buckets that it shall have */
	int n;
};

/* Gives one bucket more to members of one kind, in order; how many are left. */
static int shares_raise(struct shares *shares, int left,
			bool (*is_kind)(int held, int fair), int fair)
{
	for (int i = 0; i < shares->n && left > 0; i++) {
		if (!is_kind(shares->held[i], fair))
			continue;
		shares->quota[i] = fair + 1;
		left--;
	}
	return left;
}

static bool holds_more(int held, int fair)
{
	return held > fair;
}

static bool holds_less(int held, int fair)
{
	return held < fair;
}

static bool holds_enough(int held, int fair)
{
	return held == fair;
}

/*
 * Who holds more than the fair share saves a move by keeping one more. What is
 * left goes to those who receive buckets anyway, so that the others' views stay
 * as they are.
 */
static void shares_set_quotas(struct shares *shares, int buckets)
{
	int fair = buckets / shares->n, left = buckets % shares->n;

	for (int i = 0; i < shares->n; i++)
		shares->quota[i] = fair;
	left = shares_raise(shares, left, holds_more, fair);
	left = shares_raise(shares, left, holds_less, fair);
	left = shares_raise(shares, left, holds_enough, fair);
	assert(left == 0 && "a remainder is smaller than the divisor");
}

static int index_of(const struct slice *active, int n, struct slice identity)
{
	for (int i = 0; i < n; i++)
		if (slice_eq(active[i], identity))
			return i;
	return -1;
}

/* For each of now's members its index into active, or -1. */
static void members_map(const struct assignment *now, const struct slice *active, int n,
			int *map)
{
	for (int i = 0; i < now->members_n; i++)
		map[i] = index_of(active, n, now->members[i]);
}

/* Who has the bucket now: its target, where a handover is under way. */
static int holder_of(const struct assigned_bucket *bucket, const int *map)
{
	int target = bucket->target < 0 ? -1 : map[bucket->target];

	if (target >= 0)
		return target;
	return bucket->owner < 0 ? -1 : map[bucket->owner];
}

void plan_assign(const struct assignment *now, const struct slice *active, int n,
		 int *out)
{
	struct shares shares = { .n = n };
	int map[ASSIGNMENT_MEMBERS_MAX];
	int next = 0;

	assert(n <= ASSIGNMENT_MEMBERS_MAX && "a roster is smaller");
	members_map(now, active, n, map);
	for (int b = 0; b < now->buckets; b++) {
		out[b] = holder_of(&now->bucket[b], map);
		if (out[b] >= 0)
			shares.held[out[b]]++;
	}
	if (n == 0)
		return;
	shares_set_quotas(&shares, now->buckets);
	for (int b = 0; b < now->buckets; b++) {
		if (out[b] >= 0 && shares.quota[out[b]] > 0)
			shares.quota[out[b]]--;
		else
			out[b] = -1;
	}
	for (int b = 0; b < now->buckets; b++) {
		if (out[b] >= 0)
			continue;
		while (shares.quota[next] == 0)
			next++;
		out[b] = next;
		shares.quota[next]--;
	}
}
