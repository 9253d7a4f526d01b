#include "tests/unit/config/loading.h"

START_TEST(what_is_told_of_objects_that_leave_is_a_matter_of_each_resource)
{
	static const enum release_manner wanted[] = {
		RELEASE_MARKED, RELEASE_SUPPRESSED, RELEASE_DELETED, RELEASE_DELETED
	};

	load_whole("ring: foos\nresources:\n"
		   "  - {resource: foos, onRelease: marked, relist: nodiff, owns: [\n"
		   "      {relist: diff, resource: secrets, onRelease: suppress},\n"
		   "      {resource: pods}]}\n"
		   "  - {resource: bars, onRelease: deleted}\n");
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(config->spec.resources[i].on_release, wanted[i]);
		ck_assert_int_eq(config->spec.resources[i].lacks_diff, i == 0);
	}
	unload();
}
END_TEST

START_TEST(manners_of_release_that_there_are_not_are_refused_by_name)
{
	static const struct refusal cases[] = {
		{ "ring: foos\nresources: [{resource: foos, onRelease: gone}]\n",
		  "r.yaml:2:41: onRelease: expected deleted, marked or suppress" },
		{ "ring: foos\nresources: [{resource: foos, onRelease: [marked]}]\n",
		  "r.yaml:2:41: onRelease: expected text, found a list" },
		{ "ring: foos\nresources: [{resource: foos, onRelease: restart}]\n",
		  "r.yaml:2:41: onRelease: restart needs a controller that ringside "
		  "has started itself (exec mode), and this version starts none: "
		  "expected deleted, marked or suppress" },
		{ "ring: foos\nresources: [{resource: foos, relist: no}]\n",
		  "r.yaml:2:38: relist: expected diff or nodiff" },
		{ "ring: foos\nresources: [{relist: nodiff, resource: foos, "
		  "onRelease: suppress}]\n",
		  "r.yaml:2:22: relist: nodiff tells what has left, which onRelease: "
		  "suppress says never to" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

UNIT_MAIN("config/release",
	  what_is_told_of_objects_that_leave_is_a_matter_of_each_resource,
	  manners_of_release_that_there_are_not_are_refused_by_name)
