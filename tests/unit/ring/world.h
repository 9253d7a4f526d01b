/*
 * The inside of a history, for its files: world.c (the API server, and the oracle),
 * client.c (lists and watches), history.c (what happens, and histories).
 */
#ifndef RINGSIDE_UNIT_RING_WORLD_H
#define RINGSIDE_UNIT_RING_WORLD_H

#include "proxy/ring/newcomers.h"
#include "proxy/ring/past.h"
#include "tests/unit/ring/history.h"
#include "tests/unit/ring/random.h"

enum { BUCKETS = 5, OBJECTS = 10, VERSIONS = 400, CLIENTS = 3, UNLABELLED = BUCKETS };

/* An object at a time, or as a client holds it; version 0: it is not there. */
struct state {
	uint64_t version;
	int bucket;    /* UNLABELLED: none */
	uint64_t born; /* one that is made again is another one */
};

struct client {
	struct state cache[OBJECTS];
	uint64_t position; /* 0: it has to list */
	uint64_t last;     /* the last one that it had */
	uint64_t start;    /* where its watch began */
	uint64_t next;     /* of the watch: events above this are to come */
	uint64_t holds;    /* its cache is the view's as of then, at least */
	bool is_connected;
	bool is_moved;   /* by this watch */
	bool is_past_r;  /* it was told of what it kept */
	bool is_settled; /* its cache is the view's at `next` */
	bool is_seeded;  /* it stands anywhere, and is told much twice */
	bool repeats;    /* it may be moved once more */
	bool has_bookmarks;
	uint64_t page; /* the version of a list of which half is there; 0: none */
	struct newcomers newcomers;
};

struct world {
	struct random random; /* of the op under way */
	enum lapse lapse;
	bool shows_unlabelled, relabels;
	bool is_told;
	uint64_t now;
	int changed[VERSIONS]; /* the object; -1: something else was written */
	struct state states[VERSIONS][OBJECTS];
	struct view view;
	struct past past;
	struct doubt doubt;
	struct client clients[CLIENTS];
	const char *broken;
};

extern struct world world;

static inline int chance(int n)
{
	return random_below(&world.random, n);
}

/* Prints, while a history is told. */
void world_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The first rule that is broken is kept. */
void world_break(const char *rule);

void world_write_other(void);
void world_write_object(int object);

/* Whether the view shows it; it as the view showed it at that time, or version 0. */
bool world_shows(const struct state *state);
struct state world_shown_at(int object, uint64_t when);

/* The oracle looks at what a client holds; at an event that it reads. */
void world_look(const struct client *client);
void world_read(struct client *client, enum watch_event_type type, int object,
		struct state state);

/* The client asks for something; it is told something more, and reads it or not. */
void client_act(struct client *client);
void client_deliver(struct client *client, bool is_read);
void client_cut(struct client *client);
/* The API server is down: its move ends early, behind a BOOKMARK at r if that is so. */
void client_pause(struct client *client);

static inline int client_number(const struct client *client)
{
	return (int)(client - world.clients);
}

#endif
