/*
 * A town: a small cluster in memory behind a fake API server, as far as a labeller
 * uses one. The unlabelled objects of a fake_ring by LIST in pages and by WATCH, the
 * labelled ones by LIST or a WATCH that begins with one, metadata by GET, and label
 * patches with their preconditions.
 */
#ifndef RINGSIDE_UNIT_MEMBER_TOWN_H
#define RINGSIDE_UNIT_MEMBER_TOWN_H

#include "tests/unit/net/fake_ring.h"

#define TOWN_OBJECTS_MAX 2100
#define TOWN_WATCHES_MAX 16

struct object {
	int resource;
	char name[32];
	char uid[16];
	char label[16];   /* "": none */
	char owner[200];  /* JSON members of its ownerReference; "": none */
	const char *boss; /* the annotation "boss"; NULL: none */
	uint64_t version;
	bool is_gone;
	/* How its next patches are answered: so many times, with this status. */
	int refusals;
	int refusal;
	/* Changed by somebody when a patch comes, so many times. */
	int races;
	bool is_disowned_by_race;
	int patches; /* that came */
};

struct town {
	struct fake_ring ring;
	struct object objects[TOWN_OBJECTS_MAX];
	int objects_n;
	uint64_t version;
	struct {
		struct transfer *transfer;
		int resource;
	} watches[TOWN_WATCHES_MAX];
	int watches_n;
	char patched[512]; /* names in order; cut */
	int gets;
	int lists;
	int active_max; /* requests under way at once, watches left out */
	bool is_dumb;   /* watches tell nothing */
	bool is_old;    /* and none begins with a list */
};

/* The catalog is complete. */
void town_init(struct town *town);
/* Who talks to it has ended. */
void town_finish(struct town *town);

/* Adds an object; told to watches, where it has no valid label. */
struct object *town_add(struct town *town, int resource, const char *name,
			const char *label);
/* The same, owned; told once. owner NULL: nobody. */
struct object *town_add_owned(struct town *town, int resource, const char *name,
			      const struct object *owner);
void town_set_owner(struct object *object, const struct object *owner);

/* Somebody has changed the object, or deleted it. */
void town_touch(struct town *town, struct object *object);
void town_delete(struct town *town, struct object *object);

/* The watches of the resource end with 410 in the stream. */
void town_expire(struct town *town, int resource);

int town_bucket(const struct object *object); /* BUCKET_NONE: no valid label */

#endif
