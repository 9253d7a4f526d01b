#include "tests/unit/ring/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How far behind an API server that is asked for "any" version may be. */
#define LAG_MAX 40

/* --- what the member asks of the decisions --- */

static struct slice text_of(uint64_t version, char text[24])
{
	return slice_make(text, (size_t)sprintf(text, "%" PRIu64, version));
}

/* A token as kube-apiserver's, of a list of that version. */
static struct slice token_of(uint64_t version, char token[128])
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
				     "xyz0123456789-_";
	char plain[64];
	/* Whole groups of three bytes. */
	int n = sprintf(plain,
			"{\"v\":\"meta.k8s.io/v1\",\"rv\":%6" PRIu64
			",\"start\":\"a/b\"}",
			version);
	char *at = token;

	for (int i = 0; i + 2 < n; i += 3) {
		unsigned group = (unsigned char)plain[i] << 16 |
				 (unsigned char)plain[i + 1] << 8 |
				 (unsigned char)plain[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*at++ = digits[group >> shift & 63];
	}
	return slice_make(token, (size_t)(at - token));
}

/* The version that it is answered with, at least; 0: any; false: not at all. */
static bool ask(const struct view_question *question, enum view_verdict *verdict,
		uint64_t *version)
{
	struct view_answer answer;

	*verdict = view_ask(&world.view, question, &answer);
	*version = world.now;
	if (question->version.len > 0)
		(void)slice_to_u64(question->version, version);
	if (answer.sets_version && slice_to_u64(slice_of(answer.version), version) != 0)
		*version = world.now;
	return *verdict != VIEW_EXPIRED;
}

/* A version that an API server may answer with that is asked for none below this. */
static uint64_t lag(uint64_t least)
{
	uint64_t oldest = world.now > LAG_MAX ? world.now - LAG_MAX : 1;

	if (least == 0)
		least = oldest;
	return least < world.now
		       ? least + (uint64_t)chance((int)(world.now - least) + 1)
		       : world.now;
}

/* --- clients --- */

static void holds_all(struct client *client, uint64_t version)
{
	newcomers_forget(&client->newcomers);
	*client = (struct client){ .position = version,
				   .last = version,
				   .start = version,
				   .next = version,
				   .is_connected = true,
				   .is_settled = true,
				   .has_bookmarks = client->has_bookmarks };
	for (int i = 0; i < OBJECTS; i++)
		client->cache[i] = world_shown_at(i, version);
	world_tell("client %d holds all as of %d\n", client_number(client),
		   (int)version);
}

/* A WATCH without a position: the objects come first, in no order of versions. */
static void seed(struct client *client)
{
	struct view_question question = { .is_watch = true, .has_version = chance(2) };
	enum view_verdict verdict;
	uint64_t version;

	if (question.has_version && chance(2))
		question.version = SLICE_LITERAL("0");
	if (!ask(&question, &verdict, &version)) {
		world_break("a WATCH without a position is expired");
		return;
	}
	holds_all(client, question.version.len > 0 && verdict == VIEW_PASS
				  ? lag(version)
				  : version);
	client->holds = client->next;
	for (int i = 0; i < OBJECTS; i++) {
		if (client->cache[i].version == 0)
			continue;
		if (world.lapse != LAPSE_SEED_UNNOTED)
			doubt_seed(&world.doubt, client->cache[i].version);
		client->position = client->cache[i].version;
	}
	client->is_seeded = true;
	history_counts.seeded++;
}

/* A list, or a watch that sends the state first and then a bookmark. */
static void list(struct client *client)
{
	static const char *const matches[] = { "", "NotOlderThan", "Exact" };
	char text[24];
	struct view_question question = {
		.is_watch = chance(4) == 0,
		.has_version = true,
		.match = slice_of(matches[chance(3)]),
	};
	bool is_exact = slice_is(question.match, "Exact");
	enum view_verdict verdict;
	uint64_t version;

	question.sends_initial_events = question.is_watch;
	/* Exactly 0 is no version. */
	if (chance(2) && client->last > 0)
		question.version = text_of(client->last, text);
	else if (!is_exact && chance(2))
		question.version = SLICE_LITERAL("0");
	if (!ask(&question, &verdict, &version)) {
		client->last = 0;
		return;
	}
	if (is_exact && !question.is_watch)
		holds_all(client, version);
	else
		holds_all(client, question.version.len > 0 ? lag(version) : version);
}

static void next_page(struct client *client)
{
	char text[128];
	const struct view_question question = { .token = token_of(client->page, text) };
	enum view_verdict verdict;
	uint64_t version = client->page;
	struct state first[OBJECTS];

	if (!ask(&question, &verdict, &version)) {
		client->page = 0;
		return;
	}
	history_counts.pages++;
	memcpy(first, client->cache, sizeof(first));
	holds_all(client, client->page);
	memcpy(client->cache, first, OBJECTS / 2 * sizeof(first[0]));
}

static void list_anew(struct client *client)
{
	history_counts.told++;
	client->position = 0;
	switch (chance(6)) {
	case 0:
		seed(client);
		return;
	case 1: /* the first page */
		holds_all(client, world.now);
		client->page = world.now;
		client->is_connected = false;
		client->position = 0;
		return;
	default:
		list(client);
	}
}

static bool is_left_out(struct client *client, const struct newcomer_event *event)
{
	int rc = newcomers_leave_out(&client->newcomers, event);

	if (rc < 0)
		world_break("too many names");
	history_counts.dropped += rc > 0;
	return rc == 1;
}

/* The event of version v, if the watch has one. */
static bool event_at(struct client *client, uint64_t v, enum watch_event_type *type)
{
	int object = world.changed[v];
	const struct state *before, *after;

	if (object < 0)
		return false;
	before = &world.states[v - 1][object];
	after = &world.states[v][object];
	if (!world_shows(before) && !world_shows(after))
		return false;
	*type = !world_shows(before) ? WATCH_ADDED
		: world_shows(after) ? WATCH_MODIFIED
				     : WATCH_DELETED;
	return !is_left_out(
		client,
		&(struct newcomer_event){
			.type = *type,
			.version = v,
			.object = (uint64_t)object,
			.bucket = (*type == WATCH_DELETED ? before : after)->bucket,
		});
}

static struct state at_version(uint64_t v, int object)
{
	struct state state = world.states[v][object];

	state.version = v;
	return state;
}

/* The next event of its watch; a bookmark where there is none. */
void client_deliver(struct client *client, bool is_read)
{
	while (client->next < world.now) {
		uint64_t v = ++client->next;
		enum watch_event_type type;

		if (!event_at(client, v, &type))
			continue;
		if (v < world.view.floor && world.lapse != LAPSE_UNNOTED)
			doubt_note(&world.doubt, v);
		if (!is_read)
			return;
		client->is_past_r = true;
		world_read(client, type, world.changed[v],
			   at_version(v, world.changed[v]));
		break;
	}
	if (is_read && client->next == world.now && client->has_bookmarks)
		client->position = client->last = world.now;
	if (client->next < world.view.floor || client->is_settled)
		return;
	client->is_settled = true;
	client->repeats = false;
	history_counts.settled++;
}

void client_cut(struct client *client)
{
	world_tell("client %d is cut off at %d\n", client_number(client),
		   (int)client->position);
	client->repeats |= client->is_moved && !client->is_past_r &&
			   client->position == client->start;
	client->is_connected = false;
	client->is_settled = false;
	newcomers_forget(&client->newcomers);
	history_counts.cut++;
}

void client_pause(struct client *client)
{
	bool is_at_r = !client->is_past_r || world.lapse == LAPSE_BACK_AT_R;

	if (client->is_moved && !client->is_settled && client->has_bookmarks && is_at_r)
		client->position = client->last = client->start;
	client_cut(client);
}

/* --- moves --- */

static bool is_in(const struct state *state, const struct bucket_set *set)
{
	return state->version > 0 && state->bucket != UNLABELLED &&
	       bucket_set_has(set, state->bucket);
}

static void release(struct client *client, const struct bucket_set *released, int *left)
{
	uint64_t r = client->start;
	uint64_t at = world.lapse == LAPSE_RELEASE_NOW ? world.now : r;

	for (int i = 0; i < OBJECTS; i++)
		if (is_in(&world.states[at][i], released) && (*left)-- > 0)
			world_read(client, WATCH_DELETED, i,
				   (struct state){ r, UNLABELLED, 0 });
}

static void acquire(struct client *client, int *left)
{
	uint64_t at = world.lapse == LAPSE_ACQUIRE_NOW ? world.now : world.view.floor;

	for (int i = 0; i < OBJECTS; i++) {
		const struct state *state = &world.states[at][i];

		if (!is_in(state, &client->newcomers.acquired))
			continue;
		if (world.lapse != LAPSE_NAMELESS &&
		    newcomers_list(&client->newcomers, (uint64_t)i) < 0)
			world_break("too many names");
		if (world.lapse != LAPSE_UNNOTED)
			doubt_note(&world.doubt, state->version);
		if ((*left)-- > 0)
			world_read(client, WATCH_ADDED, i, *state);
	}
}

/* DELETED at r, ADDED, BOOKMARK at r: all are sent, the first few are read. */
static void move(struct client *client, const struct bucket_set *from)
{
	const struct bucket_set *to = &world.view.set;
	struct bucket_set released = bucket_set_without(from, to);
	int left = chance(2) ? OBJECTS * 3 : chance(OBJECTS);

	world_tell("client %d is moved from %d\n", client_number(client),
		   (int)client->position);
	doubt_begin(&world.doubt, world.view.floor);
	history_counts.moved++;
	client->is_moved = true;
	client->is_past_r = false;
	client->newcomers =
		(struct newcomers){ .acquired = bucket_set_without(to, from),
				    .floor = world.view.floor };
	client->start = client->next = client->position;
	release(client, &released, &left);
	acquire(client, &left);
	client->is_connected = true;
	if (left > 0 && client->has_bookmarks)
		client->position = client->last = client->start;
	if (left <= 0)
		client_cut(client);
}

static void come_back(struct client *client)
{
	char text[24];
	const struct view_question question = {
		.is_watch = true,
		.has_version = true,
		.version = text_of(client->position, text),
	};
	struct view view = world.view;
	struct view_answer answer;
	const struct view *former = NULL;

	view.standing = past_judge(&world.past, &world.view, &world.doubt,
				   client->position, &former);
	switch (view_ask(&view, &question, &answer)) {
	case VIEW_PASS:
		client->is_connected = client->is_settled = true;
		client->is_moved = client->repeats = false;
		client->start = client->next = client->position;
		world_tell("client %d goes on from %d\n", client_number(client),
			   (int)client->position);
		return;
	case VIEW_MOVE:
		move(client, &former->set);
		return;
	case VIEW_EXPIRED:
		list_anew(client);
		return;
	case VIEW_REWRITE:
		world_break("a position is given another");
	}
}

void client_act(struct client *client)
{
	if (client->is_connected)
		client_deliver(client, true);
	else if (client->page > 0)
		next_page(client);
	else if (client->position == 0)
		list_anew(client);
	else
		come_back(client);
}
