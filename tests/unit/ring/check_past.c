#include "proxy/ring/past.h"

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

static struct view view_of(int bucket, uint64_t floor)
{
	struct view view = { .floor = floor };

	bucket_set_add(&view.set, bucket);
	return view;
}

/* Views of the buckets 1, 2, 3 with the floors 100, 200, 300. */
static struct past three_views(struct view *current)
{
	const struct view first = view_of(1, 100), second = view_of(2, 200);
	struct past past = { 0 };

	*current = view_of(3, 300);
	past_add(&past, &first, &second);
	past_add(&past, &second, current);
	return past;
}

static enum view_standing judge(const struct past *past, const struct view *current,
				const struct doubt *doubt, uint64_t position)
{
	const struct view *former = NULL;
	enum view_standing standing =
		past_judge(past, current, doubt, position, &former);

	ck_assert_int_eq(former != NULL, standing == VIEW_STANDS_FORMER);
	return standing;
}

START_TEST(position_belongs_to_the_view_with_the_last_floor_at_or_below_it)
{
	struct view current;
	const struct past past = three_views(&current);
	static const struct {
		uint64_t position;
		int bucket; /* 0: of no view */
	} rows[] = {
		{ 99, 0 },  { 100, 1 }, { 199, 1 }, { 200, 2 },
		{ 201, 2 }, { 299, 2 }, { 300, 3 }, { 900, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct view *view = &current;
		enum view_standing standing =
			past_judge(&past, &current, NULL, rows[i].position, &view);

		ck_assert_int_eq(standing, rows[i].bucket == 0   ? VIEW_STANDS_UNKNOWN
					   : rows[i].bucket == 3 ? VIEW_STANDS_HERE
								 : VIEW_STANDS_FORMER);
		if (rows[i].bucket > 0)
			ck_assert(bucket_set_has(&view->set, rows[i].bucket));
	}
}
END_TEST

START_TEST(floor_that_is_in_no_order_with_the_past_ends_it)
{
	struct view current, next = view_of(4, 400);
	struct past past = three_views(&current);

	next.distrusts_positions = true;
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, NULL, 350), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &next, NULL, 400), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &next, NULL, 401), VIEW_STANDS_HERE);
	/* A storage that was restored counts from an older version again. */
	past = three_views(&current);
	next = view_of(4, 300);
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, NULL, 299), VIEW_STANDS_UNKNOWN);
}
END_TEST

START_TEST(former_view_whose_floor_is_not_trusted_is_known_only_above_it)
{
	struct view former = view_of(1, 100), current = view_of(2, 200);
	struct past past = { 0 };

	former.distrusts_positions = true;
	past_add(&past, &former, &current);
	ck_assert_int_eq(judge(&past, &current, NULL, 100), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &current, NULL, 101), VIEW_STANDS_FORMER);
}
END_TEST

START_TEST(oldest_view_is_forgotten_when_there_are_too_many)
{
	struct view former = view_of(0, 100), next;
	struct past past = { 0 };

	for (int i = 1; i <= PAST_VIEWS_MAX + 1; i++) {
		next = view_of(i, 100 + 100 * (uint64_t)i);
		past_add(&past, &former, &next);
		former = next;
	}
	ck_assert_int_eq(judge(&past, &next, NULL, 199), VIEW_STANDS_UNKNOWN);
	ck_assert_int_eq(judge(&past, &next, NULL, 200), VIEW_STANDS_FORMER);
}
END_TEST

START_TEST(position_given_in_a_move_proves_nothing)
{
	struct view current, next = view_of(4, 400);
	struct past past = three_views(&current);
	struct doubt doubt = { 0 };

	doubt_begin(&doubt, 300);
	ck_assert_int_eq(judge(&past, &current, &doubt, 250), VIEW_STANDS_FORMER);
	doubt_note(&doubt, 250);
	doubt_note(&doubt, 300);
	ck_assert_int_eq(judge(&past, &current, &doubt, 250), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &current, &doubt, 300), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &current, &doubt, 301), VIEW_STANDS_HERE);
	/* Who has not arrived when the view changes again holds parts of two. */
	ck_assert_int_eq(judge(&past, &current, &doubt, 240), VIEW_STANDS_FORMER);
	past_add(&past, &current, &next);
	ck_assert_int_eq(judge(&past, &next, &doubt, 240), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 310), VIEW_STANDS_FORMER);
	doubt_begin(&doubt, 400);
	ck_assert_int_eq(judge(&past, &next, &doubt, 240), VIEW_STANDS_DOUBTED);
	ck_assert_int_eq(judge(&past, &next, &doubt, 310), VIEW_STANDS_FORMER);
}
END_TEST

/*
 * The oracle: an API server that remembers every version, and clients of one key
 * with caches, which are shown views, cut off anywhere, and come back.
 */
enum { BUCKETS = 5, OBJECTS = 2 * BUCKETS, VERSIONS = 400, CLIENTS = 3 };

struct client {
	uint64_t cache[OBJECTS]; /* the version held; 0: none */
	uint64_t position;
	bool is_connected;
	bool is_settled; /* its cache is the view's at its position */
	struct bucket_set drops;
	uint64_t next; /* of the watch: events above this are to come */
};

struct play {
	struct random random;
	uint64_t now;
	struct {
		int object; /* -1: something else was written */
		bool is_there;
	} log[VERSIONS];
	struct view view;
	struct past past;
	struct doubt doubt;
	struct client clients[CLIENTS];
	int moved, told, cut;
};

static int chance(struct play *play, int n)
{
	return random_below(&play->random, n);
}

static void write_object(struct play *play, int object)
{
	play->now++;
	play->log[play->now].object = object;
	play->log[play->now].is_there = chance(play, 4) > 0;
}

/* The object's version at that time, 0 if it is not there. */
static uint64_t version_at(const struct play *play, int object, uint64_t when)
{
	for (uint64_t v = when; v > 0; v--)
		if (play->log[v].object == object)
			return play->log[v].is_there ? v : 0;
	return 0;
}

static bool is_in(const struct bucket_set *set, int object)
{
	return bucket_set_has(set, object % BUCKETS);
}

static void check_cache(const struct play *play, const struct client *client)
{
	for (int i = 0; i < OBJECTS; i++) {
		uint64_t want = is_in(&play->view.set, i)
					? version_at(play, i, client->position)
					: 0;

		ck_assert_msg(client->cache[i] == want,
			      "object %d at %ju: version %ju, not %ju", i,
			      (uintmax_t)client->position, (uintmax_t)client->cache[i],
			      (uintmax_t)want);
	}
}

static void list_anew(struct play *play, struct client *client)
{
	*client = (struct client){ .position = play->now,
				   .next = play->now,
				   .is_connected = true,
				   .is_settled = true };
	for (int i = 0; i < OBJECTS; i++)
		client->cache[i] =
			is_in(&play->view.set, i) ? version_at(play, i, play->now) : 0;
}

/* The next event of its watch; a bookmark where there is none. */
static void deliver(struct play *play, struct client *client, bool is_read)
{
	while (client->next < play->now) {
		uint64_t v = ++client->next;
		int object = play->log[v].object;

		if (object < 0 || !is_in(&play->view.set, object))
			continue;
		if (v <= play->view.floor && is_in(&client->drops, object))
			continue;
		if (v < play->view.floor)
			doubt_note(&play->doubt, v);
		if (!is_read)
			return;
		client->cache[object] = play->log[v].is_there ? v : 0;
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
	play->cut++;
}

/* DELETED at r, ADDED, BOOKMARK at r: all are sent, the first few are read. */
static void move(struct play *play, struct client *client,
		 const struct bucket_set *from)
{
	struct bucket_set released = bucket_set_without(from, &play->view.set);
	struct bucket_set acquired = bucket_set_without(&play->view.set, from);
	uint64_t r = client->position;
	int left = chance(play, 2) ? OBJECTS * 3 : chance(play, OBJECTS);

	doubt_begin(&play->doubt, play->view.floor);
	play->moved++;
	for (int i = 0; i < OBJECTS; i++) {
		if (!is_in(&released, i) || version_at(play, i, r) == 0 || left-- <= 0)
			continue;
		client->cache[i] = 0;
	}
	for (int i = 0; i < OBJECTS; i++) {
		uint64_t v = version_at(play, i, play->view.floor);

		if (!is_in(&acquired, i) || v == 0)
			continue;
		doubt_note(&play->doubt, v);
		if (left-- <= 0)
			continue;
		client->cache[i] = v;
		client->position = v;
	}
	client->drops = acquired;
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
		client->drops = (struct bucket_set){ 0 };
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
	list_anew(play, client);
}

static void change_view(struct play *play)
{
	struct view next = { 0 };

	for (int i = 0; i < CLIENTS; i++)
		if (play->clients[i].is_connected)
			cut(play, &play->clients[i]);
	play->log[++play->now].object = -1; /* our own write */
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
	if (client->is_connected && client->is_settled)
		check_cache(play, client);
}

START_TEST(coherent_view_after_any_history_of_changes_cuts_and_returns)
{
	struct play *play = malloc(sizeof(*play));
	int moved = 0, told = 0;

	for (uint64_t seed = 0; seed < 150; seed++) {
		*play = (struct play){ .random = { seed } };
		for (int i = 0; i < OBJECTS; i++)
			write_object(play, i);
		play->view = view_of(0, play->now);
		for (int i = 0; i < CLIENTS; i++)
			list_anew(play, &play->clients[i]);
		for (int i = 0; i < 800 && play->now < VERSIONS - 4; i++)
			step(play);
		moved += play->moved;
		told += play->told;
	}
	free(play);
	/* It is about moves, and most of them need no list. */
	ck_assert_int_gt(moved, 10000);
	ck_assert_int_gt(told, 500);
}
END_TEST

UNIT_MAIN("ring/past", position_belongs_to_the_view_with_the_last_floor_at_or_below_it,
	  floor_that_is_in_no_order_with_the_past_ends_it,
	  former_view_whose_floor_is_not_trusted_is_known_only_above_it,
	  oldest_view_is_forgotten_when_there_are_too_many,
	  position_given_in_a_move_proves_nothing,
	  coherent_view_after_any_history_of_changes_cuts_and_returns)
