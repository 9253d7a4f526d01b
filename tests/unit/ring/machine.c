#include "tests/unit/ring/machine.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/ring/machine_state.h"

const char *const mutants[MUTANTS_N] = {
	[MUTANT_NONE] = "none",
	[MUTANT_NO_FENCE] = "no fence",
	[MUTANT_NO_DRAIN] = "no drain",
	[MUTANT_BROKEN_IS_OVER] = "a broken connection ends a write",
	[MUTANT_NO_ACK] = "no acknowledgement",
	[MUTANT_ANY_ACK] = "any old acknowledgement",
	[MUTANT_NO_PRECONDITION] = "no precondition on the assignment",
	[MUTANT_NO_SEAL] = "death without a seal",
	[MUTANT_OLD_LIFE_OWNS] = "an owner without its incarnation",
	[MUTANT_REJOIN_AT_ONCE] = "a new incarnation at once",
	[MUTANT_TAKE_AT_ONCE] = "a Lease that is taken at once",
	[MUTANT_STOP_UNFENCED] = "a stop without a fence",
	[MUTANT_STOP_UNDRAINED] = "a stop without a drain",
};

struct machine_counts machine_counts;

/* --- the machine --- */

struct machine machine;

static char names[MEMBERS][LIVES][8];

struct slice identity(int member, int life)
{
	if (machine.mutant == MUTANT_OLD_LIFE_OWNS)
		life = 0;
	if (!names[member][life][0])
		sprintf(names[member][life], "%c/%d", 'a' + member, life);
	return slice_of(names[member][life]);
}

int roll(int n)
{
	return random_below(&machine.random, n);
}

struct assignment *version(int number)
{
	return &machine.versions[number % KEPT];
}

int oldest(void)
{
	return machine.newest >= KEPT ? machine.newest - KEPT + 1 : 1;
}

/* --- the oracle --- */

static bool may_write(const struct member *member, int bucket)
{
	bool is_kept = bucket_set_has(&member->changeover.kept, bucket);

	if (machine.mutant == MUTANT_NO_FENCE)
		is_kept |= bucket_set_has(&member->changeover.releasing, bucket) ||
			   bucket_set_has(&member->changeover.released, bucket);
	return member->is_up && member->is_ours && member->has_right && is_kept;
}

static void look(void)
{
	for (int b = 0; b < BUCKETS; b++) {
		int writers = 0;

		for (int i = 0; i < MEMBERS; i++)
			writers += may_write(&machine.members[i], b);
		if (writers > 1)
			machine.broken = "one_writer";
	}
}

/* It reaches the API server: its bucket is still its sender's, or nobody else's. */
static void arrive(int member)
{
	struct member *from = &machine.members[member];

	for (int i = 0; i < MEMBERS; i++)
		if ((i != member || from->write_life != from->life) &&
		    may_write(&machine.members[i], from->write))
			machine.broken = "late_write";
	from->write = -1;
}

/* --- members --- */

static void member_step(int i)
{
	static const struct changeover_times times = { 1, 1, 1000 };
	struct member *member = &machine.members[i];
	bool is_over = member->write < 0 || machine.mutant == MUTANT_NO_DRAIN ||
		       (machine.mutant == MUTANT_BROKEN_IS_OVER && !member->has_answer);
	const struct changeover_facts facts = {
		.known = version(member->seen),
		.identity = member->is_ours ? identity(i, member->life)
					    : slice_of(NULL),
		.is_serving = member->is_ours && member->has_right,
		.is_leaving = member->is_leaving &&
			      machine.mutant != MUTANT_STOP_UNFENCED,
		.follows = { member->follows[0], member->follows[1] },
		.writes_over_ms = is_over ? 0 : INT64_MAX,
		.now_ms = machine.now_ms,
		.times = &times,
	};
	struct bucket_set shown[RESOURCE_ROLES_N];

	memcpy(shown, member->changeover.shown, sizeof(shown));
	changeover_step(&member->changeover, &facts);
	for (int role = 0; role < RESOURCE_ROLES_N; role++)
		member->follows[role] =
			member->follows[role] &&
			bucket_set_is_equal(&shown[role],
					    &member->changeover.shown[role]);
}

static void member_see(int i)
{
	struct member *member = &machine.members[i];

	if (member->seen < oldest())
		member->seen = oldest();
	member->seen += roll(machine.newest - member->seen + 1);
	member_step(i);
}

/* A renewal: the seal or it, whichever comes first. */
static void member_renew(int i)
{
	struct member *member = &machine.members[i];

	if (!member->is_ours)
		return;
	if (member->is_sealed || member->is_deleted) {
		member->is_ours = false;
		member->has_right = false;
		member_step(i);
		return;
	}
	member->has_right = true;
	member->told = member->changeover.acknowledged;
}

/* Whether a write of a former life, or of this one, may still arrive. */
static bool has_old_write(const struct member *member)
{
	return member->write >= 0 && machine.mutant != MUTANT_REJOIN_AT_ONCE;
}

static void member_join(int i)
{
	struct member *member = &machine.members[i];
	/* A right that has ended: the Lease has stood for its duration. */
	bool is_over = !member->has_right && member->write < 0;
	bool is_free = member->is_sealed || member->is_deleted ||
		       member->lease_life == 0 || is_over;

	if (machine.mutant == MUTANT_TAKE_AT_ONCE)
		is_free = true;
	else if (has_old_write(member))
		return;
	if (member->is_ours || !is_free || member->life + 1 == LIVES)
		return;
	member->life++;
	member->lease_life = member->life;
	member->is_sealed = member->is_deleted = false;
	member->told = 0;
	member->is_ours = member->has_right = true;
	member->changeover = (struct changeover){ 0 };
	member->seen = machine.newest; /* read consistently */
	member_step(i);
}

static void member_crash(int i)
{
	struct member *member = &machine.members[i];

	member->is_up = false;
	member->is_ours = member->has_right = member->is_leaving = false;
	member->changeover = (struct changeover){ 0 };
}

/* It lets go of everything; then its Lease says that it is released. */
static void member_leave(int i)
{
	struct member *member = &machine.members[i];
	bool is_over = member->write < 0 || machine.mutant == MUTANT_STOP_UNDRAINED;

	if (!member->is_ours || member->is_sealed || member->is_deleted)
		return;
	if (!member->is_leaving) {
		member->is_leaving = true;
		member_step(i);
		return;
	}
	if (!is_over || (!bucket_set_is_empty(&member->changeover.releasing) &&
			 machine.mutant != MUTANT_STOP_UNDRAINED))
		return;
	member->is_sealed = true;
	/* It may still be about to end. */
	if (machine.mutant != MUTANT_STOP_UNFENCED)
		member_crash(i);
}

static void member_write(int i)
{
	struct member *member = &machine.members[i];
	int bucket = roll(BUCKETS);

	if (member->write >= 0) {
		if (roll(3) == 0)
			member->has_answer = false;
		else if (roll(3) == 0)
			arrive(i);
		else if (roll(4) == 0)
			member->write = -1; /* the API server drops it: too late */
		return;
	}
	if (!may_write(member, bucket))
		return;
	machine_counts.writes++;
	member->write = bucket;
	member->write_life = member->life;
	member->has_answer = true;
}

static void member_act(int i)
{
	struct member *member = &machine.members[i];

	if (!member->is_up) {
		if (roll(4) == 0)
			member->is_up = true;
		else if (member->write >= 0 && roll(2))
			arrive(i);
		return;
	}
	if (member->is_leaving && roll(4) == 0) {
		member_leave(i);
		return;
	}
	switch (roll(14)) {
	case 0:
	case 1:
		member_see(i);
		return;
	case 2:
	case 3:
		member->follows[roll(2)] = true;
		member_step(i);
		return;
	case 4:
	case 5:
		member_step(i);
		return;
	case 6:
	case 7:
		member_renew(i);
		return;
	case 8:
		member_join(i);
		return;
	case 9:
	case 10:
	case 11:
	case 12:
		member_write(i);
		return;
	case 13:
		if (roll(16) == 0)
			member_crash(i);
		else if (roll(8) == 0)
			member->has_right = false; /* it runs out */
		else if (roll(8) == 0)
			member->is_deleted = member->lease_life > 0;
		else if (roll(12) == 0)
			member_leave(i);
		return;
	}
}

/* --- histories --- */

static void begin(uint64_t seed, enum mutant mutant)
{
	struct assignment *first = &machine.versions[1];

	memset(&machine, 0, sizeof(machine));
	machine.random.state = seed;
	machine.mutant = mutant;
	machine.newest = 1;
	*first = (struct assignment){ .buckets = BUCKETS, .epoch = 1 };
	for (int b = 0; b < BUCKETS; b++)
		first->bucket[b] = (struct assigned_bucket){ -1, -1, 1 };
	for (int i = 0; i < MEMBERS; i++)
		machine.members[i] = (struct member){ .is_up = true, .write = -1 };
	for (int c = 0; c < COORDINATORS; c++)
		machine.coordinators[c].seen = 1;
}

const char *machine_run(uint64_t seed, enum mutant mutant, int steps)
{
	begin(seed, mutant);
	for (int i = 0; i < steps && !machine.broken; i++) {
		machine.now_ms++;
		machine_counts.steps++;
		if (roll(3))
			member_act(roll(MEMBERS));
		else
			coordinator_act(roll(COORDINATORS));
		look();
	}
	return machine.broken;
}

int machine_shrink(uint64_t seed, enum mutant mutant)
{
	int steps = 1;

	while (!machine_run(seed, mutant, steps))
		steps++;
	return steps;
}
