/*
 * A small mark for each of many 64-bit keys, hashes or versions, in a few bytes each.
 * Bounded by its caller; nothing is ever taken out but by marks_clear.
 */
#ifndef RINGSIDE_BASE_MARKS_H
#define RINGSIDE_BASE_MARKS_H

#include <stddef.h>
#include <stdint.h>

/* All zero is an empty one. */
struct marks {
	uint64_t *keys;
	uint8_t *marks; /* 0: the place is free */
	size_t places;  /* a power of two, or 0 */
	size_t n;
};

/* Frees what it holds; it is empty and may be used again. */
void marks_clear(struct marks *marks);

/*
 * Marks the key anew; mark is not 0. -ENOSPC when it would be one key more than max;
 * the keys that are there can be marked still.
 */
int marks_set(struct marks *marks, uint64_t key, uint8_t mark, size_t max);

/* 0: it has none. */
uint8_t marks_get(const struct marks *marks, uint64_t key);

#endif
