/*
 * A ring of members in one process, on a time and an API server of their own
 * (time.h, server.h), with the faults that real ones meet, and the invariants that
 * must hold after every single step:
 *
 *   one_writer     no two members may write to one bucket at one instant
 *   epochs rise    each stored assignment has a higher epoch than the one before,
 *		    unless a test wrote it.
 */
#ifndef RINGSIDE_UNIT_WORLD_H
#define RINGSIDE_UNIT_WORLD_H

#include <unistd.h>

#include "proxy/base/log.h"
#include "proxy/kube/lease.h"
#include "proxy/member/labeller.h"
#include "proxy/member/membership.h"
#include "tests/unit/member/world/calls.h"
#include "tests/unit/member/world/stubs.h"

#define WORLD_MEMBERS_MAX 8
#define WORLD_BUCKETS 64
#define WORLD_LEASES "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define WORLD_CONFIGMAPS "/api/v1/namespaces/ns/configmaps"
#define WORLD_ASSIGNMENT WORLD_CONFIGMAPS "/r-assignment"

struct world_member {
	char id[16];
	bool is_up;
	struct loop *loop;
	struct api api;
	struct member_conf conf;
	struct ring_spec spec;
	struct ring_holder ring;
	struct metrics *metrics;
	struct membership *membership;
	struct arena *arena;
	char lock_file[64]; /* "" for none */
	bool is_leaving, has_left;
	enum ring_state state;
	int64_t losses; /* of the right to write */
	int64_t life;   /* how many processes it has been */
	struct bucket_set shown[RESOURCE_ROLES_N];
	int64_t follows_ms[RESOURCE_ROLES_N]; /* when views are as shown */
};

static struct {
	struct world_member members[WORLD_MEMBERS_MAX];
	int members_n;
	struct member_conf conf;  /* of members that start */
	struct assignment stored; /* the newest in the API server that can be read */
	struct arena *stored_arena;
	int views_ms; /* how long views take to follow the ring, at most */
	bool was_written_by_test;
	uint64_t epochs;
	int64_t moves;
	int64_t published_ms;
} world;

/* --- one_writer --- */

static inline bool world_may_write(const struct world_member *member, int bucket)
{
	/* A paused one does not decide now; when it does, it looks at the clock. */
	return member->is_up && !member->loop->is_paused &&
	       ring_may_write(member->ring.current, bucket, world_time.now_ms);
}

static inline void world_check_bucket(int bucket)
{
	const struct world_member *writer = NULL;

	for (int i = 0; i < world.members_n; i++) {
		const struct world_member *member = &world.members[i];

		if (!world_may_write(member, bucket))
			continue;
		if (writer)
			ck_abort_msg(
				"one_writer: %s and %s may write to bucket %d at %d",
				writer->id, member->id, bucket, (int)world_time.now_ms);
		writer = member;
	}
}

static inline void world_check(void)
{
	for (int b = 0; b < WORLD_BUCKETS; b++)
		world_check_bucket(b);
}

static inline struct lease world_lease(struct arena *arena, const char *name,
				       bool *is_there)
{
	char path[256];
	struct stored *stored;
	struct lease lease = { 0 };

	snprintf(path, sizeof(path), WORLD_LEASES "/%s", name);
	stored = server_find(path);
	*is_there = stored;
	if (stored)
		ck_assert_int_eq(
			lease_of_json(&lease, json_read(arena, stored->text), NULL), 0);
	return lease;
}

static inline struct slice world_owner(const struct assignment *assignment, int bucket)
{
	int owner = assignment->epoch > 0 ? assignment->bucket[bucket].owner : -1;

	return owner < 0 ? slice_of(NULL) : assignment->members[owner];
}

/*
 * is_create: there was none. A create may be stored late, when its sender has long
 * written a newer one that was deleted since; who knows that goes on with it.
 */
static inline void world_on_assignment(const char *text, bool is_create)
{
	struct arena *arena = arena_create();
	struct assignment *next = arena_alloc(arena, sizeof(*next));
	const struct json *object = json_read(arena, text);

	if (assignment_parse(next, arena, &world.members[0].spec,
			     json_get(object, "data"), NULL) < 0 ||
	    world.was_written_by_test ||
	    (is_create && next->epoch > 1 && next->epoch <= world.stored.epoch)) {
		arena_destroy(arena);
		return;
	}
	ck_assert_msg(next->epoch > world.stored.epoch,
		      "epoch %" PRIu64 " after %" PRIu64, next->epoch,
		      world.stored.epoch);
	for (int b = 0; b < next->buckets && b < WORLD_BUCKETS; b++) {
		struct slice from = world_owner(&world.stored, b);

		if (slice_eq(from, world_owner(next, b)))
			continue;
		world.moves++;
	}
	arena_destroy(world.stored_arena);
	world.stored_arena = arena;
	world.stored = *next;
	world.epochs++;
	world.published_ms = world_time.now_ms;
}

static inline void world_on_stored(const char *path, const char *former,
				   const char *text)
{
	if (text && strcmp(path, WORLD_ASSIGNMENT) == 0)
		world_on_assignment(text, !former);
}

/* --- members --- */

static inline void world_spec_init(struct world_member *member)
{
	member->arena = arena_create();
	member->spec = (struct ring_spec){ .ring = SLICE_LITERAL("r"),
					   .buckets = WORLD_BUCKETS,
					   .resources_n = 1 };
	member->spec.resources[0] =
		(struct ring_resource){ .group = SLICE_LITERAL("g"),
					.resource = SLICE_LITERAL("foos"),
					.owner = -1 };
	ring_spec_seal(&member->spec, member->arena);
}

/* --- views --- */

static inline bool world_views_follow(void *arg, enum resource_role role)
{
	const struct world_member *member = arg;

	return world_time.now_ms >= member->follows_ms[role];
}

static inline void world_on_view(void *arg)
{
	struct world_member *member = arg;

	membership_on_views(member->membership);
}

static inline void world_on_view_dropped(void *arg)
{
}

static inline void world_on_ring(void *arg)
{
	struct world_member *member = arg;
	enum ring_state state = member->ring.current->state;

	member->losses += state != member->state && state == RING_RIGHT_LOST;
	member->state = state;
	for (int role = 0; role < RESOURCE_ROLES_N; role++) {
		const struct bucket_set *shown = &member->ring.current->shown[role];
		int64_t wait_ms = server_roll(world.views_ms);

		if (bucket_set_is_equal(shown, &member->shown[role]))
			continue;
		member->shown[role] = *shown;
		member->follows_ms[role] = world_time.now_ms + wait_ms;
		world_event_add(member->loop, wait_ms, world_on_view,
				world_on_view_dropped, member);
	}
}

/* A process starts. Its spec and conf may have been changed since world_member. */
static inline void world_start(struct world_member *member)
{
	member->is_up = true;
	member->life++;
	member->is_leaving = member->has_left = false;
	member->loop = loop_create();
	member->api.loop = member->loop;
	member->metrics = metrics_create();
	ring_holder_init(&member->ring, &member->spec);
	member->ring.on_change = world_on_ring;
	member->ring.arg = member;
	memset(member->shown, 0, sizeof(member->shown));
	member->membership = membership_create(&(struct membership_env){
		.loop = member->loop,
		.api = &member->api,
		.spec = &member->spec,
		.conf = &member->conf,
		.ring = &member->ring,
		.metrics = member->metrics,
		.views = { .follow = world_views_follow, .arg = member },
	});
}

/* A new member, not started. */
static inline struct world_member *world_member(const char *id)
{
	struct world_member *member = &world.members[world.members_n++];

	ck_assert_int_le(world.members_n, WORLD_MEMBERS_MAX);
	*member = (struct world_member){ .conf = world.conf };
	snprintf(member->id, sizeof(member->id), "%s", id);
	member->conf.id = member->id;
	member->conf.namespace = "ns";
	member->conf.lock_file = member->lock_file;
	world_spec_init(member);
	return member;
}

/* Its controller elects a leader by the Lease `lock`. */
static inline void world_lock(struct world_member *member)
{
	member->spec.locks[0] = (struct ring_lock){ .namespace = SLICE_LITERAL("ns"),
						    .name = SLICE_LITERAL("lock") };
	member->spec.locks_n = 1;
	ring_spec_seal(&member->spec, member->arena);
}

/* It has a disk of its own. */
static inline void world_lock_file(struct world_member *member)
{
	snprintf(member->lock_file, sizeof(member->lock_file),
		 "/tmp/ringside-check-%d-%d", (int)getpid(),
		 (int)(member - world.members));
}

/* SIGKILL, or the end of a process. */
static inline void world_kill(struct world_member *member)
{
	if (!member->is_up)
		return;
	member->is_up = false;
	metrics_destroy(member->metrics);
	membership_destroy(member->membership);
	world_loop_kill(member->loop);
	ring_holder_finish(&member->ring);
}

static inline void world_on_left(void *arg)
{
	struct world_member *member = arg;

	ck_assert(!member->has_left);
	member->has_left = true;
}

static inline void world_part(struct world_member *member, bool keeps,
			      int64_t timeout_ms)
{
	member->is_leaving = true;
	membership_leave(member->membership,
			 &(struct membership_parting){ .keeps = keeps,
						       .timeout_ms = timeout_ms,
						       .on_left = world_on_left,
						       .arg = member });
}

/* SIGTERM. */
static inline void world_leave(struct world_member *member, int64_t timeout_ms)
{
	world_part(member, false, timeout_ms);
}

/* SIGTERM of the proxy alone. */
static inline void world_keep(struct world_member *member, int64_t timeout_ms)
{
	world_part(member, true, timeout_ms);
}

static inline struct world_member *world_members(int n)
{
	for (int i = 0; i < n; i++)
		world_start(world_member((char[]){ (char)('a' + i), '\0' }));
	return world.members;
}

/* --- running --- */

static inline bool world_step(int64_t end_ms)
{
	bool has_run = world_time_step(end_ms);

	world_check();
	for (int i = 0; i < world.members_n; i++)
		if (world.members[i].has_left)
			world_kill(&world.members[i]);
	return has_run;
}

static inline void world_run(int64_t ms)
{
	int64_t end_ms = world_time.now_ms + ms;

	while (world_step(end_ms))
		;
}

/* How many members are up and own buckets. */
static inline int world_active_n(void)
{
	int n = 0;

	for (int i = 0; i < world.members_n; i++)
		n += world.members[i].is_up &&
		     world.members[i].ring.current->state == RING_ACTIVE;
	return n;
}

/* Every bucket has one member that may write to it: full_coverage. */
static inline bool world_is_covered(void)
{
	for (int b = 0; b < WORLD_BUCKETS; b++) {
		int writers = 0;

		for (int i = 0; i < world.members_n; i++)
			writers += world_may_write(&world.members[i], b);
		if (writers != 1)
			return false;
	}
	return true;
}

/* Runs until that holds; how long it took, or fails after max_ms. */
static inline int64_t world_run_until(bool (*holds)(void), int64_t max_ms)
{
	int64_t begin_ms = world_time.now_ms;

	while (!holds()) {
		ck_assert_msg(world_time.now_ms - begin_ms <= max_ms,
			      "not within %d ms", (int)max_ms);
		world_step(begin_ms + max_ms + 1);
	}
	return world_time.now_ms - begin_ms;
}

static inline void world_begin(uint64_t seed)
{
	const char *level = getenv("WORLD_LOG");

	log_open(level ? STDERR_FILENO : -1, LOG_LEVEL_DEBUG);
	memset(&world, 0, sizeof(world));
	world_time_begin();
	world_server_begin(seed);
	world_server.on_stored = world_on_stored;
	world.stored_arena = arena_create();
	world.conf = (struct member_conf){ .shards = 3,
					   .lease_duration_ms = 15000,
					   .lease_renew_ms = 5000,
					   .lease_margin_ms = 3000,
					   .handover_quiet_ms = 10,
					   .handover_settle_ms = 10,
					   .handover_batch_ms = 25,
					   .handover_drain_timeout_ms = 2000 };
	world.views_ms = 10;
}

static inline void world_end(void)
{
	for (int i = 0; i < world.members_n; i++) {
		world_kill(&world.members[i]);
		arena_destroy(world.members[i].arena);
		if (world.members[i].lock_file[0])
			unlink(world.members[i].lock_file);
	}
	world_time_end();
	world_server_end();
	arena_destroy(world.stored_arena);
}

/* --- what tests begin with and look at --- */

/* Three active members that have settled. */
static inline struct world_member *world_settled(uint64_t seed)
{
	struct world_member *members;

	world_begin(seed);
	members = world_members(3);
	world_run_until(world_is_covered, 1000);
	world_run(12000);
	return members;
}

static inline void world_expect_reason(const struct world_member *member,
				       const char *part)
{
	ck_assert_msg(strstr(member->ring.current->reason, part), "the reason is '%s'",
		      member->ring.current->reason);
}

static inline struct world_member *world_coordinator(void)
{
	struct arena *arena = arena_create();
	bool is_there;
	struct lease seat = world_lease(arena, "r", &is_there);
	struct world_member *found = NULL;

	for (int i = 0; i < world.members_n; i++)
		if (seat.holder.len > 0 &&
		    seat.holder.data[0] == world.members[i].id[0])
			found = &world.members[i];
	arena_destroy(arena);
	ck_assert_ptr_nonnull(found);
	return found;
}

static inline struct world_member *world_another(const struct world_member *than)
{
	return than == &world.members[0] ? &world.members[1] : &world.members[0];
}

static inline void world_put_text(const char *path, const char *text)
{
	struct arena *arena = arena_create();

	world.was_written_by_test = true;
	server_put(path, json_read(arena, text));
	world.was_written_by_test = false;
	arena_destroy(arena);
}

#endif
