#include "tests/unit/ring/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct world world;

void world_tell(const char *format, ...)
{
	va_list args;

	if (!world.is_told)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void world_break(const char *rule)
{
	if (world.broken == NULL)
		world.broken = rule;
}

/* --- the API server --- */

void world_write_other(void)
{
	world.now++;
	memcpy(world.states[world.now], world.states[world.now - 1],
	       sizeof(world.states[0]));
	world.changed[world.now] = -1;
}

void world_write_object(int object)
{
	struct state *state;
	bool is_there = true;

	world_write_other();
	world.changed[world.now] = object;
	state = &world.states[world.now][object];
	if (state->version == 0)
		*state = (struct state){ world.now,
					 chance(2) ? UNLABELLED : chance(BUCKETS),
					 world.now };
	else if ((world.relabels && chance(8) == 0) ||
		 (state->bucket == UNLABELLED && chance(2)))
		state->bucket = chance(BUCKETS);
	else if (chance(4) == 0)
		is_there = false;
	state->version = is_there ? world.now : 0;
	world_tell("%d: object %d %s, bucket %d\n", (int)world.now, object,
		   state->version ? "is written" : "is deleted", state->bucket);
}

bool world_shows(const struct state *state)
{
	if (state->version == 0)
		return false;
	return state->bucket == UNLABELLED
		       ? world.shows_unlabelled
		       : bucket_set_has(&world.view.set, state->bucket);
}

/* The object at that time, as the view shows it; version 0: it does not. */
struct state world_shown_at(int object, uint64_t when)
{
	const struct state *state = &world.states[when][object];

	return world_shows(state) ? *state : (struct state){ 0 };
}

/* --- the oracle --- */

void world_look(const struct client *client)
{
	if (!client->is_connected || !client->is_settled ||
	    client->next < client->holds)
		return;
	for (int i = 0; i < OBJECTS; i++) {
		struct state want = world_shown_at(i, client->next);

		if (client->cache[i].version == want.version)
			continue;
		world_tell(
			"client %d holds object %d at %d, and the view at %d has %d\n",
			client_number(client), i, (int)client->cache[i].version,
			(int)client->next, (int)want.version);
		world_break("a cache differs from the view");
	}
}

/*
 * A frame up to F about an object in a bucket that came, and not there any more at F:
 * that its client did not hold it cannot be told from the frame.
 */
static bool is_passing(const struct client *client, const struct state *state)
{
	const struct newcomers *newcomers = &client->newcomers;

	return state->version <= newcomers->floor && state->bucket != UNLABELLED &&
	       bucket_set_has(&newcomers->acquired, state->bucket);
}

static const char *broken_rule(const struct client *client, enum watch_event_type type,
			       const struct state *held, const struct state *state)
{
	bool is_known = held->version > 0;

	if (is_known && state->version < held->version)
		return "a version goes back";
	/*
	 * One without a label is visible to all: it may come to who has it. So may
	 * another one of its name.
	 */
	if (type == WATCH_ADDED && is_known && held->bucket != UNLABELLED &&
	    held->born == state->born)
		return "ADDED of what is known";
	if (type == WATCH_MODIFIED && !is_known)
		return "MODIFIED of what is not known";
	if (type == WATCH_DELETED && !is_known && !is_passing(client, state))
		return "DELETED of what is not known";
	return NULL;
}

void world_read(struct client *client, enum watch_event_type type, int object,
		struct state state)
{
	static const char *const names[] = {
		[WATCH_ADDED] = "ADDED",
		[WATCH_MODIFIED] = "MODIFIED",
		[WATCH_DELETED] = "DELETED",
	};
	struct state *held = &client->cache[object];
	const char *broken = broken_rule(client, type, held, &state);

	world_tell("  client %d: %s object %d at %d\n", client_number(client),
		   names[type], object, (int)state.version);
	if (broken != NULL && !client->is_seeded && !client->repeats && !world.relabels)
		world_break(broken);
	client->position = client->last = state.version;
	*held = type == WATCH_DELETED ? (struct state){ 0 } : state;
}
