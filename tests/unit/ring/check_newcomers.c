#include "proxy/ring/newcomers.h"

#include "proxy/ring/past.h"
#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

enum { A = 1, B = 2, NAME = 77, F = 100 };

static struct newcomers of_bucket_a(void)
{
	struct newcomers newcomers = { .floor = F };

	bucket_set_add(&newcomers.acquired, A);
	return newcomers;
}

/* One name's frames, in order, up to the type -1; and which of them go on. */
struct row {
	bool is_listed;
	struct {
		int type, bucket;
		bool goes_on;
	} frames[5];
};

static void check_row(const struct row *row, size_t i)
{
	struct newcomers newcomers = of_bucket_a();

	if (row->is_listed)
		ck_assert_int_eq(newcomers_list(&newcomers, NAME), 0);
	for (int k = 0; k < 5 && row->frames[k].type >= 0; k++) {
		const struct newcomer_event event = {
			.type = (enum watch_event_type)row->frames[k].type,
			.version = F - 4 + (uint64_t)k,
			.object = NAME,
			.bucket = row->frames[k].bucket,
		};

		ck_assert_msg(newcomers_leave_out(&newcomers, &event) ==
				      !row->frames[k].goes_on,
			      "row %zu, frame %d", i, k);
	}
	newcomers_forget(&newcomers);
}

START_TEST(client_is_told_up_to_the_floor_what_it_does_not_hold_already)
{
	static const struct row rows[] = {
		/* It came, and changed before. */
		{ true, { { WATCH_MODIFIED, A }, { -1 } } },
		{ true, { { WATCH_ADDED, A }, { WATCH_MODIFIED, A }, { -1 } } },
		/* It was labelled late. */
		{ true,
		  { { WATCH_MODIFIED, BUCKET_NONE }, { WATCH_MODIFIED, A }, { -1 } } },
		{ true,
		  { { WATCH_ADDED, BUCKET_NONE }, { WATCH_MODIFIED, A }, { -1 } } },
		/* It was made again, and came into another bucket. */
		{ true, { { WATCH_DELETED, B }, { WATCH_ADDED, A }, { -1 } } },
		{ true, { { WATCH_DELETED, A }, { WATCH_ADDED, A }, { -1 } } },
		/* It was there, and is not any more: nobody has told of it. */
		{ false, { { WATCH_DELETED, A }, { -1 } } },
		{ false,
		  { { WATCH_ADDED, A },
		    { WATCH_MODIFIED, A },
		    { WATCH_DELETED, A },
		    { -1 } } },
		/* It was labelled late, and is not there any more. */
		{ false,
		  { { WATCH_MODIFIED, A }, { WATCH_DELETED, A, true }, { -1 } } },
		{ false,
		  { { WATCH_ADDED, BUCKET_NONE, true },
		    { WATCH_MODIFIED, A },
		    { WATCH_DELETED, A, true },
		    { -1 } } },
		{ false,
		  { { WATCH_ADDED, A },
		    { WATCH_MODIFIED, B, true },
		    { WATCH_MODIFIED, A },
		    { WATCH_DELETED, A, true },
		    { -1 } } },
		/* What is kept, and what nobody owns. */
		{ false,
		  { { WATCH_ADDED, B, true },
		    { WATCH_MODIFIED, B, true },
		    { WATCH_DELETED, B, true },
		    { -1 } } },
		{ false,
		  { { WATCH_ADDED, BUCKET_NONE, true },
		    { WATCH_DELETED, BUCKET_NONE, true },
		    { -1 } } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i], i);
}
END_TEST

START_TEST(all_that_is_newer_than_the_floor_goes_on)
{
	struct newcomers newcomers = of_bucket_a();
	struct newcomer_event event = { WATCH_MODIFIED, F, NAME, A };

	ck_assert_int_eq(newcomers_list(&newcomers, NAME), 0);
	ck_assert_int_eq(newcomers_leave_out(&newcomers, &event), 1);
	event.version = F + 1;
	ck_assert_int_eq(newcomers_leave_out(&newcomers, &event), 0);
	newcomers_forget(&newcomers);
	ck_assert_int_eq(newcomers_leave_out(&newcomers, &event), 0);
}
END_TEST

/*
 * The oracle: an API server that remembers every version, and clients of one key with
 * caches, which are shown views, cut off anywhere, and come back. Objects are made
 * without a bucket, labelled later, deleted, and made again in another bucket.
 */
enum { BUCKETS = 5, OBJECTS = 10, VERSIONS = 400, CLIENTS = 3, UNLABELLED = BUCKETS };

/* An object at a time; version 0: it is not there. */
struct state {
	uint64_t version;
	int bucket; /* UNLABELLED: none */
};

struct client {
	uint64_t cache[OBJECTS]; /* the version held; 0: none */
	uint64_t position;
	uint64_t holds; /* its cache is the view's as of then, at least */
	bool is_connected;
	bool is_settled; /* its cache is the view's at its position */
	struct newcomers newcomers;
	uint64_t next; /* of the watch: events above this are to come */
};

struct play {
	struct random random;
	uint64_t number;
	bool shows_unlabelled; /* to all, as of an owned resource */
	uint64_t now;
	int changed[VERSIONS]; /* the object; -1: something else was written */
	struct state states[VERSIONS][OBJECTS];
	struct view view;
	struct past past;
	struct doubt doubt;
	struct client clients[CLIENTS];
	long steps, moved, told, cut, dropped, seeded;
};

static int chance(struct play *play, int n)
{
	return random_below(&play->random, n);
}

static void write_other(struct play *play)
{
	play->now++;
	memcpy(play->states[play->now], play->states[play->now - 1],
	       sizeof(play->states[0]));
	play->changed[play->now] = -1;
}

static void write_object(struct play *play, int object)
{
	struct state *state;

	write_other(play);
	play->changed[play->now] = object;
	state = &play->states[play->now][object];
	if (state->version == 0)
		state->bucket = chance(play, 2) ? UNLABELLED : chance(play, BUCKETS);
	else if (state->bucket == UNLABELLED && chance(play, 2))
		state->bucket = chance(play, BUCKETS);
	else if (chance(play, 4) == 0) {
		state->version = 0;
		return;
	}
	state->version = play->now;
}

static bool shows(const struct play *play, const struct bucket_set *set,
		  const struct state *state)
{
	if (state->version == 0)
		return false;
	return state->bucket == UNLABELLED ? play->shows_unlabelled
					   : bucket_set_has(set, state->bucket);
}

/* The object's version at that time, as the view shows it; 0: it does not. */
static uint64_t shown_at(const struct play *play, int object, uint64_t when)
{
	const struct state *state = &play->states[when][object];

	return shows(play, &play->view.set, state) ? state->version : 0;
}

static void check_cache(const struct play *play, const struct client *client)
{
	if (!client->is_connected || !client->is_settled ||
	    client->position < client->holds)
		return;
	for (int i = 0; i < OBJECTS; i++) {
		uint64_t want = shown_at(play, i, client->position);

		/* No ck_assert: each writes to a file, and there are millions. */
		if (client->cache[i] != want)
			ck_abort_msg("play %ju, object %d at %ju: version %ju, not %ju",
				     (uintmax_t)play->number, i,
				     (uintmax_t)client->position,
				     (uintmax_t)client->cache[i], (uintmax_t)want);
	}
}

static void list_anew(struct play *play, struct client *client)
{
	*client = (struct client){ .position = play->now,
				   .next = play->now,
				   .is_connected = true,
				   .is_settled = true };
	for (int i = 0; i < OBJECTS; i++)
		client->cache[i] = shown_at(play, i, play->now);
}

/* A WATCH without a position: the objects come first, in no order of versions. */
static void seed(struct play *play, struct client *client)
{
	list_anew(play, client);
	client->holds = play->now;
	for (int i = 0; i < OBJECTS; i++)
		if (client->cache[i] != 0) {
			doubt_seed(&play->doubt, client->cache[i]);
			client->position = client->cache[i];
		}
	play->seeded++;
}

static bool is_left_out(struct play *play, struct client *client, uint64_t v,
			enum watch_event_type type, int bucket)
{
	const struct newcomer_event event = {
		.type = type,
		.version = v,
		.object = (uint64_t)play->changed[v],
		.bucket = bucket == UNLABELLED ? BUCKET_NONE : bucket,
	};
	int rc = newcomers_leave_out(&client->newcomers, &event);

	if (rc < 0)
		ck_abort_msg("too many names");
	play->dropped += rc;
	return rc == 1;
}

/* The event of version v, if the watch has one. */
static bool event_at(struct play *play, struct client *client, uint64_t v)
{
	int object = play->changed[v];
	const struct state *before, *after;
	bool was, is;

	if (object < 0)
		return false;
	before = &play->states[v - 1][object];
	after = &play->states[v][object];
	was = shows(play, &play->view.set, before);
	is = shows(play, &play->view.set, after);
	if (!was && !is)
		return false;
	return !is_left_out(play, client, v,
			    !was  ? WATCH_ADDED
			    : !is ? WATCH_DELETED
				  : WATCH_MODIFIED,
			    is ? after->bucket : before->bucket);
}

/* The next event of its watch; a bookmark where there is none. */
static void deliver(struct play *play, struct client *client, bool is_read)
{
	while (client->next < play->now) {
		uint64_t v = ++client->next;

		if (!event_at(play, client, v))
			continue;
		if (v < play->view.floor)
			doubt_note(&play->doubt, v);
		if (!is_read)
			return;
		client->cache[play->changed[v]] = shown_at(play, play->changed[v], v);
		client->position = v;
		break;
	}
	if (is_read && client->next == play->now)
		client->position = play->now;
	client->is_settled |= client->position >= play->view.floor;
}

static void cut(struct play *play, struct client *client)
{
	client->is_connected = false;
	client->is_settled = false;
	newcomers_forget(&client->newcomers);
	play->cut++;
}

static void release(struct play *play, struct client *client,
		    const struct bucket_set *released, int *left)
{
	for (int i = 0; i < OBJECTS; i++) {
		const struct state *state = &play->states[client->position][i];

		if (state->version == 0 || state->bucket == UNLABELLED ||
		    !bucket_set_has(released, state->bucket) || (*left)-- <= 0)
			continue;
		client->cache[i] = 0;
	}
}

static void acquire(struct play *play, struct client *client, int *left)
{
	for (int i = 0; i < OBJECTS; i++) {
		const struct state *state = &play->states[play->view.floor][i];

		if (state->version == 0 || state->bucket == UNLABELLED ||
		    !bucket_set_has(&client->newcomers.acquired, state->bucket))
			continue;
		if (newcomers_list(&client->newcomers, (uint64_t)i) < 0)
			ck_abort_msg("too many names");
		doubt_note(&play->doubt, state->version);
		if ((*left)-- <= 0)
			continue;
		client->cache[i] = state->version;
		client->position = state->version;
	}
}

/* DELETED at r, ADDED, BOOKMARK at r: all are sent, the first few are read. */
static void move(struct play *play, struct client *client,
		 const struct bucket_set *from)
{
	struct bucket_set released = bucket_set_without(from, &play->view.set);
	int left = chance(play, 2) ? OBJECTS * 3 : chance(play, OBJECTS);
	uint64_t r = client->position;

	doubt_begin(&play->doubt, play->view.floor);
	play->moved++;
	client->newcomers = (struct newcomers){
		.acquired = bucket_set_without(&play->view.set, from),
		.floor = play->view.floor,
	};
	release(play, client, &released, &left);
	acquire(play, client, &left);
	client->next = r;
	client->is_connected = true;
	if (left > 0)
		client->position = r;
	else
		cut(play, client);
}

static void come_back(struct play *play, struct client *client)
{
	const struct view *former;

	switch (past_judge(&play->past, &play->view, &play->doubt, client->position,
			   &former)) {
	case VIEW_STANDS_HERE:
		client->is_connected = client->is_settled = true;
		client->next = client->position;
		return;
	case VIEW_STANDS_FORMER:
		move(play, client, &former->set);
		return;
	case VIEW_STANDS_DOUBTED:
	case VIEW_STANDS_UNKNOWN:
	case VIEW_STANDS_BY_FLOOR:
		break;
	}
	play->told++;
	if (chance(play, 4) == 0)
		seed(play, client);
	else
		list_anew(play, client);
}

static void change_view(struct play *play)
{
	struct view next = { 0 };

	for (int i = 0; i < CLIENTS; i++)
		if (play->clients[i].is_connected)
			cut(play, &play->clients[i]);
	write_other(play); /* our own write */
	if (chance(play, 2))
		write_object(play, chance(play, OBJECTS));
	next.floor = play->now;
	for (int i = 0; i < BUCKETS; i++)
		if (chance(play, 2))
			bucket_set_add(&next.set, i);
	past_add(&play->past, &play->view, &next);
	play->view = next;
}

static void step(struct play *play)
{
	struct client *client = &play->clients[chance(play, CLIENTS)];

	play->steps++;
	switch (chance(play, 12)) {
	case 0:
		change_view(play);
		return;
	case 1:
		if (client->is_connected)
			cut(play, client);
		return;
	case 2:
		if (client->is_connected)
			deliver(play, client, false), cut(play, client);
		return;
	case 3:
	case 4:
	case 5:
		write_object(play, chance(play, OBJECTS));
		return;
	default:
		if (client->is_connected)
			deliver(play, client, true);
		else
			come_back(play, client);
	}
	check_cache(play, client);
}

static void begin(struct play *play, uint64_t number)
{
	play->random.state = play->number = number;
	play->shows_unlabelled = number % 2;
	play->now = 0;
	memset(play->states[0], 0, sizeof(play->states[0]));
	for (int i = 0; i < OBJECTS; i++)
		write_object(play, i);
	play->view = (struct view){ .floor = play->now };
	bucket_set_add(&play->view.set, 0);
	play->past = (struct past){ 0 };
	doubt_finish(&play->doubt);
	play->doubt = (struct doubt){ 0 };
	for (int i = 0; i < CLIENTS; i++) {
		newcomers_forget(&play->clients[i].newcomers);
		list_anew(play, &play->clients[i]);
	}
}

START_TEST(coherent_view_after_any_history_of_changes_cuts_and_returns)
{
	struct play *play = calloc(1, sizeof(*play));

	for (uint64_t number = 0; play->steps < 2000000; number++) {
		begin(play, number);
		while (play->now < VERSIONS - 4)
			step(play);
	}
	/* It is about moves, most of them need no list, and frames are left out. */
	ck_assert_int_gt(play->moved, 100000);
	ck_assert_int_gt(play->told, 5000);
	ck_assert_int_gt(play->dropped, 10000);
	ck_assert_int_gt(play->seeded, 1000);
	begin(play, 0);
	doubt_finish(&play->doubt);
	free(play);
}
END_TEST

UNIT_MAIN("ring/newcomers",
	  client_is_told_up_to_the_floor_what_it_does_not_hold_already,
	  all_that_is_newer_than_the_floor_goes_on,
	  coherent_view_after_any_history_of_changes_cuts_and_returns)
