#include <stdlib.h>

#include "proxy/ring/handover.h"
#include "tests/unit/ring/machine_state.h"

/* Writes that were let pass under a right are over when others can see its end. */
static bool may_seal(const struct member *member)
{
	return !member->is_sealed && !member->is_deleted && member->lease_life > 0 &&
	       !member->has_right && member->write < 0;
}

static void coordinator_see(int c)
{
	int seen = machine.coordinators[c].seen;
	int i = roll(MEMBERS);
	const struct member *member = &machine.members[i];

	if (seen < oldest())
		seen = oldest();
	machine.coordinators[c].seen = seen + roll(machine.newest - seen + 1);
	machine.coordinators[c].told[i] = member->told;
	machine.coordinators[c].lease_life[i] = member->lease_life;
	machine.coordinators[c].is_sealed[i] = member->is_sealed;
}

/* The member and life of an identity. */
static int member_of(struct slice name, int *life)
{
	*life = atoi(name.data + 2);
	return name.data[0] - 'a';
}

static bool is_gone(int c, struct slice name)
{
	int life, i = member_of(name, &life);
	int lease_life = machine.coordinators[c].lease_life[i];

	if (machine.mutant == MUTANT_OLD_LIFE_OWNS)
		return machine.coordinators[c].is_sealed[i];
	if (machine.mutant == MUTANT_NO_SEAL && roll(20) == 0)
		return true;
	return lease_life > life ||
	       (lease_life == life && machine.coordinators[c].is_sealed[i]);
}

static uint64_t acknowledged(int c, struct slice name, const struct assignment *now)
{
	int life, i = member_of(name, &life);

	if (machine.mutant == MUTANT_NO_ACK)
		return UINT64_MAX;
	if (machine.mutant == MUTANT_ANY_ACK)
		return machine.coordinators[c].told[i] > 0 ? UINT64_MAX : 0;
	return machine.coordinators[c].lease_life[i] == life
		       ? machine.coordinators[c].told[i]
		       : 0;
}

/* Any plan will do: the rules hold whoever shall have what. */
static void coordinator_plan(int c)
{
	const struct assignment *now = version(machine.coordinators[c].seen);
	struct slice active[MEMBERS];
	int want[BUCKETS], active_n = 0;
	bool gone[ASSIGNMENT_MEMBERS_MAX];
	uint64_t told[ASSIGNMENT_MEMBERS_MAX];
	const struct handover_plan plan = { active, 0, want, gone, told };
	struct handover_plan real = plan;

	if (machine.coordinators[c].seen < oldest())
		return;
	for (int i = 0; i < MEMBERS; i++)
		if (machine.coordinators[c].lease_life[i] > 0 &&
		    !machine.coordinators[c].is_sealed[i])
			active[active_n++] =
				identity(i, machine.coordinators[c].lease_life[i]);
	for (int i = 0; i < now->members_n; i++) {
		gone[i] = is_gone(c, now->members[i]);
		told[i] = acknowledged(c, now->members[i], now);
	}
	for (int b = 0; b < BUCKETS; b++) {
		int target = now->bucket[b].target;

		want[b] = active_n > 0 ? roll(active_n) : -1;
		/* Mostly what was planned before: else nothing comes to its end. */
		for (int i = 0; i < active_n && target >= 0 && roll(8); i++)
			if (slice_eq(active[i], now->members[target]))
				want[b] = i;
	}
	real.active_n = active_n;
	if (handover_next(&machine.coordinators[c].plan, now, &real))
		machine.coordinators[c].planned_on = machine.coordinators[c].seen;
}

/* Buckets that their owner has let go of, and another has now. */
static uint64_t ends_of_handovers(const struct assignment *before,
				  const struct assignment *after)
{
	uint64_t ends = 0;

	for (int b = 0; b < BUCKETS; b++) {
		const struct assigned_bucket *from = &before->bucket[b];
		const struct assigned_bucket *to = &after->bucket[b];

		ends += from->owner >= 0 && from->owner != from->target &&
			to->owner >= 0 && to->owner == to->target &&
			slice_eq(before->members[from->target],
				 after->members[to->owner]);
	}
	return ends;
}

static void coordinator_publish(int c)
{
	int on = machine.coordinators[c].planned_on;
	struct assignment *plan = &machine.coordinators[c].plan;

	machine.coordinators[c].planned_on = 0;
	if (on == 0 ||
	    (on != machine.newest && machine.mutant != MUTANT_NO_PRECONDITION))
		return;
	/* Nobody takes an epoch for another one. */
	plan->epoch = version(machine.newest)->epoch + 1;
	machine_counts.handovers += ends_of_handovers(version(machine.newest), plan);
	machine.newest++;
	*version(machine.newest) = *plan;
	machine.coordinators[c].seen = machine.newest;
}

void coordinator_act(int c)
{
	struct member *member = &machine.members[roll(MEMBERS)];

	switch (roll(6)) {
	case 0:
	case 1:
		coordinator_see(c);
		return;
	case 2:
		if (may_seal(member))
			member->is_sealed = true;
		return;
	case 3:
		coordinator_plan(c);
		return;
	case 4:
	case 5:
		coordinator_publish(c);
		return;
	}
}
