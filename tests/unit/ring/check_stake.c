#include "proxy/ring/stake.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define RING "ringside.dev/ns/r"
#define MARGIN_MS 3000
#define DURATION_MS 15000

static const struct stake_question wanted = { .is_wanted = true,
					      .duration_ms = DURATION_MS,
					      .margin_ms = MARGIN_MS };

static struct lease lease_of(const char *holder, const char *version, int duration_s)
{
	return (struct lease){ .name = SLICE_LITERAL("lock"),
			       .holder = slice_of(holder),
			       .resource_version = slice_of(version),
			       .duration_s = duration_s };
}

static void see_answer(struct stake *stake, const struct lease *lease, bool is_written,
		       int64_t sent_ms, int64_t now_ms)
{
	stake_see(stake, &(struct stake_sight){ lease, is_written, sent_ms, now_ms },
		  slice_of(RING));
}

static void see(struct stake *stake, const char *holder, const char *version,
		int64_t sent_ms)
{
	const struct lease lease = lease_of(holder, version, 15);

	see_answer(stake, &lease, false, sent_ms, sent_ms + 10);
}

static enum stake_step next_at(const struct stake *stake, int64_t now_ms)
{
	struct stake_question question = wanted;

	question.now_ms = now_ms;
	return stake_next(stake, &question);
}

/* --- evidence --- */

START_TEST(first_sight_of_a_lock_of_the_ring_proves_nothing)
{
	struct stake stake = { 0 };

	see(&stake, RING, "7", 1000);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted), 0);
	/* The same again, neither: it may be old. */
	see(&stake, RING, "7", 2000);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted), 0);
}
END_TEST

START_TEST(change_proves_the_lock_from_the_read_before_it)
{
	struct stake stake = { 0 };

	see(&stake, RING, "7", 1000);
	see(&stake, RING, "7", 3000);
	see(&stake, RING, "8", 5000);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted),
			 3000 + DURATION_MS - MARGIN_MS);
	see(&stake, RING, "8", 7000);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted),
			 3000 + DURATION_MS - MARGIN_MS);
}
END_TEST

START_TEST(write_of_ours_proves_the_lock_from_when_it_was_sent)
{
	const struct lease lease = lease_of(RING, "7", 15);
	struct stake stake = { 0 };

	see_answer(&stake, &lease, true, 1000, 1500);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted),
			 1000 + DURATION_MS - MARGIN_MS);
}
END_TEST

START_TEST(lock_that_is_another_s_proves_nothing)
{
	struct stake stake = { 0 };

	see(&stake, RING, "7", 1000);
	see(&stake, RING, "8", 2000);
	see(&stake, "pod_1", "9", 3000);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted), 0);
	see_answer(&stake, NULL, false, 4000, 4010);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted), 0);
	/* Taken by another member: after it was seen to be free. */
	see(&stake, RING, "11", 5000);
	ck_assert_int_eq(stake_until_ms(&stake, &wanted),
			 4000 + DURATION_MS - MARGIN_MS);
}
END_TEST

/* --- steps --- */

START_TEST(lock_is_asked_for_only_while_it_is_wanted)
{
	struct stake stake = { 0 };
	struct stake_question question = wanted;

	ck_assert_int_eq(stake_next(&stake, &question), STAKE_READ);
	question.is_wanted = false;
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_REST);
	see_answer(&stake, NULL, false, 1000, 1010);
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_REST);
	ck_assert_int_eq(next_at(&stake, 1010), STAKE_CREATE);
	see(&stake, "", "7", 2000);
	ck_assert_int_eq(next_at(&stake, 2010), STAKE_TAKE);
}
END_TEST

START_TEST(foreign_lock_is_taken_once_it_stood_for_its_duration)
{
	struct stake stake = { 0 };
	const struct lease brief = lease_of("pod_1", "9", 4);

	see(&stake, "pod_1", "7", 1000);
	ck_assert_int_eq(next_at(&stake, 1010 + DURATION_MS - 1), STAKE_READ);
	ck_assert_int_eq(next_at(&stake, 1010 + DURATION_MS), STAKE_TAKE);
	see(&stake, "pod_1", "8", 1010 + DURATION_MS);
	ck_assert_int_eq(next_at(&stake, 1020 + DURATION_MS), STAKE_READ);
	/* Its own duration counts, for both of us. */
	see_answer(&stake, &brief, false, 30000, 30000);
	ck_assert_int_eq(next_at(&stake, 33999), STAKE_READ);
	ck_assert_int_eq(next_at(&stake, 34000), STAKE_TAKE);
	ck_assert_int_eq(stake_duration_ms(&stake, &wanted), 4000);
}
END_TEST

START_TEST(coordinator_renews_and_others_when_it_does_not)
{
	struct stake stake = { 0 };
	struct stake_question question = wanted;
	int64_t beat_ms;

	see(&stake, RING, "7", 1000);
	beat_ms = stake_beat_ms(&stake, &wanted);
	/* Without evidence a member makes some. */
	ck_assert_int_eq(next_at(&stake, 1010), STAKE_TAKE);
	see(&stake, RING, "8", 2000);
	ck_assert_int_eq(next_at(&stake, 2010 + 2 * beat_ms - 1), STAKE_READ);
	ck_assert_int_eq(next_at(&stake, 2010 + 2 * beat_ms), STAKE_TAKE);
	question.is_in_charge = true;
	question.now_ms = 2010;
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_TAKE);
	/* Four beats are left when others step in. */
	ck_assert_int_ge(stake_until_ms(&stake, &wanted),
			 1000 + 3 * beat_ms + MARGIN_MS);
}
END_TEST

START_TEST(last_one_gives_up_what_is_the_ring_s)
{
	struct stake stake = { 0 };
	struct stake_question question = wanted;

	question.is_leaving = true;
	question.is_wanted = false;
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_REST);
	see(&stake, "pod_1", "7", 1000);
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_REST);
	see(&stake, RING, "8", 1000);
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_GIVE_UP);
	see(&stake, "", "9", 1000);
	ck_assert_int_eq(stake_next(&stake, &question), STAKE_REST);
	/* The duration of who gave up means nothing. */
	ck_assert_int_eq(stake_duration_ms(&stake, &wanted), DURATION_MS);
}
END_TEST

/* --- random histories --- */

/*
 * Members of a ring and replicas that run without it, of which each contends for the
 * lock in the way of client-go: it takes what stood unchanged for its duration under
 * its eyes, renews what it has, and stops when it could not for a while. Requests and
 * answers take their time, or get lost; everybody stops and goes on at random.
 */
#define MEMBERS 3
#define REPLICAS 2
#define ACTORS (MEMBERS + REPLICAS)
#define DELAY_MS 2500 /* below the margin: what is sent arrives, or never does */
#define DEADLINE_MS 10000
#define RETRY_MS 2000
#define TIMEOUT_MS \
	5000 /* of a replica's requests: half of the deadline, as is usual \
	      */
#define HISTORY_MS 60000
#define TICK_MS 5

enum flight { FLIGHT_NONE, FLIGHT_THERE, FLIGHT_BACK };

struct actor {
	bool is_replica;
	bool is_stopped; /* SIGSTOP */
	bool is_cut;     /* from the API server: what it sends from now on is lost */
	bool wants;
	int64_t next_ms;
	/* Its request. */
	enum flight flight;
	enum stake_step step;
	int64_t sent_ms, arrives_ms;
	bool is_lost;     /* the answer */
	int64_t version;  /* precondition */
	bool is_stored;   /* what it wrote */
	struct lease got; /* the answer */
	bool has_lease;
	char got_version[24];
	/* A member's. */
	struct stake stake;
	/* A replica's, as client-go has them. */
	int64_t seen_version, seen_ms, seen_duration_ms, renewed_ms;
	int seen_holder;
	bool leads;
};

static struct {
	struct random random;
	int64_t now_ms;
	int64_t version; /* 0: no Lease */
	int holder;      /* an actor; MEMBERS and above: a replica; -1: nobody */
	int duration_s;
	struct actor actors[ACTORS];
	int64_t foreign_ms, ring_ms; /* how long each worked */
} sea;

static int roll(int n)
{
	return random_below(&sea.random, n);
}

static const char *holder_name(int holder)
{
	static const char *const replicas[] = { "pod_1", "pod_2" };

	if (holder < 0)
		return "";
	return holder < MEMBERS ? RING : replicas[holder - MEMBERS];
}

static struct stake_question question_of(const struct actor *actor)
{
	struct stake_question question = wanted;

	question.is_wanted = actor->wants;
	question.is_in_charge = actor == &sea.actors[0];
	question.now_ms = sea.now_ms;
	return question;
}

static void send(struct actor *actor, enum stake_step step, int64_t version)
{
	if (step == STAKE_REST)
		return;
	actor->flight = actor->is_cut ? FLIGHT_BACK : FLIGHT_THERE;
	actor->step = step;
	actor->version = version;
	actor->sent_ms = sea.now_ms;
	actor->arrives_ms = sea.now_ms + 1 + (roll(4) ? roll(50) : roll(DELAY_MS));
	actor->is_lost = actor->is_cut || roll(20) == 0;
}

static void arrive(struct actor *actor)
{
	bool is_write = actor->step != STAKE_READ;

	actor->is_stored = is_write && actor->version == sea.version;
	if (actor->is_stored) {
		const struct stake_question question = question_of(actor);
		bool gives_up = actor->step == STAKE_GIVE_UP;

		sea.holder = gives_up ? -1 : (int)(actor - sea.actors);
		sea.version++;
		sea.duration_s =
			gives_up ? 1
			: actor->is_replica
				? 15
				: (int)(stake_duration_ms(&actor->stake, &question) /
					1000);
	}
	snprintf(actor->got_version, sizeof(actor->got_version), "%" PRId64,
		 sea.version);
	actor->has_lease = sea.version > 0;
	actor->got =
		lease_of(holder_name(sea.holder), actor->got_version, sea.duration_s);
	actor->flight = FLIGHT_BACK;
	actor->arrives_ms = sea.now_ms + 1 + (roll(4) ? roll(50) : roll(DELAY_MS));
}

static void replica_see(struct actor *actor)
{
	int64_t version = strtoll(actor->got_version, NULL, 10);

	if (version != actor->seen_version) {
		actor->seen_version = version;
		actor->seen_ms = sea.now_ms;
	}
	actor->seen_duration_ms = actor->got.duration_s * 1000;
	actor->seen_holder = -1;
	for (int i = 0; i < ACTORS; i++)
		if (slice_is(actor->got.holder, holder_name(i)))
			actor->seen_holder = i;
}

static void answer(struct actor *actor)
{
	bool is_write = actor->step != STAKE_READ;

	actor->flight = FLIGHT_NONE;
	actor->next_ms = sea.now_ms + (actor->is_replica ? RETRY_MS : 2500);
	if (actor->is_lost ||
	    (actor->is_replica && sea.now_ms - actor->sent_ms > TIMEOUT_MS))
		return;
	if (is_write && !actor->is_stored) {
		send(actor, STAKE_READ, 0);
		return;
	}
	if (!actor->is_replica) {
		see_answer(&actor->stake, actor->has_lease ? &actor->got : NULL,
			   is_write, actor->sent_ms, sea.now_ms);
		return;
	}
	replica_see(actor);
	if (is_write && actor->step != STAKE_GIVE_UP) {
		actor->leads = true;
		actor->renewed_ms = sea.now_ms;
	} else if (!is_write) {
		actor->next_ms = sea.now_ms; /* now it decides */
	}
}

static void replica_act(struct actor *actor)
{
	int self = (int)(actor - sea.actors);
	bool is_free = actor->seen_holder < 0 || actor->seen_holder == self ||
		       sea.now_ms - actor->seen_ms >= actor->seen_duration_ms;

	if (!actor->wants && actor->leads) {
		actor->leads = false;
		send(actor, STAKE_GIVE_UP, actor->seen_version);
	} else if (actor->wants && is_free &&
		   sea.now_ms - actor->sent_ms < TIMEOUT_MS) {
		send(actor, STAKE_TAKE, actor->seen_version);
	} else if (actor->wants) {
		send(actor, STAKE_READ, 0);
	}
	actor->next_ms = sea.now_ms + RETRY_MS;
}

static void member_act(struct actor *actor)
{
	const struct stake_question question = question_of(actor);

	send(actor, stake_next(&actor->stake, &question),
	     strtoll(actor->stake.version, NULL, 10));
	actor->next_ms = sea.now_ms + stake_beat_ms(&actor->stake, &question);
}

static void actor_step(struct actor *actor)
{
	/* What is under way goes on when its sender stands still. */
	if (actor->flight == FLIGHT_THERE && sea.now_ms >= actor->arrives_ms)
		arrive(actor);
	if (actor->is_stopped)
		return;
	/* A leader that cannot renew stops by itself. */
	if (actor->leads && sea.now_ms >= actor->renewed_ms + DEADLINE_MS)
		actor->leads = false;
	if (actor->flight == FLIGHT_BACK && sea.now_ms >= actor->arrives_ms)
		answer(actor);
	if (actor->flight == FLIGHT_NONE && sea.now_ms >= actor->next_ms) {
		if (actor->is_replica)
			replica_act(actor);
		else
			member_act(actor);
	}
}

static bool is_working(const struct actor *actor)
{
	const struct stake_question question = question_of(actor);

	if (actor->is_stopped)
		return false;
	return actor->is_replica
		       ? actor->leads
		       : sea.now_ms < stake_until_ms(&actor->stake, &question);
}

static void check_one_side_works(uint64_t seed)
{
	bool works[2] = { false, false };

	for (int i = 0; i < ACTORS; i++)
		works[sea.actors[i].is_replica] |= is_working(&sea.actors[i]);
	ck_assert_msg(!works[0] || !works[1], "seed %d: ring and replica work at %d ms",
		      (int)seed, (int)sea.now_ms);
	sea.ring_ms += works[0] * TICK_MS;
	sea.foreign_ms += works[1] * TICK_MS;
}

static void history(uint64_t seed)
{
	memset(&sea, 0, sizeof(sea));
	sea.random.state = seed;
	sea.holder = -1;
	for (int i = 0; i < ACTORS; i++) {
		sea.actors[i].is_replica = i >= MEMBERS;
		sea.actors[i].seen_holder = -1;
		sea.actors[i].wants = roll(2);
		sea.actors[i].next_ms = roll(1000);
	}
	for (; sea.now_ms < HISTORY_MS; sea.now_ms += TICK_MS) {
		if (roll(400) == 0) {
			struct actor *actor = &sea.actors[roll(ACTORS)];

			actor->is_stopped = !actor->is_stopped && roll(2);
		}
		if (roll(400) == 0) {
			struct actor *actor = &sea.actors[roll(ACTORS)];

			actor->is_cut = !actor->is_cut && roll(2);
		}
		if (roll(800) == 0)
			sea.actors[roll(ACTORS)].wants ^= 1;
		for (int i = 0; i < ACTORS; i++)
			actor_step(&sea.actors[i]);
		check_one_side_works(seed);
	}
}

START_TEST(one_writer_ring_and_replicas_never_work_together_in_random_histories)
{
	int64_t ring_ms = 0, foreign_ms = 0;

	for (uint64_t seed = 1; seed <= 50; seed++) {
		history(seed);
		ring_ms += sea.ring_ms;
		foreign_ms += sea.foreign_ms;
	}
	/* Both had their time. */
	ck_assert_int_gt(ring_ms, 200000);
	ck_assert_int_gt(foreign_ms, 200000);
}
END_TEST

START_TEST(lock_that_lasts_hardly_longer_than_the_margin_is_brief)
{
	static const struct {
		const char *holder;
		int duration_s;
		bool is_brief;
	} rows[] = {
		{ RING, 6, false },     { RING, 5, true }, { "pod_1", 5, true },
		{ "pod_1", 15, false }, { "", 1, false }, /* given up */
		{ RING, 0, false }, /* says nothing: ours counts */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct lease lease =
			lease_of(rows[i].holder, "7", rows[i].duration_s);
		struct stake stake = { 0 };

		ck_assert(!stake_is_brief(&stake, &wanted));
		see_answer(&stake, &lease, false, 1000, 1010);
		ck_assert_msg(stake_is_brief(&stake, &wanted) == rows[i].is_brief,
			      "%s, %d s", rows[i].holder, rows[i].duration_s);
	}
}
END_TEST

UNIT_MAIN("ring/stake", first_sight_of_a_lock_of_the_ring_proves_nothing,
	  change_proves_the_lock_from_the_read_before_it,
	  write_of_ours_proves_the_lock_from_when_it_was_sent,
	  lock_that_is_another_s_proves_nothing,
	  lock_is_asked_for_only_while_it_is_wanted,
	  foreign_lock_is_taken_once_it_stood_for_its_duration,
	  coordinator_renews_and_others_when_it_does_not,
	  last_one_gives_up_what_is_the_ring_s,
	  one_writer_ring_and_replicas_never_work_together_in_random_histories,
	  lock_that_lasts_hardly_longer_than_the_margin_is_brief)
