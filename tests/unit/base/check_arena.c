#include "proxy/base/arena.h"

#include <stdalign.h>
#include <stdio.h>

#include "proxy/base/buf.h"
#include "tests/unit/unit.h"

static bool is_zero(const unsigned char *memory, size_t n)
{
	while (n && memory[n - 1] == 0)
		n--;
	return n == 0;
}

START_TEST(arena_memory_is_zeroed_aligned_and_apart)
{
	/* Smaller and larger than a block, and what divides none. */
	static const size_t sizes[] = {
		0, 1, 15, 16, 17, 1000, 1100, 4095, 4096, 100000
	};
	struct arena *arena = arena_create();

	for (size_t i = 0; i < 500; i++) {
		size_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
		unsigned char *memory = arena_alloc(arena, size);

		ck_assert_uint_eq((uintptr_t)memory % alignof(max_align_t), 0);
		ck_assert(is_zero(memory, size));
		if (size)
			memset(memory, 0xff, size);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(arena_memory_stays_where_it_is)
{
	struct arena *arena = arena_create();
	char *texts[1000];

	for (int i = 0; i < 1000; i++)
		texts[i] = arena_printf(arena, "text %d", i);
	for (int i = 0; i < 1000; i++) {
		char want[16];

		snprintf(want, sizeof(want), "text %d", i);
		ck_assert_str_eq(texts[i], want);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(arena_copy_does_not_depend_on_the_original)
{
	struct arena *arena = arena_create();
	char original[] = "lease";
	struct slice copy = arena_copy(arena, slice_of(original));
	char *text = arena_text(arena, slice_make(original, 3));

	memset(original, 'x', sizeof(original));
	ck_assert_slice(copy, "lease");
	ck_assert_int_eq(copy.data[copy.len], '\0');
	ck_assert_str_eq(text, "lea");
	arena_destroy(arena);
}
END_TEST

START_TEST(arena_copy_of_nothing_is_an_empty_text)
{
	struct arena *arena = arena_create();
	struct slice copy = arena_copy(arena, slice_of(NULL));

	ck_assert_uint_eq(copy.len, 0);
	ck_assert_str_eq(copy.data, "");
	ck_assert_str_eq(arena_text(arena, slice_of(NULL)), "");
	arena_destroy(arena);
}
END_TEST

START_TEST(arena_printf_has_no_longest_text)
{
	struct arena *arena = arena_create();
	char *text = arena_printf(arena, "%010000d", 7);

	ck_assert_uint_eq(strlen(text), 10000);
	ck_assert_int_eq(text[9999], '7');
	arena_destroy(arena);
}
END_TEST

struct note {
	struct buf *order;
	const char *name;
};

static void note_end(void *arg)
{
	const struct note *note = arg;

	buf_append_text(note->order, note->name);
}

START_TEST(arena_ends_run_last_added_first_while_its_memory_is_there)
{
	struct arena *arena = arena_create();
	struct buf order;

	buf_init(&order, 100);
	for (int i = 0; i < 5; i++) {
		struct note *note = arena_alloc(arena, sizeof(*note));

		note->order = &order;
		note->name = arena_printf(arena, "%d", i);
		arena_at_end(arena, note_end, note);
	}
	ck_assert_slice(buf_slice(&order), "");
	arena_destroy(arena);
	ck_assert_slice(buf_slice(&order), "43210");
	buf_finish(&order);
}
END_TEST

START_TEST(arena_destroy_takes_null)
{
	arena_destroy(NULL);
}
END_TEST

UNIT_MAIN("base/arena", arena_memory_is_zeroed_aligned_and_apart,
	  arena_memory_stays_where_it_is, arena_copy_does_not_depend_on_the_original,
	  arena_copy_of_nothing_is_an_empty_text, arena_printf_has_no_longest_text,
	  arena_ends_run_last_added_first_while_its_memory_is_there,
	  arena_destroy_takes_null)
