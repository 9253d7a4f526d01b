/*
 * The labeller's queue: objects that wait for a label, one item for each. An
 * item is ready (first in, first out), waits until a time, or is being worked
 * on. What is seen anew or gone while it is worked on is taken out at once; its
 * worker finds it detached when it comes back. Pure: time is handed in.
 *
 * Each source has a share of the room, so that what fails holds up no other
 * source. Items that have failed often are set aside (up to a bound): they are
 * tried again, but take no room, so that they do not hold up their own either.
 */
#ifndef RINGSIDE_MEMBER_LABEL_QUEUE_H
#define RINGSIDE_MEMBER_LABEL_QUEUE_H

#include "proxy/base/list.h"
#include "proxy/kube/meta.h"

/* Texts of one item, together; an object with longer ones is no valid object. */
#define LABEL_ITEM_BYTES_MAX 4096

/* Delay after the first failure of an item; it doubles up to the last. */
#define LABEL_RETRY_MIN_MS 200
#define LABEL_RETRY_MAX_MS 30000
#define LABEL_ASIDE_FAILURES 3

struct label_work;
struct locate_call;
struct api_call;
struct ring_resource;

enum label_state { LABEL_READY, LABEL_LATER, LABEL_ACTIVE };

struct label_item {
	/* The queue's. */
	struct list node;
	enum label_state state;
	bool is_detached; /* active, and not the queue's any more */
	int64_t due_ms;   /* of LABEL_LATER */
	/* What it is about; texts live as long as the item. */
	int source;
	const struct ring_resource *resource; /* whoever adds it says it */
	struct slice key;                     /* "<source>/<namespace>/<name>" */
	struct slice namespace;
	struct slice name;
	struct slice uid;
	struct slice resource_version;
	/* Of an owned object; where it is named without a reference, the name alone,
	 * as it stands there. */
	struct owner_reference owner;
	struct slice place; /* object_meta's */
	uint64_t owners;    /* foreign_hash_owners */
	/* Its history. */
	bool is_first;    /* belongs to the first pass */
	bool is_aside;    /* has failed so often that it takes no room */
	int failures;     /* in a row */
	unsigned list;    /* which LIST of its source brought it last */
	int64_t since_ms; /* waits since */
	/* Its worker's (label_work.h): what is under way, at most one. */
	struct label_work *work;
	struct locate_call *locate;
	struct api_call *call;
};

/*
 * A new item of that object; owner may be NULL. NULL when its texts are beyond
 * LABEL_ITEM_BYTES_MAX.
 */
struct label_item *label_item_create(int source, const struct object_meta *meta,
				     const struct owner_reference *owner);
void label_item_free(struct label_item *item);

struct label_queue;

struct label_queue_size {
	int sources;
	size_t share;     /* items of one source */
	size_t aside_max; /* items set aside, over all sources */
};

struct label_queue *label_queue_create(const struct label_queue_size *size);

/* Frees what waits. Active items must be done before. NULL is fine. */
void label_queue_destroy(struct label_queue *queue);

/* The item of the object, in whatever state, not a detached one; or NULL. */
struct label_item *label_queue_find(const struct label_queue *queue, int source,
				    const struct object_meta *meta);

/* Whether n more items of the source are within its share. */
bool label_queue_has_room(const struct label_queue *queue, int source, size_t n);

/*
 * Takes the item, ready, in the place of former (or NULL), which is removed. The
 * object is in the queue no other way, and there is room.
 */
void label_queue_add(struct label_queue *queue, struct label_item *item,
		     struct label_item *former);

/* The next one that is ready at now_ms, now active; NULL if none is. */
struct label_item *label_queue_next(struct label_queue *queue, int64_t now_ms);

/* An active item waits until due_ms. Detached: it is freed instead. */
void label_queue_wait(struct label_queue *queue, struct label_item *item,
		      int64_t due_ms);

/*
 * The same after a failure: it waits the longer the more often it has failed, and
 * LABEL_ASIDE_FAILURES in a row set it aside.
 */
void label_queue_retry(struct label_queue *queue, struct label_item *item,
		       int64_t now_ms, uint32_t random);

/* An active item is finished: freed. */
void label_queue_finish(struct label_queue *queue, struct label_item *item);

/* Takes an item out: freed, or detached where it is active. */
void label_queue_remove(struct label_queue *queue, struct label_item *item);

/* When the first item that waits for a time is due, or INT64_MAX. */
int64_t label_queue_due_ms(const struct label_queue *queue);

/* How many are active, detached ones included; one of them, or NULL. */
size_t label_queue_active(const struct label_queue *queue);
struct label_item *label_queue_active_one(const struct label_queue *queue);

/* In the queue: ready, later, and active but not detached. */
size_t label_queue_count(const struct label_queue *queue);

/* Since when the one that waits longest waits; now_ms if none does. */
int64_t label_queue_oldest_ms(const struct label_queue *queue, int64_t now_ms);

/* Walks all that are in the queue; the item just seen may be removed. */
bool label_queue_walk(const struct label_queue *queue, size_t *cursor,
		      struct label_item **item);

#endif
