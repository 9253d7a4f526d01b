#include "proxy/member/foreign.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define AGE_MS 1000

static const struct owner_reference replica_set = { SLICE_LITERAL("apps/v1"),
						    SLICE_LITERAL("ReplicaSet"),
						    SLICE_LITERAL("r"),
						    SLICE_LITERAL("u1"), true };

static uint64_t hash_of(const struct owner_reference *owners, size_t n)
{
	struct object_meta meta = { .owners = owners, .owners_n = n };

	return foreign_hash_owners(&meta);
}

START_TEST(foreign_is_known_by_uid_and_owners)
{
	struct foreign *foreign = foreign_create(10, AGE_MS);

	foreign_add(foreign, slice_of("u"), 1, 0);
	ck_assert(foreign_has(foreign, slice_of("u"), 1, 0));
	ck_assert(!foreign_has(foreign, slice_of("u"), 2, 0));
	ck_assert(!foreign_has(foreign, slice_of("v"), 1, 0));
	/* Its owners have changed, and it is foreign still. */
	foreign_add(foreign, slice_of("u"), 2, 0);
	ck_assert(foreign_has(foreign, slice_of("u"), 2, 0));
	ck_assert(!foreign_has(foreign, slice_of("u"), 1, 0));
	ck_assert_uint_eq(foreign_count(foreign), 1);
	foreign_destroy(foreign);
}
END_TEST

START_TEST(foreign_hash_changes_with_every_part_of_an_owner)
{
	struct owner_reference owners[6];
	uint64_t hashes[6];

	for (int i = 0; i < 6; i++)
		owners[i] = replica_set;
	owners[1].api_version = slice_of("apps/v2");
	owners[2].kind = slice_of("Deployment");
	owners[3].name = slice_of("s");
	owners[4].uid = slice_of("u2");
	owners[5].is_controller = false;
	for (int i = 0; i < 6; i++)
		hashes[i] = hash_of(&owners[i], 1);
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < i; j++)
			ck_assert(hashes[i] != hashes[j]);
	ck_assert(hash_of(owners, 2) != hash_of(owners, 1));
	ck_assert(hash_of(owners, 0) != hash_of(owners, 1));
	ck_assert(hash_of(owners, 1) == hash_of(&replica_set, 1));
}
END_TEST

START_TEST(foreign_is_asked_again_after_a_while)
{
	struct foreign *foreign = foreign_create(10, AGE_MS);

	foreign_add(foreign, slice_of("u"), 1, 5000);
	ck_assert(foreign_has(foreign, slice_of("u"), 1, 5000 + AGE_MS - 1));
	ck_assert(!foreign_has(foreign, slice_of("u"), 1, 5000 + AGE_MS));
	ck_assert_uint_eq(foreign_count(foreign), 0);
	foreign_destroy(foreign);
}
END_TEST

START_TEST(foreign_is_bounded_and_the_oldest_makes_room)
{
	struct foreign *foreign = foreign_create(100, AGE_MS);
	char uid[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(uid, sizeof(uid), "%d", i);
		foreign_add(foreign, slice_of(uid), 1, 0);
		ck_assert_uint_le(foreign_count(foreign), 100);
	}
	ck_assert(!foreign_has(foreign, slice_of("899"), 1, 0));
	ck_assert(foreign_has(foreign, slice_of("900"), 1, 0));
	foreign_destroy(foreign);
}
END_TEST

UNIT_MAIN("member/foreign", foreign_is_known_by_uid_and_owners,
	  foreign_hash_changes_with_every_part_of_an_owner,
	  foreign_is_asked_again_after_a_while,
	  foreign_is_bounded_and_the_oldest_makes_room)
