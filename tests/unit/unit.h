/*
 * What every unit test program shares. A program tests one module, a test's name
 * is a sentence, and the last line names them all:
 *
 *	START_TEST(buf_append_beyond_the_cap_changes_nothing) { ... } END_TEST
 *	UNIT_MAIN("base/buf", buf_append_beyond_the_cap_changes_nothing)
 *
 * A test that is not named there does not compile.
 */
#ifndef RINGSIDE_UNIT_H
#define RINGSIDE_UNIT_H

#include <check.h>
#include <stdlib.h>

#include "proxy/base/slice.h"

/* For one test; check's 4 seconds are few on a busy machine, under ASan. */
#define UNIT_SECONDS_MAX 180

/* What the slice holds is the text. */
#define ck_assert_slice(bytes, text) \
	do { \
		struct slice unit_have = (bytes); \
		const char *unit_want = (text); \
		ck_assert_msg(slice_is(unit_have, unit_want), \
			      "%s is '%.*s', not '%s'", #bytes, SLICE_ARGS(unit_have), \
			      unit_want); \
	} while (0)

static inline int unit_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	tcase_set_timeout(tcase, UNIT_SECONDS_MAX);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_MAIN(name, ...) \
	int main(void) \
	{ \
		const TTest *const tests[] = { __VA_ARGS__ }; \
		return unit_run(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
