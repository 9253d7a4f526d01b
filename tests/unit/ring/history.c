#include "tests/unit/ring/history.h"

#include <string.h>

#include "tests/unit/ring/world.h"

const char *const lapses[LAPSES_N] = {
	[LAPSE_NONE] = "none",
	[LAPSE_NO_WRITE] = "no write before the floor",
	[LAPSE_FLOOR_EARLY] = "a floor while answers are open",
	[LAPSE_RELEASE_NOW] = "what left, as it is now",
	[LAPSE_ACQUIRE_NOW] = "what came, as it is now",
	[LAPSE_NAMELESS] = "no names of what came",
	[LAPSE_UNNOTED] = "positions of a move not noted",
	[LAPSE_BACK_AT_R] = "back at r behind frames of what is kept",
	[LAPSE_SEED_UNNOTED] = "first objects of a watch not noted",
};

struct history_counts history_counts;

/* --- what happens --- */

static void end_all(void)
{
	for (int i = 0; i < CLIENTS; i++)
		if (world.clients[i].is_connected)
			client_cut(&world.clients[i]);
}

static void change_view(void)
{
	struct view next = { .distrusts_positions = chance(12) == 0 };

	if (world.lapse != LAPSE_FLOOR_EARLY)
		end_all();
	if (!next.distrusts_positions && world.lapse != LAPSE_NO_WRITE)
		world_write_other(); /* our own write */
	if (chance(2))
		world_write_object(chance(OBJECTS));
	next.floor = world.now;
	if (world.lapse == LAPSE_FLOOR_EARLY) {
		world_write_object(chance(OBJECTS));
		for (int i = 0; i < CLIENTS; i++)
			if (world.clients[i].is_connected)
				client_deliver(&world.clients[i], true);
		end_all();
	}
	for (int i = 0; i < BUCKETS; i++)
		if (chance(2))
			bucket_set_add(&next.set, i);
	past_add(&world.past, &world.view, &next);
	if (world.past.views_n > 0 &&
	    !doubt_is_about(&world.doubt, world.past.views[0].floor)) {
		doubt_finish(&world.doubt);
		world.doubt = (struct doubt){ 0 };
	}
	world.view = next;
	world_tell("a view from %d on, %strusted, of", (int)next.floor,
		   next.distrusts_positions ? "not " : "");
	for (int i = 0; i < BUCKETS; i++)
		if (bucket_set_has(&next.set, i))
			world_tell(" %d", i);
	world_tell("\n");
}

static void step(uint64_t op)
{
	struct client *client;

	world.random.state = op;
	client = &world.clients[chance(CLIENTS)];
	switch (chance(12)) {
	case 0:
		change_view();
		return;
	case 1:
		if (client->is_connected && chance(2))
			client_pause(client);
		else if (client->is_connected)
			client_cut(client);
		return;
	case 2:
		if (client->is_connected)
			client_deliver(client, false), client_cut(client);
		return;
	case 3:
	case 4:
	case 5:
		world_write_object(chance(OBJECTS));
		return;
	default:
		client_act(client);
	}
	world_look(client);
}

static void begin(const struct history *history, enum lapse lapse)
{
	world.lapse = lapse;
	world.broken = NULL;
	world.shows_unlabelled = history->shows_unlabelled;
	world.relabels = history->relabels;
	world.now = 0;
	memset(world.states[0], 0, sizeof(world.states[0]));
	world_write_other();
	world.view = (struct view){ .floor = world.now };
	world.past = (struct past){ 0 };
	doubt_finish(&world.doubt);
	world.doubt = (struct doubt){ 0 };
	for (int i = 0; i < CLIENTS; i++) {
		newcomers_forget(&world.clients[i].newcomers);
		world.clients[i] = (struct client){ .has_bookmarks = i > 0 };
	}
}

const char *history_run(const struct history *history, enum lapse lapse)
{
	begin(history, lapse);
	/* An op writes four times at most. */
	for (int i = 0; i < history->n && !world.broken && world.now < VERSIONS - 4;
	     i++) {
		history_counts.steps++;
		step(history->ops[i]);
	}
	return world.broken;
}

/* --- histories --- */

void history_make(struct history *history, uint64_t seed)
{
	struct random random = { seed };

	history->shows_unlabelled = random_below(&random, 2);
	history->relabels = random_below(&random, 4) == 0;
	history->n = HISTORY_OPS;
	for (int i = 0; i < HISTORY_OPS; i++)
		history->ops[i] = random_next(&random);
}

/* Without `n` ops from there. */
static struct history without(const struct history *history, int from, int n)
{
	struct history less = *history;

	less.n -= n;
	memmove(less.ops + from, less.ops + from + n,
		(size_t)(less.n - from) * sizeof(less.ops[0]));
	return less;
}

/* Leaves out what it can, `n` ops at a time; whether that was something. */
static bool leave_out(struct history *history, int n, enum lapse lapse)
{
	bool is_less = false;

	for (int from = history->n - n; from >= 0; from -= n) {
		const struct history less = without(history, from, n);

		if (history_run(&less, lapse) == NULL)
			continue;
		*history = less;
		is_less = true;
	}
	return is_less;
}

void history_shrink(struct history *history, enum lapse lapse)
{
	for (int n = history->n / 2; n > 0; n /= 2)
		while (leave_out(history, n, lapse))
			;
}

void history_tell(const struct history *history, enum lapse lapse)
{
	world.is_told = true;
	(void)history_run(history, lapse);
	world.is_told = false;
}
