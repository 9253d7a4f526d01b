#include "proxy/base/marks.h"

#include <errno.h>

#include "tests/unit/unit.h"

START_TEST(marks_hold_the_last_mark_of_each_key)
{
	struct marks marks = { 0 };

	ck_assert_int_eq(marks_get(&marks, 0), 0);
	for (uint64_t key = 0; key < 10000; key++)
		ck_assert_int_eq(marks_set(&marks, key << 32, 1, SIZE_MAX), 0);
	for (uint64_t key = 0; key < 10000; key += 2)
		ck_assert_int_eq(marks_set(&marks, key << 32, 2, SIZE_MAX), 0);
	ck_assert_uint_eq(marks.n, 10000);
	for (uint64_t key = 0; key < 10000; key++) {
		ck_assert_int_eq(marks_get(&marks, key << 32), key % 2 ? 1 : 2);
		ck_assert_int_eq(marks_get(&marks, (key << 32) + 1), 0);
	}
	marks_clear(&marks);
	ck_assert_int_eq(marks_get(&marks, 0), 0);
	marks_clear(&marks);
}
END_TEST

START_TEST(marks_take_no_more_keys_than_they_may)
{
	struct marks marks = { 0 };

	for (uint64_t key = 0; key < 100; key++)
		ck_assert_int_eq(marks_set(&marks, key, 1, 50), key < 50 ? 0 : -ENOSPC);
	ck_assert_uint_eq(marks.n, 50);
	ck_assert_int_eq(marks_get(&marks, 50), 0);
	ck_assert_int_eq(marks_set(&marks, 49, 3, 50), 0);
	ck_assert_int_eq(marks_get(&marks, 49), 3);
	marks_clear(&marks);
}
END_TEST

UNIT_MAIN("base/marks", marks_hold_the_last_mark_of_each_key,
	  marks_take_no_more_keys_than_they_may)
