#include "proxy/base/map.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/unit.h"

/* Values are pointers into this array. */
static char values[2000];

static struct slice key_of(char text[24], size_t i)
{
	snprintf(text, 24, "namespace/%zu", i);
	return slice_of(text);
}

static void put(struct map *map, size_t i)
{
	char text[24];

	ck_assert_int_eq(map_put(map, key_of(text, i), &values[i], NULL), 0);
}

static void *get(const struct map *map, size_t i)
{
	char text[24];

	return map_get(map, key_of(text, i));
}

START_TEST(map_finds_every_key_that_was_put_and_no_other)
{
	struct map *map = map_create(1000);

	for (size_t i = 0; i < 1000; i++)
		put(map, i);
	ck_assert_uint_eq(map_count(map), 1000);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_ptr_eq(get(map, i), &values[i]);
	for (size_t i = 1000; i < 2000; i++)
		ck_assert_ptr_null(get(map, i));
	map_destroy(map);
}
END_TEST

START_TEST(map_owns_a_copy_of_its_keys)
{
	struct map *map = map_create(10);
	char key[] = "default";

	ck_assert_int_eq(map_put(map, slice_of(key), values, NULL), 0);
	key[0] = 'X';
	ck_assert_ptr_null(map_get(map, slice_of(key)));
	ck_assert_ptr_eq(map_get(map, slice_of("default")), values);
	map_destroy(map);
}
END_TEST

START_TEST(map_keys_are_bytes_and_may_be_empty_or_hold_a_nul)
{
	struct map *map = map_create(10);

	map_put(map, slice_of(NULL), &values[0], NULL);
	map_put(map, slice_make("a\0b", 3), &values[1], NULL);
	map_put(map, slice_make("a\0c", 3), &values[2], NULL);
	ck_assert_ptr_eq(map_get(map, slice_of("")), &values[0]);
	ck_assert_ptr_eq(map_get(map, slice_make("a\0b", 3)), &values[1]);
	ck_assert_ptr_eq(map_get(map, slice_make("a\0c", 3)), &values[2]);
	ck_assert_ptr_null(map_get(map, slice_of("a")));
	map_destroy(map);
}
END_TEST

START_TEST(map_put_replaces_and_returns_the_former_value)
{
	struct map *map = map_create(10);
	void *former = values;

	ck_assert_int_eq(map_put(map, slice_of("k"), &values[1], &former), 0);
	ck_assert_ptr_null(former);
	ck_assert_int_eq(map_put(map, slice_of("k"), &values[2], &former), 0);
	ck_assert_ptr_eq(former, &values[1]);
	ck_assert_ptr_eq(map_get(map, slice_of("k")), &values[2]);
	ck_assert_uint_eq(map_count(map), 1);
	map_destroy(map);
}
END_TEST

START_TEST(map_that_is_full_takes_no_new_key_but_new_values)
{
	struct map *map = map_create(2);
	void *former = values;

	put(map, 0);
	put(map, 1);
	ck_assert_int_eq(map_put(map, slice_of("new"), values, &former), -ENOSPC);
	ck_assert_ptr_eq(former, values);
	ck_assert_uint_eq(map_count(map), 2);
	put(map, 1);
	map_remove(map, slice_of("namespace/0"));
	ck_assert_int_eq(map_put(map, slice_of("new"), values, NULL), 0);
	map_destroy(map);
}
END_TEST

START_TEST(map_remove_returns_the_value_and_leaves_the_others)
{
	struct map *map = map_create(1000);
	char text[24];

	ck_assert_ptr_null(map_remove(map, slice_of("absent")));
	for (size_t i = 0; i < 1000; i++)
		put(map, i);
	for (size_t i = 0; i < 1000; i += 3)
		ck_assert_ptr_eq(map_remove(map, key_of(text, i)), &values[i]);
	ck_assert_ptr_null(map_remove(map, slice_of("namespace/0")));
	ck_assert_uint_eq(map_count(map), 666);
	for (size_t i = 0; i < 1000; i++)
		ck_assert_ptr_eq(get(map, i), i % 3 ? &values[i] : NULL);
	map_destroy(map);
}
END_TEST

/* Puts and removes at random and compares with an array of what is in. */
START_TEST(map_agrees_with_a_plain_array_after_a_random_history)
{
	struct map *map = map_create(500);
	bool is_in[500] = { false };
	size_t count = 0;
	char text[24];

	srandom(1);
	for (int step = 0; step < 20000; step++) {
		size_t i = (size_t)random() % 500;

		if (random() % 2)
			put(map, i);
		else
			ck_assert_ptr_eq(map_remove(map, key_of(text, i)),
					 is_in[i] ? &values[i] : NULL);
		count -= is_in[i];
		is_in[i] = get(map, i);
		count += is_in[i];
		ck_assert_uint_eq(map_count(map), count);
	}
	for (size_t i = 0; i < 500; i++)
		ck_assert_ptr_eq(get(map, i), is_in[i] ? &values[i] : NULL);
	map_destroy(map);
}
END_TEST

START_TEST(map_walk_sees_every_entry_once)
{
	struct map *map = map_create(100);
	bool is_seen[100] = { false };
	size_t cursor = 0, n = 0;
	struct slice key;
	void *value;

	ck_assert(!map_next(map, &cursor, NULL, NULL));
	for (size_t i = 0; i < 100; i++)
		put(map, i);
	for (cursor = 0; map_next(map, &cursor, &key, &value); n++) {
		size_t i = (size_t)((char *)value - values);
		char text[24];

		ck_assert(!is_seen[i]);
		is_seen[i] = true;
		ck_assert(slice_eq(key, key_of(text, i)));
	}
	ck_assert_uint_eq(n, 100);
	ck_assert(!map_next(map, &cursor, NULL, NULL));
	map_destroy(map);
}
END_TEST

START_TEST(map_walk_goes_on_when_the_entry_just_seen_is_removed)
{
	/* Every entry, every second, none, only the first. */
	static const size_t steps[] = { 1, 2, 1000, 100 };

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct map *map = map_create(100);
		size_t cursor = 0, n = 0, removed = 0;
		struct slice key;

		for (size_t i = 0; i < 100; i++)
			put(map, i);
		for (; map_next(map, &cursor, &key, NULL); n++)
			if (n % steps[s] == 0 && map_remove(map, key))
				removed++;
		ck_assert_uint_eq(n, 100);
		ck_assert_uint_eq(map_count(map), 100 - removed);
		map_destroy(map);
	}
}
END_TEST

UNIT_MAIN("base/map", map_finds_every_key_that_was_put_and_no_other,
	  map_owns_a_copy_of_its_keys,
	  map_keys_are_bytes_and_may_be_empty_or_hold_a_nul,
	  map_put_replaces_and_returns_the_former_value,
	  map_that_is_full_takes_no_new_key_but_new_values,
	  map_remove_returns_the_value_and_leaves_the_others,
	  map_agrees_with_a_plain_array_after_a_random_history,
	  map_walk_sees_every_entry_once,
	  map_walk_goes_on_when_the_entry_just_seen_is_removed)
