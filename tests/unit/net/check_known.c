#include "proxy/net/known.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define AGE_MS 5000
#define KEPT_MS 60000

static enum known_answer answer; /* the last one */

static int find(struct known *known, const char *key, const char *uid, int64_t now_ms)
{
	int bucket = BUCKET_NONE;

	answer = known_find(known, slice_of(key), slice_of(uid), now_ms, &bucket);
	return bucket;
}

static void put(struct known *known, const char *key, const char *uid, int bucket,
		int64_t at_ms)
{
	known_put(known, slice_of(key), slice_of(uid), bucket, at_ms);
}

START_TEST(known_is_found_by_key_and_uid_or_by_key_alone)
{
	struct known *known = known_create(10, AGE_MS, KEPT_MS);

	put(known, "0/default/a", "u1", 17, 1000);
	ck_assert_int_eq(find(known, "0/default/a", "u1", 1001), 17);
	ck_assert_int_eq(find(known, "0/default/a", "", 1001), 17);
	ck_assert_int_eq(answer, KNOWN);
	ck_assert_int_eq(find(known, "0/default/b", "u1", 1001), BUCKET_NONE);
	ck_assert_int_eq(answer, KNOWN_NOT);
	known_destroy(known);
}
END_TEST

START_TEST(known_name_that_was_reused_is_not_taken_for_the_old_object)
{
	struct known *known = known_create(10, AGE_MS, KEPT_MS);

	put(known, "k", "u1", 17, 1000);
	ck_assert_int_eq(find(known, "k", "u2", 1001), BUCKET_NONE);
	ck_assert_int_eq(answer, KNOWN_REUSED);
	put(known, "k", "u2", 18, 1002);
	ck_assert_int_eq(find(known, "k", "u2", 1003), 18);
	ck_assert_int_eq(find(known, "k", "u1", 1003), BUCKET_NONE);
	ck_assert_uint_eq(known_count(known), 1);
	known_destroy(known);
}
END_TEST

START_TEST(known_is_forgotten_when_it_is_old)
{
	struct known *known = known_create(10, AGE_MS, KEPT_MS);

	put(known, "k", "u", 17, 1000);
	ck_assert_int_eq(find(known, "k", "", 1000 + AGE_MS - 1), 17);
	ck_assert_int_eq(find(known, "k", "", 1000 + AGE_MS), BUCKET_NONE);
	ck_assert_int_eq(answer, KNOWN_OLD);
	/* Whoever names the uid may take it for longer. */
	ck_assert_int_eq(find(known, "k", "u", 1000 + AGE_MS - 1), 17);
	ck_assert_int_eq(answer, KNOWN);
	ck_assert_int_eq(find(known, "k", "u", 1000 + KEPT_MS - 1), 17);
	ck_assert_int_eq(answer, KNOWN_AGED);
	ck_assert_int_eq(find(known, "k", "v", 1000 + KEPT_MS - 1), BUCKET_NONE);
	ck_assert_int_eq(answer, KNOWN_REUSED);
	ck_assert_int_eq(find(known, "k", "u", 1000 + KEPT_MS), BUCKET_NONE);
	ck_assert_int_eq(answer, KNOWN_NOT);
	ck_assert_uint_eq(known_count(known), 0);
	known_destroy(known);
}
END_TEST

START_TEST(known_stays_when_something_older_comes_later)
{
	struct known *known = known_create(10, AGE_MS, KEPT_MS);

	put(known, "k", "u", 17, 2000);
	put(known, "k", "u", 16, 1000);
	ck_assert_int_eq(find(known, "k", "u", 2001), 17);
	put(known, "k", "u", 18, 2000);
	ck_assert_int_eq(find(known, "k", "u", 2001), 18);
	known_destroy(known);
}
END_TEST

START_TEST(known_that_came_late_is_old_as_well)
{
	struct known *known = known_create(10, AGE_MS, KEPT_MS);

	/* Asked earlier, answered later: it stands behind a younger one. */
	put(known, "young", "u", 1, 2000);
	put(known, "old", "u", 2, 1000);
	ck_assert_int_eq(find(known, "old", "", 1000 + AGE_MS), BUCKET_NONE);
	ck_assert_int_eq(find(known, "young", "", 1000 + AGE_MS), 1);
	known_destroy(known);
}
END_TEST

START_TEST(known_is_bounded_and_the_oldest_makes_room)
{
	struct known *known = known_create(100, AGE_MS, KEPT_MS);
	char key[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		put(known, key, "u", i % 256, 1000 + i);
		ck_assert_uint_le(known_count(known), 100);
	}
	ck_assert_int_eq(find(known, "899", "u", 2000), BUCKET_NONE);
	ck_assert_int_eq(find(known, "900", "u", 2000), 900 % 256);
	ck_assert_int_eq(find(known, "999", "u", 2000), 999 % 256);
	known_destroy(known);
}
END_TEST

UNIT_MAIN("net/known", known_is_found_by_key_and_uid_or_by_key_alone,
	  known_name_that_was_reused_is_not_taken_for_the_old_object,
	  known_is_forgotten_when_it_is_old,
	  known_stays_when_something_older_comes_later,
	  known_that_came_late_is_old_as_well,
	  known_is_bounded_and_the_oldest_makes_room)
