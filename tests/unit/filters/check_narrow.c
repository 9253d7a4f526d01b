#include <stdio.h>

#include "tests/unit/filters/desk.h"

static enum filter_verdict ask(struct desk *desk, const char *method,
			       const char *target)
{
	desk_open(desk, method, target);
	return filter_narrow.on_request(&desk->call);
}

/* What labelSelector becomes, in the order of parameters as they came. */
START_TEST(narrow_joins_the_selector_of_the_shard)
{
	static const struct {
		const char *method, *target, *selector;
	} rows[] = {
		{ "GET", FOOS, L " in (0,1,2)" },
		{ "GET", FOOS "?labelSelector=", L " in (0,1,2)" },
		{ "GET", FOOS "?labelSelector=app%3Da", "app=a," L " in (0,1,2)" },
		{ "GET", FOOS "?labelSelector=a+in+(b,c)",
		  "a in (b,c)," L " in (0,1,2)" },
		{ "GET", FOOS "?labelSelector=a&labelSelector=b",
		  "a," L " in (0,1,2)" },
		{ "GET", FOOS "?watch=1&labelSelector=a", "a," L " in (0,1,2)" },
		{ "GET", DEPLOYMENTS, L " notin (3,4,5,6,7)" },
		{ "GET", "/apis/apps/v1/deployments?watch=true",
		  L " notin (3,4,5,6,7)" },
		{ "GET", SECRETS, L " in (0,1,2)" },
		{ "DELETE", SECRETS "?labelSelector=a", "a," L " in (0,1,2)" },
		/* Whatever else narrows it too. */
		{ "GET", FOOS "?fieldSelector=metadata.name%3Dx", L " in (0,1,2)" },
		{ "GET", FOOS "?fieldSelector=metadata.name%3Dx&watch=1",
		  L " in (0,1,2)" },
		{ "GET", "/apis/apps/v1/watch/namespaces/ns/deployments",
		  L " notin (3,4,5,6,7)" },
		{ "GET", "/apis/apps/v1/watch/namespaces/ns/deployments/x",
		  L " notin (3,4,5,6,7)" },
		{ "GET", "/apis/apps/v1beta1/deployments", L " notin (3,4,5,6,7)" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		ck_assert_msg(ask(&desk, rows[i].method, rows[i].target) == FILTER_PASS,
			      "row %zu", i);
		ck_assert_ptr_nonnull(desk_parameter(&desk, "labelSelector"));
		ck_assert_str_eq(desk_parameter(&desk, "labelSelector"),
				 rows[i].selector);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(narrow_leaves_the_rest_of_the_query_as_it_came)
{
	struct desk desk;

	ck_assert_int_eq(ask(&desk, "GET",
			     FOOS "?shardSelector=a%2fb&limit=500&labelSelector=a&"
				  "x&timeoutSeconds=%33"),
			 FILTER_PASS);
	ck_assert_ptr_nonnull(strstr(desk_query(&desk), "shardSelector=a%2fb&limit=500&"
							"labelSelector=a"));
	ck_assert_ptr_nonnull(strstr(desk_query(&desk), "&x&timeoutSeconds=%33"));
	desk_close(&desk);
}
END_TEST

/* transparent: not a byte of what is not narrowed is another. */
START_TEST(transparent_narrow_touches_nothing_else)
{
	static const char *const rows[][2] = {
		{ "GET", "/api/v1/pods?labelSelector=a;b" },
		{ "GET", "/api/v1/namespaces/ns/configmaps?resourceVersion=1" },
		{ "GET", "/apis/extensions/v1beta1/deployments?labelSelector=(" },
		{ "GET", FOOS "/x?resourceVersion=1" },
		{ "GET", FOOS "/x?watch=true" },
		{ "GET", FOOS "/x/status" },
		{ "PUT", FOOS "/x?dryRun=All" },
		{ "POST", FOOS "?dryRun=All" },
		{ "PATCH", FOOS "/x?force=true" },
		{ "DELETE", FOOS "/x?resourceVersion=1" },
		{ "GET", "/healthz?verbose" },
		{ "GET", "/openapi//v2?timeout=32s" },
		{ "GET", "/api/v1/namespaces/ns/services/a/proxy//b/../foos?c=%zz" },
		{ "GET", "/api/v1//pods?x=1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;
		const char *question = strchr(rows[i][1], '?');

		ck_assert_msg(ask(&desk, rows[i][0], rows[i][1]) == FILTER_PASS,
			      "row %zu", i);
		ck_assert_str_eq(desk_query(&desk), question ? question + 1 : "");
		ck_assert(!desk.call.strips_encoding);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(fail_closed_narrow_refuses_what_it_cannot_narrow_for_certain)
{
	static const char *const rows[][3] = {
		{ "GET", FOOS "?labelSelector=a%zz", "more than one way" },
		{ "GET", FOOS "?a=1;labelSelector=b", "more than one way" },
		{ "DELETE", FOOS "?labelSelector=a%zz", "the query" },
		{ "DELETE", FOOS "?x;y", "the query" },
		{ "GET", "/apis/apps/v1/watch/deployments?a;b", "the query" },
		{ "GET", FOOS "?labelSelector=a+in+(", "labelSelector" },
		{ "GET", FOOS "?labelSelector=a)", "labelSelector" },
		{ "GET", FOOS "?labelSelector=a,", "labelSelector" },
		{ "GET", FOOS "?labelSelector=a!", "labelSelector" },
		{ "GET", FOOS "?labelSelector=+", "labelSelector" },
		{ "GET", FOOS "?labelSelector=a%00", "labelSelector" },
		{ "GET", FOOS "//", "more than one way" },
		{ "GET", FOOS "/.", "more than one way" },
		{ "GET", FOOS "/x/..", "more than one way" },
		{ "GET", "/x/.." FOOS, "more than one way" },
		{ "GET", "/apis/samplecontroller.k8s.io/v1//foos", "more than one" },
		/* Read as a namespace foos by us, as all foos by kube-apiserver. */
		{ "GET", "/apis/samplecontroller.k8s.io/v1/namespaces//foos",
		  "may be" },
		{ "GET", "/apis/samplecontroller.k8s.io/v1/namespaces/./foos",
		  "may be" },
		{ "GET", "/apis/samplecontroller.k8s.io/v1/namespaces//f%6fos",
		  "may be" },
		{ "GET", "/apis/samplecontroller.k8s.io/v1/namespaces/%2e/foos",
		  "may" },
		/* Any verb. */
		{ "PUT", FOOS "/./x", "more than one way" },
		{ "POST", FOOS "//", "more than one way" },
		{ "GET", FOOS "//x", "more than one way" },
		{ "DELETE", "/apis/samplecontroller.k8s.io/v1/namespaces//foos/x",
		  "may" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		ck_assert_msg(ask(&desk, rows[i][0], rows[i][1]) == FILTER_REPLY,
			      "row %zu: %s", i, rows[i][1]);
		desk_check_reply(&desk, 400, "BadRequest", rows[i][2]);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(narrow_asks_for_no_compression_where_answers_are_read)
{
	struct desk desk;

	ask(&desk, "GET", FOOS);
	ck_assert(desk.call.strips_encoding);
	desk_close(&desk);
	ask(&desk, "GET", FOOS "?watch=1");
	ck_assert(desk.call.strips_encoding);
	desk_close(&desk);
	ask(&desk, "DELETE", FOOS);
	ck_assert(!desk.call.strips_encoding);
	desk_close(&desk);
}
END_TEST

START_TEST(narrow_moves_positions_to_the_floor)
{
	static const struct {
		const char *query;
		const char *version, *match; /* NULL: not there */
	} rows[] = {
		{ "", NULL, NULL },
		{ "resourceVersion=", "", NULL },
		{ "resourceVersion=0", "100", "NotOlderThan" },
		{ "resourceVersion=0&limit=500", "100", "NotOlderThan" },
		{ "resourceVersion=99&resourceVersionMatch=NotOlderThan", "100",
		  "NotOlderThan" },
		{ "resourceVersion=0&resourceVersion=7", "100", "NotOlderThan" },
		{ "resourceVersion=101", "101", NULL },
		{ "watch=1&resourceVersion=0", NULL, NULL },
		{ "watch=1", NULL, NULL },
		{ "watch=1&resourceVersion=100", "100", NULL },
		{ "watch=1&sendInitialEvents=true&resourceVersion=5&"
		  "resourceVersionMatch=NotOlderThan",
		  "100", "NotOlderThan" },
		{ "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan",
		  NULL, "NotOlderThan" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;
		char target[256];
		const char *version, *match;

		snprintf(target, sizeof(target), FOOS "?%s", rows[i].query);
		ck_assert_msg(ask(&desk, "GET", target) == FILTER_PASS, "row %zu", i);
		version = desk_parameter(&desk, "resourceVersion");
		match = desk_parameter(&desk, "resourceVersionMatch");
		ck_assert_pstr_eq(version, rows[i].version);
		ck_assert_pstr_eq(match, rows[i].match);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(narrow_tells_positions_from_before_the_view_that_they_are_expired)
{
	static const char *const rows[] = {
		"watch=1&resourceVersion=99",
		"watch=1&resourceVersion=99&sendInitialEvents=false",
		"resourceVersion=99&resourceVersionMatch=Exact",
		"continue=garbage",
		"resourceVersion=0&continue=garbage&limit=500",
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;
		char target[256];

		snprintf(target, sizeof(target), FOOS "?%s", rows[i]);
		ck_assert_msg(ask(&desk, "GET", target) == FILTER_REPLY, "row %zu", i);
		desk_check_reply(&desk, 410, "Expired", "list again");
		desk_close(&desk);
	}
}
END_TEST

START_TEST(narrow_shows_a_standby_nothing_of_its_own)
{
	static const char *const rows[][2] = {
		{ FOOS, L ",!" L },
		{ SECRETS, L ",!" L },
		{ DEPLOYMENTS, "!" L },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		desk_open(&desk, "GET", rows[i][0]);
		desk.view.set = buckets("");
		ck_assert_int_eq(filter_narrow.on_request(&desk.call), FILTER_PASS);
		ck_assert_str_eq(desk_parameter(&desk, "labelSelector"), rows[i][1]);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(narrow_adds_nothing_where_the_view_is_the_whole)
{
	struct desk desk;

	desk_open(&desk, "GET", DEPLOYMENTS "?labelSelector=a%3Db");
	desk.view.set = buckets("0-7");
	ck_assert_int_eq(filter_narrow.on_request(&desk.call), FILTER_PASS);
	ck_assert_str_eq(desk_query(&desk), "labelSelector=a%3Db");
	desk_close(&desk);
	desk_open(&desk, "GET", FOOS);
	desk.view.set = buckets("0-7");
	ck_assert_int_eq(filter_narrow.on_request(&desk.call), FILTER_PASS);
	ck_assert_str_eq(desk_parameter(&desk, "labelSelector"),
			 L " in (0,1,2,3,4,5,6,7)");
	desk_close(&desk);
}
END_TEST

START_TEST(narrow_has_room_for_every_bucket_and_a_long_selector)
{
	static char target[100000];
	struct bucket_set set = { 0 };
	struct desk desk;

	strcpy(target, FOOS "?labelSelector=a");
	memset(target + strlen(target), 'a', 90000);
	for (int b = 0; b < BUCKETS_MAX; b += 2)
		bucket_set_add(&set, b);
	desk_open(&desk, "GET", target);
	desk.spec.buckets = BUCKETS_MAX;
	desk.view.set = set;
	ck_assert_int_eq(filter_narrow.on_request(&desk.call), FILTER_PASS);
	ck_assert_ptr_nonnull(strstr(desk_parameter(&desk, "labelSelector"), ",1022)"));
	desk_close(&desk);
}
END_TEST

UNIT_MAIN("filters/narrow", narrow_joins_the_selector_of_the_shard,
	  narrow_leaves_the_rest_of_the_query_as_it_came,
	  transparent_narrow_touches_nothing_else,
	  fail_closed_narrow_refuses_what_it_cannot_narrow_for_certain,
	  narrow_asks_for_no_compression_where_answers_are_read,
	  narrow_moves_positions_to_the_floor,
	  narrow_tells_positions_from_before_the_view_that_they_are_expired,
	  narrow_shows_a_standby_nothing_of_its_own,
	  narrow_adds_nothing_where_the_view_is_the_whole,
	  narrow_has_room_for_every_bucket_and_a_long_selector)
