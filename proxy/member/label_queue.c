#include "proxy/member/label_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/map.h"

struct share {
	size_t count;
	size_t aside;
};

struct label_queue {
	struct label_queue_size size;
	struct share *shares;
	size_t aside;
	struct map *by_key; /* all but detached ones */
	struct list ready;
	struct list later; /* by due_ms, the first due first */
	struct list active;
	size_t active_n;
};

/* --- items --- */

/* Room for any int and two names of at most LABEL_ITEM_BYTES_MAX together. */
#define KEY_BYTES_MAX (LABEL_ITEM_BYTES_MAX + 32)

/* Writes the key of an object; its length, or 0 when it is too long. */
static size_t key_write(char out[KEY_BYTES_MAX], int source,
			const struct object_meta *meta)
{
	if (meta->namespace.len + meta->name.len > LABEL_ITEM_BYTES_MAX)
		return 0;
	return (size_t)snprintf(out, KEY_BYTES_MAX, "%d/%.*s/%.*s", source,
				SLICE_ARGS(meta->namespace), SLICE_ARGS(meta->name));
}

static struct slice pack(char **at, struct slice text)
{
	struct slice copy = slice_make(*at, text.len);

	if (text.len > 0)
		memcpy(*at, text.data, text.len);
	*at += text.len;
	return copy;
}

static struct label_item *item_pack(const struct object_meta *meta,
				    const struct owner_reference *owner,
				    struct slice key, size_t bytes)
{
	struct label_item *item = calloc(1, sizeof(*item) + bytes);
	char *at = (char *)(item + 1);

	if (item == NULL)
		abort();
	list_init(&item->node);
	item->key = pack(&at, key);
	item->uid = pack(&at, meta->uid);
	item->resource_version = pack(&at, meta->resource_version);
	item->owner.api_version = pack(&at, owner->api_version);
	item->owner.kind = pack(&at, owner->kind);
	item->owner.name = pack(&at, owner->name);
	item->owner.uid = pack(&at, owner->uid);
	item->place = pack(&at, meta->place);
	item->owner.is_controller = owner->is_controller;
	return item;
}

struct label_item *label_item_create(int source, const struct object_meta *meta,
				     const struct owner_reference *owner)
{
	static const struct owner_reference none;
	struct label_item *item;
	char key[KEY_BYTES_MAX];
	size_t key_len = key_write(key, source, meta);
	size_t bytes;

	if (owner == NULL)
		owner = &none;
	bytes = key_len + meta->uid.len + meta->resource_version.len +
		owner->api_version.len + owner->kind.len + owner->name.len +
		owner->uid.len + meta->place.len;
	if (key_len == 0 || bytes > LABEL_ITEM_BYTES_MAX)
		return NULL;
	item = item_pack(meta, owner, slice_make(key, key_len), bytes);
	item->source = source;
	item->name = slice_from(item->key, key_len - meta->name.len);
	item->namespace = slice_make(item->name.data - 1 - meta->namespace.len,
				     meta->namespace.len);
	return item;
}

void label_item_free(struct label_item *item)
{
	free(item);
}

/* --- the queue --- */

struct label_queue *label_queue_create(const struct label_queue_size *size)
{
	struct label_queue *queue = calloc(1, sizeof(*queue));
	size_t max = (size_t)size->sources * size->share + size->aside_max;

	if (queue == NULL)
		abort();
	queue->size = *size;
	queue->shares = calloc((size_t)size->sources, sizeof(*queue->shares));
	if (queue->shares == NULL)
		abort();
	queue->by_key = map_create(max);
	list_init(&queue->ready);
	list_init(&queue->later);
	list_init(&queue->active);
	return queue;
}

static void list_free(struct list *items)
{
	LIST_EACH(node, items) {
		list_remove(node);
		label_item_free(LIST_OWNER(node, struct label_item, node));
	}
}

void label_queue_destroy(struct label_queue *queue)
{
	if (queue == NULL)
		return;
	assert(queue->active_n == 0 && "workers hold what they work on");
	list_free(&queue->ready);
	list_free(&queue->later);
	map_destroy(queue->by_key);
	free(queue->shares);
	free(queue);
}

struct label_item *label_queue_find(const struct label_queue *queue, int source,
				    const struct object_meta *meta)
{
	char key[KEY_BYTES_MAX];

	return map_get(queue->by_key, slice_make(key, key_write(key, source, meta)));
}

bool label_queue_has_room(const struct label_queue *queue, int source, size_t n)
{
	const struct share *share = &queue->shares[source];

	return share->count - share->aside + n <= queue->size.share;
}

void label_queue_add(struct label_queue *queue, struct label_item *item,
		     struct label_item *former)
{
	int rc;

	if (former != NULL)
		label_queue_remove(queue, former);
	rc = map_put(queue->by_key, item->key, item, NULL);
	assert(rc == 0 && "it has asked for room");
	(void)rc;
	queue->shares[item->source].count++;
	item->state = LABEL_READY;
	list_add(&queue->ready, &item->node);
}

/* Out of the map and of its share; its memory and its list remain. */
static void queue_forget(struct label_queue *queue, struct label_item *item)
{
	map_remove(queue->by_key, item->key);
	queue->shares[item->source].count--;
	queue->shares[item->source].aside -= item->is_aside;
	queue->aside -= item->is_aside;
}

/* Moves what is due from `later` to the end of `ready`. */
static void queue_wake(struct label_queue *queue, int64_t now_ms)
{
	while (!list_is_empty(&queue->later)) {
		struct label_item *item =
			LIST_OWNER(queue->later.next, struct label_item, node);

		if (item->due_ms > now_ms)
			break;
		list_remove(&item->node);
		item->state = LABEL_READY;
		list_add(&queue->ready, &item->node);
	}
}

struct label_item *label_queue_next(struct label_queue *queue, int64_t now_ms)
{
	struct label_item *item;

	queue_wake(queue, now_ms);
	if (list_is_empty(&queue->ready))
		return NULL;
	item = LIST_OWNER(queue->ready.next, struct label_item, node);
	list_remove(&item->node);
	item->state = LABEL_ACTIVE;
	list_add(&queue->active, &item->node);
	queue->active_n++;
	return item;
}

void label_queue_wait(struct label_queue *queue, struct label_item *item,
		      int64_t due_ms)
{
	struct list *after = queue->later.prev;

	assert(item->state == LABEL_ACTIVE && "only a worker gives back");
	if (item->is_detached) {
		label_queue_finish(queue, item);
		return;
	}
	list_remove(&item->node);
	queue->active_n--;
	item->state = LABEL_LATER;
	item->due_ms = due_ms;
	/* From the back: what fails now is mostly due last. */
	while (after != &queue->later &&
	       LIST_OWNER(after, struct label_item, node)->due_ms > due_ms)
		after = after->prev;
	list_add(after->next, &item->node);
}

static int64_t retry_delay_ms(int failures, uint32_t random)
{
	int64_t delay_ms = LABEL_RETRY_MIN_MS;

	for (int i = 0; i < failures && delay_ms < LABEL_RETRY_MAX_MS; i++)
		delay_ms *= 2;
	if (delay_ms > LABEL_RETRY_MAX_MS)
		delay_ms = LABEL_RETRY_MAX_MS;
	return delay_ms / 2 + random % (delay_ms / 2 + 1);
}

void label_queue_retry(struct label_queue *queue, struct label_item *item,
		       int64_t now_ms, uint32_t random)
{
	int64_t delay_ms = retry_delay_ms(item->failures, random);

	item->failures++;
	if (item->failures >= LABEL_ASIDE_FAILURES && !item->is_aside &&
	    !item->is_detached && queue->aside < queue->size.aside_max) {
		item->is_aside = true;
		queue->shares[item->source].aside++;
		queue->aside++;
	}
	label_queue_wait(queue, item, now_ms + delay_ms);
}

void label_queue_finish(struct label_queue *queue, struct label_item *item)
{
	assert(item->state == LABEL_ACTIVE && "only a worker finishes");
	list_remove(&item->node);
	queue->active_n--;
	if (!item->is_detached)
		queue_forget(queue, item);
	label_item_free(item);
}

void label_queue_remove(struct label_queue *queue, struct label_item *item)
{
	assert(!item->is_detached && "it is out already");
	queue_forget(queue, item);
	if (item->state == LABEL_ACTIVE) {
		item->is_detached = true;
		return;
	}
	list_remove(&item->node);
	label_item_free(item);
}

int64_t label_queue_due_ms(const struct label_queue *queue)
{
	if (list_is_empty(&queue->later))
		return INT64_MAX;
	return LIST_OWNER(queue->later.next, struct label_item, node)->due_ms;
}

size_t label_queue_active(const struct label_queue *queue)
{
	return queue->active_n;
}

struct label_item *label_queue_active_one(const struct label_queue *queue)
{
	if (list_is_empty(&queue->active))
		return NULL;
	return LIST_OWNER(queue->active.next, struct label_item, node);
}

size_t label_queue_count(const struct label_queue *queue)
{
	return map_count(queue->by_key);
}

bool label_queue_walk(const struct label_queue *queue, size_t *cursor,
		      struct label_item **item)
{
	void *value;

	if (!map_next(queue->by_key, cursor, NULL, &value))
		return false;
	*item = value;
	return true;
}

int64_t label_queue_oldest_ms(const struct label_queue *queue, int64_t now_ms)
{
	struct label_item *item;
	int64_t oldest_ms = now_ms;

	for (size_t cursor = 0; label_queue_walk(queue, &cursor, &item);)
		if (item->since_ms < oldest_ms)
			oldest_ms = item->since_ms;
	return oldest_ms;
}
