#include "proxy/member/label_pass.h"

#include <fcntl.h>

#include "proxy/base/log.h"
#include "tests/unit/unit.h"

/* Two sources, numbered 4 and 5. */
#define A 4
#define B 5

static const struct ring_resource foos = { .group = SLICE_LITERAL("g"),
					   .resource = SLICE_LITERAL("foos") };

static struct label_pass begin(struct arena *arena)
{
	struct label_pass pass;

	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_DEBUG);
	label_pass_init(&pass, arena, &foos, false);
	ck_assert(!label_pass_completes(&pass, 0));
	label_pass_start(&pass, arena, A, 2, 1000);
	label_pass_on_list(&pass, A);
	label_pass_on_list(&pass, B);
	return pass;
}

START_TEST(label_pass_is_complete_once_all_sources_have_listed)
{
	struct arena *arena = arena_create();
	struct label_pass pass = begin(arena);

	ck_assert(!label_pass_completes(&pass, 1001));
	label_pass_on_synced(&pass, A);
	ck_assert(!label_pass_completes(&pass, 1002));
	label_pass_on_synced(&pass, B);
	ck_assert(label_pass_completes(&pass, 1003));
	ck_assert(!label_pass_completes(&pass, 1004));
	arena_destroy(arena);
}
END_TEST

START_TEST(label_pass_waits_for_what_the_lists_have_brought)
{
	struct arena *arena = arena_create();
	struct label_pass pass = begin(arena);
	struct label_item first = { .source = A }, later = { .source = A };

	label_pass_enter(&pass, &first, NULL);
	label_pass_on_synced(&pass, A);
	label_pass_on_synced(&pass, B);
	/* The watch brings this one. */
	label_pass_enter(&pass, &later, NULL);
	ck_assert(!later.is_first);
	ck_assert(!label_pass_completes(&pass, 1001));
	label_pass_leave(&pass, &first);
	ck_assert(label_pass_completes(&pass, 1002));
	label_pass_leave(&pass, &later);
	ck_assert_uint_eq(pass.left, 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(label_pass_object_seen_anew_stays_of_the_first_pass)
{
	struct arena *arena = arena_create();
	struct label_pass pass = begin(arena);
	struct label_item first = { .source = A }, anew = { .source = A };

	label_pass_enter(&pass, &first, NULL);
	label_pass_on_synced(&pass, A);
	label_pass_on_synced(&pass, B);
	label_pass_enter(&pass, &anew, &first);
	label_pass_leave(&pass, &first);
	ck_assert(anew.is_first);
	ck_assert(!label_pass_completes(&pass, 1001));
	label_pass_leave(&pass, &anew);
	ck_assert(label_pass_completes(&pass, 1002));
	arena_destroy(arena);
}
END_TEST

START_TEST(label_pass_list_that_begins_anew_is_waited_for)
{
	struct arena *arena = arena_create();
	struct label_pass pass = begin(arena);
	struct label_item lost = { .source = A }, found = { .source = A };

	label_pass_enter(&pass, &lost, NULL);
	label_pass_enter(&pass, &found, NULL);
	label_pass_on_synced(&pass, A);
	label_pass_on_synced(&pass, B);
	label_pass_on_list(&pass, A);
	/* A LIST that fails begins again and again. */
	label_pass_on_list(&pass, A);
	label_pass_enter(&pass, &found, &found);
	label_pass_leave(&pass, &found);
	ck_assert(label_pass_has_lost(&pass, &lost));
	ck_assert(!label_pass_has_lost(&pass, &found));
	label_pass_leave(&pass, &lost);
	label_pass_leave(&pass, &found);
	ck_assert(!label_pass_completes(&pass, 1001));
	label_pass_on_synced(&pass, A);
	ck_assert(label_pass_completes(&pass, 1002));
	arena_destroy(arena);
}
END_TEST

START_TEST(label_pass_that_was_complete_before_is_not_told_again)
{
	struct arena *arena = arena_create();
	struct label_pass pass;
	struct label_item item = { .source = A };

	label_pass_init(&pass, arena, &foos, true);
	label_pass_start(&pass, arena, A, 1, 1000);
	label_pass_on_list(&pass, A);
	label_pass_enter(&pass, &item, NULL);
	ck_assert(!item.is_first);
	label_pass_on_synced(&pass, A);
	ck_assert(!label_pass_completes(&pass, 1001));
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("member/label_pass", label_pass_is_complete_once_all_sources_have_listed,
	  label_pass_waits_for_what_the_lists_have_brought,
	  label_pass_object_seen_anew_stays_of_the_first_pass,
	  label_pass_list_that_begins_anew_is_waited_for,
	  label_pass_that_was_complete_before_is_not_told_again)
