/*
 * An API server in memory, as far as membership uses one: Leases and ConfigMaps
 * with resourceVersions, uids and preconditions; watches that lag (calls.h has
 * the calls). It replaces proxy/net/reflector.c by defining the same functions.
 */
#ifndef RINGSIDE_UNIT_WORLD_SERVER_H
#define RINGSIDE_UNIT_WORLD_SERVER_H

#include <inttypes.h>

#include "proxy/net/reflector.h"
#include "tests/unit/member/world/json.h"
#include "tests/unit/member/world/time.h"
#include "tests/unit/ring/random.h"

struct stored {
	struct list node;
	char *path; /* of the object */
	char *uid;
	uint64_t version;
	char *text;
};

/* A reflector: what it is to be told, in order. */
struct reflector {
	struct list node;
	struct loop *loop;
	const struct reflector_events *events;
	struct reflector_events copy;
	void *arg;
	char *path;        /* of the collection */
	char *label_value; /* of LEASE_LABEL_RING; NULL: any */
	int64_t told_ms;   /* when the last thing that is under way arrives */
	bool is_broken;    /* by an outage; lists again after it */
	int refs;          /* events that are under way, and itself */
	bool is_dead;
};

struct tidings {
	struct reflector *reflector;
	enum { TIDINGS_LIST, TIDINGS_OBJECT, TIDINGS_GONE, TIDINGS_SYNCED } what;
	char *text;
};

static struct {
	struct random random;
	struct list objects;
	struct list reflectors;
	uint64_t version;
	bool is_down;
	/* In a hundred calls. */
	int lost_percent, answer_lost_percent, late_percent, refused_percent;
	int latency_ms;   /* one way, at most */
	int watch_lag_ms; /* at most */
	/* Called after each change of an object, before anybody is told. */
	void (*on_stored)(const char *path, const char *former, const char *text);
	uint64_t writes;
} world_server;

static inline int server_roll(int n)
{
	return n > 0 ? random_below(&world_server.random, n) : 0;
}

/* --- reflectors --- */

static inline void reflector_unref(void *arg)
{
	struct reflector *reflector = arg;

	if (--reflector->refs > 0)
		return;
	free(reflector->path);
	free(reflector->label_value);
	free(reflector);
}

static inline void tidings_free(void *arg)
{
	struct tidings *tidings = arg;

	reflector_unref(tidings->reflector);
	free(tidings->text);
	free(tidings);
}

static inline void tidings_arrive(void *arg)
{
	struct tidings *tidings = arg;
	struct reflector *reflector = tidings->reflector;
	struct arena *arena = arena_create();
	struct json *object = tidings->text ? json_read(arena, tidings->text) : NULL;

	if (!reflector->is_dead) {
		switch (tidings->what) {
		case TIDINGS_LIST:
			reflector->events->on_list(reflector->arg);
			break;
		case TIDINGS_OBJECT:
			reflector->events->on_object(reflector->arg, object);
			break;
		case TIDINGS_GONE:
			reflector->events->on_gone(reflector->arg, object);
			break;
		case TIDINGS_SYNCED:
			reflector->events->on_synced(reflector->arg);
			break;
		}
	}
	arena_destroy(arena);
	tidings_free(tidings);
}

static inline void reflector_tell(struct reflector *reflector, int what,
				  const char *text)
{
	struct tidings *tidings = calloc(1, sizeof(*tidings));
	int64_t at_ms = world_time.now_ms + 1 + server_roll(world_server.watch_lag_ms);

	if (at_ms < reflector->told_ms)
		at_ms = reflector->told_ms;
	reflector->told_ms = at_ms;
	reflector->refs++;
	*tidings = (struct tidings){ .reflector = reflector,
				     .what = what,
				     .text = text ? strdup(text) : NULL };
	world_event_add(reflector->loop, at_ms - world_time.now_ms, tidings_arrive,
			tidings_free, tidings);
}

static inline bool reflector_wants(const struct reflector *reflector,
				   const struct stored *stored)
{
	size_t n = strlen(reflector->path);
	bool wants = strncmp(stored->path, reflector->path, n) == 0 &&
		     stored->path[n] == '/';
	struct arena *arena = arena_create();
	const struct json *labels =
		json_at(json_read(arena, stored->text), "metadata.labels");
	const struct json *label = json_get(labels, "ringside.dev/ring");

	if (reflector->label_value)
		wants = wants && label && slice_is(label->text, reflector->label_value);
	arena_destroy(arena);
	return wants;
}

static inline void reflector_list(struct reflector *reflector)
{
	reflector->is_broken = false;
	reflector_tell(reflector, TIDINGS_LIST, NULL);
	LIST_EACH(node, &world_server.objects) {
		struct stored *stored = LIST_OWNER(node, struct stored, node);

		if (reflector_wants(reflector, stored))
			reflector_tell(reflector, TIDINGS_OBJECT, stored->text);
	}
	reflector_tell(reflector, TIDINGS_SYNCED, NULL);
}

struct reflector *reflector_create(const struct api *api,
				   const struct reflector_source *source,
				   const struct reflector_events *events, void *arg)
{
	struct reflector *reflector = calloc(1, sizeof(*reflector));
	const char *value = source->selector ? strchr(source->selector, '=') : NULL;

	reflector->refs = 1;
	reflector->loop = api->loop;
	reflector->copy = *events;
	reflector->events = &reflector->copy;
	reflector->arg = arg;
	reflector->path = strdup(source->path);
	reflector->label_value = value ? strdup(value + 1) : NULL;
	list_add(&world_server.reflectors, &reflector->node);
	if (world_server.is_down)
		reflector->is_broken = true;
	else
		reflector_list(reflector);
	return reflector;
}

void reflector_destroy(struct reflector *reflector)
{
	if (!reflector)
		return;
	list_remove(&reflector->node);
	reflector->is_dead = true;
	reflector_unref(reflector);
}

/* --- objects --- */

static inline struct stored *server_find(const char *path)
{
	LIST_EACH(node, &world_server.objects) {
		struct stored *stored = LIST_OWNER(node, struct stored, node);

		if (strcmp(stored->path, path) == 0)
			return stored;
	}
	return NULL;
}

static inline void server_tell(const struct stored *stored, int what)
{
	LIST_EACH(node, &world_server.reflectors) {
		struct reflector *reflector = LIST_OWNER(node, struct reflector, node);

		if (!reflector->is_broken && reflector_wants(reflector, stored))
			reflector_tell(reflector, what, stored->text);
	}
}

static inline void server_remove(struct stored *stored)
{
	struct arena *arena = arena_create();
	char *last = json_stamp(json_read(arena, stored->text), stored->uid,
				++world_server.version);

	free(stored->text);
	stored->text = last;
	list_remove(&stored->node);
	server_tell(stored, TIDINGS_GONE);
	if (world_server.on_stored)
		world_server.on_stored(stored->path, stored->text, NULL);
	arena_destroy(arena);
	free(stored->path);
	free(stored->uid);
	free(stored->text);
	free(stored);
}

static inline struct stored *server_put(const char *path, const struct json *object)
{
	struct stored *stored = server_find(path);
	char *former = NULL;

	world_server.version++;
	if (!stored) {
		stored = calloc(1, sizeof(*stored));
		stored->path = strdup(path);
		if (asprintf(&stored->uid, "uid-%" PRIu64, world_server.version) < 0)
			abort();
		list_add(&world_server.objects, &stored->node);
	} else {
		former = stored->text;
	}
	stored->version = world_server.version;
	stored->text = json_stamp(object, stored->uid, stored->version);
	if (world_server.on_stored)
		world_server.on_stored(path, former, stored->text);
	free(former);
	server_tell(stored, TIDINGS_OBJECT);
	return stored;
}

/* --- life --- */

static inline void world_server_begin(uint64_t seed)
{
	memset(&world_server, 0, sizeof(world_server));
	world_server.random.state = seed;
	world_server.latency_ms = 4;
	world_server.watch_lag_ms = 4;
	world_server.version = 1000;
	list_init(&world_server.objects);
	list_init(&world_server.reflectors);
}

static inline void world_server_stop(void)
{
	world_server.is_down = true;
	LIST_EACH(node, &world_server.reflectors)
		LIST_OWNER(node, struct reflector, node)->is_broken = true;
}

static inline void world_server_relist(void *arg)
{
	struct reflector *reflector = arg;

	if (!reflector->is_dead && !world_server.is_down)
		reflector_list(reflector);
	reflector_unref(reflector);
}

/* Watches come back after a backoff. */
static inline void world_server_start(int backoff_ms)
{
	world_server.is_down = false;
	LIST_EACH(node, &world_server.reflectors) {
		struct reflector *reflector = LIST_OWNER(node, struct reflector, node);

		reflector->refs++;
		world_event_add(NULL, 1 + server_roll(backoff_ms), world_server_relist,
				reflector_unref, reflector);
	}
}

static inline void world_server_end(void)
{
	LIST_EACH(node, &world_server.objects) {
		struct stored *stored = LIST_OWNER(node, struct stored, node);

		list_remove(node);
		free(stored->path);
		free(stored->uid);
		free(stored->text);
		free(stored);
	}
}

#endif
