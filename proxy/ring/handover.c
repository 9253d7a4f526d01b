#include "proxy/ring/handover.h"

#include <assert.h>

/* One bucket on its way; members by index into `next`. */
struct step {
	const struct assigned_bucket *before; /* by index into `now` */
	int owner, target;                    /* as before; -1: nobody, or gone */
	int want;
	uint64_t epoch;
};

bool handover_is_acknowledged(const struct assigned_bucket *bucket,
			      const struct handover_plan *plan)
{
	return bucket->owner >= 0 && bucket->target != bucket->owner &&
	       plan->acknowledged[bucket->owner] >= bucket->since;
}

static struct assigned_bucket changed(const struct step *step, int owner, int target)
{
	return (struct assigned_bucket){ owner, target, step->epoch };
}

static struct assigned_bucket step_bucket(const struct step *step,
					  const struct handover_plan *plan)
{
	const struct assigned_bucket same = { step->owner, step->target,
					      step->before->since };
	bool is_under_way = step->before->target != step->before->owner;

	if (step->owner < 0) {
		bool was_nobodys = step->before->owner < 0 && !is_under_way;

		return was_nobodys && step->want < 0
			       ? same
			       : changed(step, step->want, step->want);
	}
	/* Nobody else can take it. */
	if (step->want < 0 || step->want == step->owner)
		return is_under_way ? changed(step, step->owner, step->owner) : same;
	/* It has let go, for good: whoever shall have it now may. */
	if (handover_is_acknowledged(step->before, plan))
		return changed(step, step->want, step->want);
	return is_under_way && step->want == step->target
		       ? same
		       : changed(step, step->owner, step->want);
}

/* Its index in next's members; who is not among them joins behind the active. */
static int member_add(struct assignment *next, struct slice identity)
{
	int member = assignment_member(next, identity);

	if (member >= 0)
		return member;
	assert(next->members_n < ASSIGNMENT_MEMBERS_MAX && "a roster is smaller");
	next->members[next->members_n] = identity;
	return next->members_n++;
}

/* For each of now's members its index in next; -1: gone, or a target no more. */
static void members_set(struct assignment *next, const struct assignment *now,
			const struct handover_plan *plan, int *map)
{
	bool owns[ASSIGNMENT_MEMBERS_MAX] = { false };

	next->members_n = next->active_n = plan->active_n;
	for (int i = 0; i < plan->active_n; i++)
		next->members[i] = plan->active[i];
	for (int b = 0; b < now->buckets; b++) {
		const struct assigned_bucket *before = &now->bucket[b];

		/* Who has let go of everything is not kept for it. */
		if (before->owner >= 0 &&
		    (!handover_is_acknowledged(before, plan) || plan->want[b] < 0))
			owns[before->owner] = true;
	}
	for (int i = 0; i < now->members_n; i++) {
		map[i] = plan->is_gone[i] ? -1
					  : assignment_member(next, now->members[i]);
		if (map[i] < 0 && !plan->is_gone[i] && owns[i])
			map[i] = member_add(next, now->members[i]);
	}
}

static bool is_same_members(const struct assignment *now, const struct assignment *next)
{
	if (now->members_n != next->members_n || now->active_n != next->active_n)
		return false;
	for (int i = 0; i < now->members_n; i++)
		if (!slice_eq(now->members[i], next->members[i]))
			return false;
	return true;
}

bool handover_next(struct assignment *out, const struct assignment *now,
		   const struct handover_plan *plan)
{
	struct assignment next = *now;
	int map[ASSIGNMENT_MEMBERS_MAX];
	bool is_changed;

	assert(plan->active_n <= ASSIGNMENT_MEMBERS_MAX && "a roster is smaller");
	next.epoch = now->epoch + 1;
	members_set(&next, now, plan, map);
	is_changed = !is_same_members(now, &next);
	for (int b = 0; b < now->buckets; b++) {
		const struct assigned_bucket *before = &now->bucket[b];
		const struct step step = {
			.before = before,
			.owner = before->owner < 0 ? -1 : map[before->owner],
			.target = before->target < 0 ? -1 : map[before->target],
			.want = plan->want[b],
			.epoch = next.epoch,
		};

		next.bucket[b] = step_bucket(&step, plan);
		is_changed |= next.bucket[b].since == next.epoch;
	}
	if (is_changed)
		*out = next;
	return is_changed;
}
