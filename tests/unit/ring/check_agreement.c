#include "proxy/ring/agreement.h"

#include "tests/unit/unit.h"

static const struct ring_spec spec = { .buckets = 256, .hash = "0123456789abcdef" };

static struct assignment agreed(void)
{
	return (struct assignment){ .epoch = 3,
				    .buckets = 256,
				    .resources = SLICE_LITERAL("0123456789abcdef") };
}

START_TEST(settings_of_a_member_and_of_its_ring_are_one_text)
{
	struct arena *arena = arena_create();
	struct assignment assignment = agreed();

	ck_assert_str_eq(settings_of_spec(&spec, arena),
			 "0123456789abcdef/256/namespace,name");
	ck_assert_str_eq(settings_of_assignment(&assignment, arena),
			 settings_of_spec(&spec, arena));
	assignment.placement = PLACEMENT_NAME;
	ck_assert_str_eq(settings_of_assignment(&assignment, arena),
			 "0123456789abcdef/256/name");
	arena_destroy(arena);
}
END_TEST

START_TEST(agreement_names_the_gravest_difference)
{
	struct assignment assignment = agreed();

	ck_assert_int_eq(agreement_with(&assignment, &spec), AGREEMENT_FULL);
	assignment.resources = SLICE_LITERAL("fedcba9876543210");
	ck_assert_int_eq(agreement_with(&assignment, &spec), AGREEMENT_RESOURCES);
	assignment.placement = PLACEMENT_NAME;
	ck_assert_int_eq(agreement_with(&assignment, &spec), AGREEMENT_PLACEMENT);
	assignment.buckets = 512;
	ck_assert_int_eq(agreement_with(&assignment, &spec), AGREEMENT_BUCKETS);
	assignment.epoch = 0;
	ck_assert_int_eq(agreement_with(&assignment, &spec), AGREEMENT_FULL);
}
END_TEST

static const struct {
	struct assignment_version known, read;
	bool is_same;
	enum version_verdict verdict;
} versions[] = {
	{ { 0, 0 }, { 1, 100 }, false, VERSION_NEW },
	{ { 7, 100 }, { 8, 101 }, false, VERSION_NEW },
	{ { 7, 100 }, { 9, 300 }, false, VERSION_NEW },
	{ { 7, 100 }, { 7, 101 }, true, VERSION_NEW },
	{ { 7, 100 }, { 7, 101 }, false, VERSION_REVERTED },
	{ { 7, 100 }, { 7, 100 }, true, VERSION_STALE },
	{ { 7, 100 }, { 6, 99 }, false, VERSION_STALE },
	{ { 7, 100 }, { 8, 99 }, false, VERSION_STALE },
	{ { 7, 100 }, { 6, 101 }, false, VERSION_REVERTED },
	{ { 7, 100 }, { 0, 101 }, false, VERSION_REVERTED },
	{ { 0, 0 }, { 0, 101 }, false, VERSION_REVERTED },
};

START_TEST(version_never_goes_back)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		ck_assert_msg(version_judge(&versions[i].known, &versions[i].read,
					    versions[i].is_same) == versions[i].verdict,
			      "row %zu", i);
}
END_TEST

UNIT_MAIN("ring/agreement", settings_of_a_member_and_of_its_ring_are_one_text,
	  agreement_names_the_gravest_difference, version_never_goes_back)
