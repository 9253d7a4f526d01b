#include "proxy/base/marks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define PLACES_MIN 16

void marks_clear(struct marks *marks)
{
	free(marks->keys);
	free(marks->marks);
	*marks = (struct marks){ 0 };
}

/* The key's place, or the free one where it would stand (splitmix64's mixing). */
static size_t place_of(const struct marks *marks, uint64_t key)
{
	uint64_t z = key;
	size_t i;

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	for (i = z & (marks->places - 1); marks->marks[i] != 0;
	     i = (i + 1) & (marks->places - 1))
		if (marks->keys[i] == key)
			break;
	return i;
}

static void marks_grow(struct marks *marks)
{
	const struct marks old = *marks;

	marks->places = old.places > 0 ? 2 * old.places : PLACES_MIN;
	marks->keys = malloc(marks->places * sizeof(*marks->keys));
	marks->marks = calloc(marks->places, sizeof(*marks->marks));
	if (marks->keys == NULL || marks->marks == NULL)
		abort();
	for (size_t i = 0; i < old.places; i++) {
		size_t place;

		if (old.marks[i] == 0)
			continue;
		place = place_of(marks, old.keys[i]);
		marks->keys[place] = old.keys[i];
		marks->marks[place] = old.marks[i];
	}
	free(old.keys);
	free(old.marks);
}

int marks_set(struct marks *marks, uint64_t key, uint8_t mark, size_t max)
{
	size_t place;

	/* One place in four stays free. */
	if (marks->n + 1 > marks->places / 4 * 3)
		marks_grow(marks);
	place = place_of(marks, key);
	if (marks->marks[place] == 0) {
		if (marks->n >= max)
			return -ENOSPC;
		marks->n++;
	}
	marks->keys[place] = key;
	marks->marks[place] = mark;
	return 0;
}

uint8_t marks_get(const struct marks *marks, uint64_t key)
{
	return marks->places > 0 ? marks->marks[place_of(marks, key)] : 0;
}
