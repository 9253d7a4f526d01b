#include "proxy/base/map.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "proxy/base/siphash.h"

#define END UINT32_MAX
#define SIZE_MIN 16

struct entry {
	char *key;
	size_t key_len;
	void *value;
	uint64_t hash;
	uint32_t next; /* entry of the same chain, or END */
};

/*
 * Entries stand side by side in an array; chains link them by position. A hole
 * is filled with the last entry, which a walk from the end has seen already.
 */
struct map {
	struct entry *entries;
	uint32_t *chains; /* the first entry of each, or END */
	size_t count;
	size_t size; /* of both arrays; a power of two */
	size_t max_entries;
	uint64_t seed[2];
};

static uint32_t *map_chain(const struct map *map, uint64_t hash)
{
	return &map->chains[hash & (map->size - 1)];
}

/* The link that leads to the key's entry, or the END of its chain. */
static uint32_t *map_find_link(const struct map *map, struct slice key, uint64_t hash)
{
	uint32_t *link = map_chain(map, hash);

	while (*link != END) {
		struct entry *entry = &map->entries[*link];

		if (entry->hash == hash &&
		    slice_eq(slice_make(entry->key, entry->key_len), key))
			break;
		link = &entry->next;
	}
	return link;
}

void *map_get(const struct map *map, struct slice key)
{
	uint32_t at = *map_find_link(map, key, siphash(map->seed, key));

	return at == END ? NULL : map->entries[at].value;
}

/* Puts the entry at position `at` in front of its chain. */
static void map_link_entry(struct map *map, size_t at)
{
	uint32_t *chain = map_chain(map, map->entries[at].hash);

	map->entries[at].next = *chain;
	*chain = (uint32_t)at;
}

static void map_resize(struct map *map, size_t size)
{
	map->size = size;
	map->entries = reallocarray(map->entries, map->size, sizeof(*map->entries));
	map->chains = reallocarray(map->chains, map->size, sizeof(*map->chains));
	if (!map->entries || !map->chains)
		abort();
	for (size_t i = 0; i < map->size; i++)
		map->chains[i] = END;
	for (size_t i = 0; i < map->count; i++)
		map_link_entry(map, i);
}

struct map *map_create(size_t max_entries)
{
	struct map *map = calloc(1, sizeof(*map));

	assert(max_entries < END / 2 && "positions are 32 bits");
	if (!map)
		abort();
	map->max_entries = max_entries;
	if (getrandom(map->seed, sizeof(map->seed), 0) != sizeof(map->seed))
		abort();
	map_resize(map, SIZE_MIN);
	return map;
}

void map_destroy(struct map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->count; i++)
		free(map->entries[i].key);
	free(map->entries);
	free(map->chains);
	free(map);
}

static char *key_copy(struct slice key)
{
	char *copy = malloc(key.len + 1);

	if (!copy)
		abort();
	if (key.len)
		memcpy(copy, key.data, key.len);
	copy[key.len] = '\0';
	return copy;
}

static void map_add(struct map *map, struct slice key, uint64_t hash, void *value)
{
	if (map->count == map->size)
		map_resize(map, 2 * map->size);
	map->entries[map->count] = (struct entry){
		.key = key_copy(key),
		.key_len = key.len,
		.value = value,
		.hash = hash,
	};
	map_link_entry(map, map->count++);
}

int map_put(struct map *map, struct slice key, void *value, void **former)
{
	uint64_t hash = siphash(map->seed, key);
	uint32_t at = *map_find_link(map, key, hash);

	assert(value && "NULL means absent");
	if (at == END && map->count == map->max_entries)
		return -ENOSPC;
	if (former)
		*former = at == END ? NULL : map->entries[at].value;
	if (at == END)
		map_add(map, key, hash, value);
	else
		map->entries[at].value = value;
	return 0;
}

/* Moves the last entry to the hole at position `to`. */
static void map_fill_hole(struct map *map, uint32_t to)
{
	uint32_t last = (uint32_t)--map->count;
	uint32_t *link;

	if (to == last)
		return;
	link = map_chain(map, map->entries[last].hash);
	while (*link != last)
		link = &map->entries[*link].next;
	*link = to;
	map->entries[to] = map->entries[last];
}

void *map_remove(struct map *map, struct slice key)
{
	uint32_t *link = map_find_link(map, key, siphash(map->seed, key));
	uint32_t at = *link;
	struct entry removed;

	if (at == END)
		return NULL;
	removed = map->entries[at];
	*link = removed.next;
	map_fill_hole(map, at);
	free(removed.key);
	return removed.value;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

/* The cursor is 0, or one more than the position returned last. */
bool map_next(const struct map *map, size_t *cursor, struct slice *key, void **value)
{
	size_t end = *cursor ? *cursor - 1 : map->count;
	const struct entry *entry;

	if (end == 0)
		return false;
	entry = &map->entries[end - 1];
	if (key)
		*key = slice_make(entry->key, entry->key_len);
	if (value)
		*value = entry->value;
	*cursor = end;
	return true;
}
