/*
 * A hash map from bytes to pointers. It owns copies of its keys, not its
 * values. The number of entries is bounded when the map is made; keys are
 * hashed with a random seed, because names of objects come from outside.
 */
#ifndef RINGSIDE_BASE_MAP_H
#define RINGSIDE_BASE_MAP_H

#include "proxy/base/slice.h"

struct map;

struct map *map_create(size_t max_entries);

/* Frees the map and its keys. Values are the caller's: walk and free first. */
void map_destroy(struct map *map);

/* The value, or NULL. */
void *map_get(const struct map *map, struct slice key);

/*
 * Sets key to value (not NULL). The former value is returned through *former
 * (NULL if there was none; former itself may be NULL). -ENOSPC when a new key
 * would pass max_entries.
 */
int map_put(struct map *map, struct slice key, void *value, void **former);

/* Removes the key; its value, or NULL if it was not there. */
void *map_remove(struct map *map, struct slice key);

size_t map_count(const struct map *map);

/*
 * Walks the entries in no special order: start with *cursor = 0; false at the
 * end. The entry just returned may be removed during the walk; nothing else
 * may change. key (borrowed until its entry is removed) and value may be NULL.
 */
bool map_next(const struct map *map, size_t *cursor, struct slice *key, void **value);

#endif
