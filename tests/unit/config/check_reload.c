#include <errno.h>

#include "config/tables.h"
#include "tests/unit/config/loading.h"

/* What MINIMAL may become in a running process; changed: NULL, or what may not. */
static void check_change(const char *text, const char *changed)
{
	struct config *now;
	struct err why = { "" };
	char message[200];
	int rc;

	load_whole(MINIMAL);
	now = config;
	config = NULL;
	load_whole(text);
	rc = config_can_reload(now, config, &why);
	if (changed) {
		snprintf(message, sizeof(message),
			 "r.yaml: %s cannot change in a running process: restart the "
			 "member",
			 changed);
		ck_assert_int_eq(rc, -EPERM);
		ck_assert_str_eq(why.text, message);
	} else {
		ck_assert_msg(rc == 0, "%s", why.text);
	}
	config_destroy(now);
	unload();
}

START_TEST(a_reload_may_change_nothing_and_what_says_so)
{
	check_change(MINIMAL, NULL);
	check_change("resources:\n# moved\n  - {group: '', resource: pods}\n"
		     "ring: foos\nbuckets: 256\n",
		     NULL);
	check_change(MINIMAL "shards: 5\ngeneration: 2\nlog: {level: debug}\n"
			     "hold: 1s\n",
		     NULL);
}
END_TEST

START_TEST(a_reload_may_not_change_the_ring)
{
	check_change("ring: bars\nresources: [{resource: pods}]\n", "ring");
	check_change(MINIMAL "buckets: 128\n", "buckets");
	check_change(MINIMAL "key: [name]\n", "key");
	check_change(MINIMAL "namespaces: [a]\n", "namespaces");
	check_change(MINIMAL "locks: [{name: a}]\n", "locks");
	check_change("ring: foos\nresources: [{resource: foos}]\n", "resources");
	check_change("ring: foos\nresources: [{resource: pods, owns: "
		     "[{resource: secrets}]}]\n",
		     "resources");
	check_change("ring: foos\nresources: [{resource: pods, refuse: notFound}]\n",
		     "resources");
	check_change("ring: foos\nresources: [{resource: pods, relist: nodiff}]\n",
		     "resources");
	check_change("ring: foos\nresources: [{resource: pods, onRelease: marked}]\n",
		     "resources");
}
END_TEST

START_TEST(a_reload_names_the_first_option_that_may_not_change)
{
	check_change(MINIMAL "lease: {duration: 20s, renew: 4s}\nshards: 2\n",
		     "lease.duration");
	check_change(MINIMAL "member: a\n", "member");
	check_change(MINIMAL "listen: {http: 127.0.0.1:1}\n", "listen.http");
}
END_TEST

UNIT_MAIN("config/reload", a_reload_may_change_nothing_and_what_says_so,
	  a_reload_may_not_change_the_ring,
	  a_reload_names_the_first_option_that_may_not_change)
