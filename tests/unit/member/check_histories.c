/*
 * Random histories: members come, crash, stop, come back, leave; calls are lost,
 * answered late or never; watches lag; the API server goes away; hands delete what
 * they should not. After every step the invariants of world.h must hold, and no
 * write may arrive for a bucket that was taken from its sender; a while after the
 * last fault, the ring must be whole and still.
 */
#include "tests/unit/member/world/world.h"

#define DURATION_MS 3000
#define RENEW_MS 1000
#define MARGIN_MS 600
#define STEPS 40
#define HISTORIES 20

/* --- writes on their way --- */

struct write {
	struct world_member *member;
	int64_t life; /* of its process */
	int bucket;
	char identity[IDENTITY_BYTES_MAX + 1];
};

static void write_drop(void *arg)
{
	free(arg);
}

static void write_on_answered(void *arg)
{
	struct write *write = arg;

	inflight_end(&write->member->ring.inflight, write->bucket);
	free(write);
}

/* It reaches the API server: is its bucket still its sender's? */
static void write_on_delivered(void *arg)
{
	struct write *write = arg;
	struct slice owner = world_owner(&world.stored, write->bucket);

	if (!slice_is(owner, write->identity))
		ck_abort_msg("one_writer: a write of %s arrives at bucket %d of %.*s",
			     write->identity, write->bucket, SLICE_ARGS(owner));
	if (write->member->is_up && write->member->life == write->life)
		world_event_add(write->member->loop, 1, write_on_answered, write_drop,
				write);
	else
		free(write);
}

/*
 * The fence lets one pass. It is delivered at once, mostly, or as late as the
 * design allows: a margin after its sender's right has ended.
 */
static void write_start(struct world_member *member)
{
	struct membership_report report;
	int bucket = server_roll(WORLD_BUCKETS);
	int64_t left_ms;
	struct write *write;

	if (!world_may_write(member, bucket))
		return;
	left_ms = member->ring.current->right_until_ms - world_time.now_ms;
	membership_report(member->membership, &report);
	write = calloc(1, sizeof(*write));
	*write = (struct write){ .member = member,
				 .life = member->life,
				 .bucket = bucket };
	snprintf(write->identity, sizeof(write->identity), "%s", report.identity);
	inflight_begin(&member->ring.inflight, bucket);
	world_event_add(NULL,
			server_roll(5) ? 3 : server_roll((int)left_ms + MARGIN_MS),
			write_on_delivered, write_drop, write);
}

/* --- faults --- */

static struct world_member *any_member(void)
{
	return &world.members[server_roll(world.members_n)];
}

static void fault_process(struct world_member *member)
{
	if (!member->is_up) {
		/* A twin lives as long as the other one does not. */
		world_start(member);
		return;
	}
	switch (server_roll(4)) {
	case 0:
		world_kill(member);
		return;
	case 1:
		if (!member->is_leaving && !member->loop->is_paused)
			world_part(member, server_roll(2), server_roll(3) * 500);
		return;
	case 2:
		member->loop->is_paused = true;
		return;
	case 3:
		member->loop->is_paused = false;
		return;
	}
}

static bool deletes_seat; /* in this history; else the assignment */

static void fault_hand(void)
{
	char path[256];
	struct stored *stored;

	snprintf(path, sizeof(path), WORLD_LEASES "/r.%s", any_member()->id);
	switch (server_roll(6)) {
	case 0:
	case 1:
		/* Not both: together they are all that remembers the epoch. */
		stored = server_find(deletes_seat ? WORLD_LEASES "/r"
						  : WORLD_ASSIGNMENT);
		break;
	case 2:
		stored = server_find(path);
		break;
	default:
		return;
	}
	if (stored && !world_server.is_down)
		server_remove(stored);
}

static void fault_network(void)
{
	switch (server_roll(5)) {
	case 0:
		world_server_stop();
		return;
	case 1:
		world_server.lost_percent = server_roll(30);
		world_server.answer_lost_percent = server_roll(30);
		world_server.late_percent = server_roll(30);
		world_server.refused_percent = server_roll(20);
		return;
	case 2:
		world_server.watch_lag_ms = 1 + server_roll(2 * DURATION_MS);
		world_server.latency_ms = 1 + server_roll(300);
		return;
	default:
		if (world_server.is_down)
			world_server_start(2000);
		world_server.lost_percent = world_server.answer_lost_percent = 0;
		world_server.late_percent = world_server.refused_percent = 0;
		world_server.watch_lag_ms = world_server.latency_ms = 4;
		return;
	}
}

static void fault_shards(void)
{
	world.conf.shards = 1 + server_roll(4);
	world.conf.generation++;
	for (int i = 0; i < world.members_n; i++) {
		struct world_member *member = &world.members[i];

		member->conf.shards = world.conf.shards;
		member->conf.generation = world.conf.generation;
		if (member->is_up && !member->loop->is_paused && server_roll(3))
			membership_reload(member->membership, &member->conf);
	}
}

static void fault(void)
{
	switch (server_roll(10)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		fault_process(any_member());
		return;
	case 5:
	case 6:
	case 7:
		fault_network();
		return;
	case 8:
		fault_hand();
		return;
	case 9:
		fault_shards();
		return;
	}
}

/* --- a history --- */

static void run_with_writes(int64_t ms)
{
	int64_t end_ms = world_time.now_ms + ms;

	while (world_time.now_ms < end_ms) {
		int64_t next_ms = world_time.now_ms + 1 + server_roll(200);

		while (world_step(next_ms < end_ms ? next_ms : end_ms))
			;
		write_start(any_member());
	}
}

static void history_begin(uint64_t seed)
{
	bool has_lock;

	world_begin(seed);
	world.conf.lease_duration_ms = DURATION_MS;
	world.conf.lease_renew_ms = RENEW_MS;
	world.conf.lease_margin_ms = MARGIN_MS;
	world.conf.shards = 1 + server_roll(4);
	deletes_seat = server_roll(3) == 0;
	has_lock = server_roll(2);
	for (int i = 0, n = 2 + server_roll(4); i < n; i++) {
		struct world_member *member =
			world_member((char[]){ (char)('a' + i), '\0' });

		if (server_roll(2))
			world_lock_file(member);
		if (has_lock)
			world_lock(member);
		if (server_roll(4))
			world_start(member);
	}
	if (server_roll(3) > 0)
		return;
	world_member("a"); /* a twin, on another host */
	if (has_lock)
		world_lock(&world.members[world.members_n - 1]);
}

/* Everything works again. */
static void history_heal(void)
{
	if (world_server.is_down)
		world_server_start(100);
	world_server.lost_percent = world_server.answer_lost_percent = 0;
	world_server.late_percent = world_server.refused_percent = 0;
	world_server.watch_lag_ms = world_server.latency_ms = 4;
	for (int i = 0; i < world.members_n; i++) {
		struct world_member *member = &world.members[i];

		if (member->is_up)
			member->loop->is_paused = false;
		if (member->is_up && !member->is_leaving)
			membership_reload(member->membership, &member->conf);
	}
}

static int64_t living_n(void)
{
	int64_t n = 0;

	for (int i = 0; i < world.members_n; i++) {
		const struct world_member *member = &world.members[i];
		bool is_twin = i > 0 && strcmp(member->id, "a") == 0 &&
			       world.members[0].is_up;

		n += member->is_up && !is_twin;
	}
	return n;
}

static void history_end(uint64_t seed)
{
	uint64_t epoch;
	int64_t expected;

	history_heal();
	run_with_writes((int64_t)10 * DURATION_MS);
	expected = living_n() < world.conf.shards ? living_n() : world.conf.shards;
	if (expected > 0) {
		ck_assert_msg(world_is_covered(), "full_coverage: seed %d", (int)seed);
		ck_assert_msg(world_active_n() == expected, "%d active of %d: seed %d",
			      world_active_n(), (int)expected, (int)seed);
		epoch = world.stored.epoch;
		run_with_writes((int64_t)4 * DURATION_MS);
		ck_assert_msg(world.stored.epoch == epoch, "restless: seed %d",
			      (int)seed);
	}
	world_end();
}

static void history(uint64_t seed)
{
	history_begin(seed);
	for (int i = 0; i < STEPS; i++) {
		run_with_writes(1 + server_roll(2 * DURATION_MS));
		fault();
	}
	history_end(seed);
}

/* HISTORY=n runs that one alone; WORLD_LOG=1 shows what its members say. */
START_TEST(one_writer_and_full_coverage_hold_in_random_histories)
{
	const char *only = getenv("HISTORY");

	if (only) {
		history((uint64_t)strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= HISTORIES; seed++)
		history(seed);
}
END_TEST

UNIT_MAIN("member/histories", one_writer_and_full_coverage_hold_in_random_histories)
