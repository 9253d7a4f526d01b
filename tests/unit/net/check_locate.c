#include "tests/unit/net/locate_story.h"

START_TEST(locate_labelled_object_is_where_its_label_says)
{
	struct story story;
	struct reply reply;
	struct transfer *get;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	get = fake_expect(story.fake, FOO_LINE);
	ck_assert_str_eq(fake_accept(get), API_METADATA);
	fake_answer(get, 200, OBJECT("f", "uf", LABEL("17")));
	expect_placed(&story, &reply, PLACED_AT, 17);
	story_end(&story);
}
END_TEST

START_TEST(locate_absent_and_unlabelled_main_objects)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	fake_answer(fake_expect(story.fake, FOO_LINE), 404, NOT_FOUND("f"));
	expect_placed(&story, &reply, PLACED_ABSENT, 0);
	ask(&story, &reply, FOOS, "f", "");
	answer(&story, FOO_LINE, OBJECT("f", "uf", ""));
	expect_placed(&story, &reply, PLACED_NOWHERE, 0);
	ask(&story, &reply, FOOS, "f", "");
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("017")));
	expect_placed(&story, &reply, PLACED_NOWHERE, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_unlabelled_owned_object_is_where_its_owner_is_at_any_depth)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, REPLICASETS, "r", "");
	answer(&story, REPLICASET_LINE, OBJECT("r", "ur", OF_DEPLOYMENT));
	answer(&story, DEPLOYMENT_LINE, OBJECT("d", "ud", OF_FOO));
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("3")));
	expect_placed(&story, &reply, PLACED_AT, 3);
	story_end(&story);
}
END_TEST

START_TEST(locate_owned_object_whose_main_owner_is_unlabelled_is_nowhere_yet)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, DEPLOYMENTS, "d", "");
	answer(&story, DEPLOYMENT_LINE, OBJECT("d", "ud", OF_FOO));
	answer(&story, FOO_LINE, OBJECT("f", "uf", ""));
	expect_placed(&story, &reply, PLACED_NOWHERE, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_object_that_belongs_to_nobody_is_foreign)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, DEPLOYMENTS, "d", "");
	answer(&story, DEPLOYMENT_LINE, OBJECT("d", "ud", ""));
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	ask(&story, &reply, DEPLOYMENTS, "d", "");
	answer(&story, DEPLOYMENT_LINE,
	       OBJECT("d", "ud", OWNER("apps/v1", "DaemonSet", "x", "ux")));
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	/* The same kind in another group is another kind. */
	ask(&story, &reply, DEPLOYMENTS, "d", "");
	answer(&story, DEPLOYMENT_LINE,
	       OBJECT("d", "ud", OWNER("other/v1", "Foo", "f", "uf")));
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_owner_that_is_gone_or_came_anew_is_no_owner)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask_owner(&story, &reply, &foo_owner, false);
	fake_answer(fake_expect(story.fake, FOO_LINE), 404, NOT_FOUND("f"));
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	ask_owner(&story, &reply, &foo_owner, false);
	answer(&story, FOO_LINE, OBJECT("f", "another", LABEL("3")));
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_owner_whose_name_no_object_can_have_is_no_owner)
{
	struct story story;
	struct reply reply;
	struct owner_reference owner = foo_owner;

	story_begin(&story);
	owner.name = slice_of("../../secrets/s");
	ask_owner(&story, &reply, &owner, false);
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	owner.name = slice_of("");
	ask_owner(&story, &reply, &owner, false);
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	owner.name = (struct slice){ calloc(1, 100000), 100000 };
	ask_owner(&story, &reply, &owner, false);
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	free((char *)owner.name.data);
	story_end(&story);
}
END_TEST

START_TEST(locate_object_whose_name_cannot_be_is_a_failure)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "..", "");
	expect_failed(&story, &reply, "name");
	story_end(&story);
}
END_TEST

START_TEST(locate_circle_of_owners_ends_as_foreign)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, REPLICASETS, "r", "");
	answer(&story, REPLICASET_LINE, OBJECT("r", "ur", OF_DEPLOYMENT));
	for (int i = 0; i < LOCATE_DEPTH_MAX / 2; i++) {
		answer(&story, DEPLOYMENT_LINE,
		       OBJECT("d", "ud", OWNER("apps/v1", "ReplicaSet", "r", "ur")));
		answer(&story, REPLICASET_LINE, OBJECT("r", "ur", OF_DEPLOYMENT));
	}
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_object_that_owns_itself_ends_as_foreign)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, DEPLOYMENTS, "d", "");
	answer(&story, DEPLOYMENT_LINE, OBJECT("d", "ud", OF_DEPLOYMENT));
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_planned_owner_counts_as_placed_where_its_label_will_say)
{
	struct story story;
	struct reply reply;
	struct object_key key = { SLICE_LITERAL("g"), SLICE_LITERAL("foos"),
				  SLICE_LITERAL("ns"), SLICE_LITERAL("f") };

	story_begin(&story);
	ask_owner(&story, &reply, &foo_owner, true);
	answer(&story, FOO_LINE, OBJECT("f", "uf", ""));
	expect_placed(
		&story, &reply, PLACED_AT,
		bucket_place(story.ring.spec.placement, story.ring.spec.buckets, &key));
	/* A label wins over placement. */
	ask_owner(&story, &reply, &foo_owner, true);
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("255")));
	expect_placed(&story, &reply, PLACED_AT, 255);
	story_end(&story);
}
END_TEST

START_TEST(locate_refusal_names_the_rule_that_is_missing)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	fake_answer(fake_expect(story.fake, FOO_LINE), 403, "{\"message\":\"no\"}");
	expect_failed(&story, &reply, "\"get\" on foos.g");
	story_end(&story);
}
END_TEST

START_TEST(locate_type_that_is_not_served_is_no_absent_object)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	fake_answer(fake_expect(story.fake, FOO_LINE), 404, "404 page not found");
	expect_failed(&story, &reply, "HTTP 404");
	story_end(&story);
}
END_TEST

START_TEST(locate_answer_that_does_not_come_is_a_failure)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	fake_end(fake_expect(story.fake, FOO_LINE), UPSTREAM_TIMEOUT);
	expect_failed(&story, &reply, "the connection broke");
	story_end(&story);
}
END_TEST

START_TEST(locate_questions_about_one_object_share_one_get)
{
	struct story story;
	struct reply replies[3];

	story_begin(&story);
	ask(&story, &replies[0], FOOS, "f", "");
	ask(&story, &replies[1], FOOS, "f", "uf");
	ask_owner(&story, &replies[2], &foo_owner, false);
	ck_assert_uint_eq(fake_unanswered(story.fake), 1);
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("17")));
	for (int i = 0; i < 3; i++)
		expect_placed(&story, &replies[i], PLACED_AT, 17);
	story_end(&story);
}
END_TEST

START_TEST(locate_remembers_what_is_labelled_for_the_same_uid_alone)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("17")));
	expect_placed(&story, &reply, PLACED_AT, 17);
	ask(&story, &reply, FOOS, "f", "uf");
	expect_placed(&story, &reply, PLACED_AT, 17);
	ask(&story, &reply, FOOS, "f", "another");
	answer(&story, FOO_LINE, OBJECT("f", "another", LABEL("18")));
	expect_placed(&story, &reply, PLACED_AT, 18);
	ck_assert_int_eq(locator_values(story.locator)[LOCATOR_KNOWN], 1);
	ck_assert_int_eq(locator_values(story.locator)[LOCATOR_FETCHED_NEW], 1);
	ck_assert_int_eq(locator_values(story.locator)[LOCATOR_FETCHED_REUSED], 1);
	story_end(&story);
}
END_TEST

START_TEST(locate_does_not_remember_that_there_was_no_label)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	ask(&story, &reply, FOOS, "f", "");
	answer(&story, FOO_LINE, OBJECT("f", "uf", ""));
	expect_placed(&story, &reply, PLACED_NOWHERE, 0);
	ask(&story, &reply, FOOS, "f", "");
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("4")));
	expect_placed(&story, &reply, PLACED_AT, 4);
	story_end(&story);
}
END_TEST

START_TEST(locate_decides_by_no_kind_while_the_catalog_is_not_complete)
{
	struct story story;
	struct reply reply;

	story_begin_unknown(&story);
	ask_owner(&story, &reply, &foo_owner, false);
	expect_failed(&story, &reply, "not every sharded resource is known");
	/* Where no kind matters, it does not have to be. */
	ask_owner(&story, &reply, NULL, false);
	expect_placed(&story, &reply, PLACED_FOREIGN, 0);
	story_end(&story);
}
END_TEST

START_TEST(locate_cancelled_call_is_not_answered_and_the_others_are)
{
	struct story story;
	struct reply replies[2], alone;
	struct locate_call *call;

	story_begin(&story);
	call = ask(&story, &replies[0], FOOS, "f", "");
	ask(&story, &replies[1], FOOS, "f", "");
	locate_cancel(call);
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("17")));
	expect_placed(&story, &replies[1], PLACED_AT, 17);
	ck_assert(!replies[0].is_there);
	/* Nobody waits any more: the request is given up. */
	call = ask(&story, &alone, FOOS, "x", "");
	ck_assert_uint_eq(fake_unanswered(story.fake), 1);
	locate_cancel(call);
	ck_assert_uint_eq(fake_unanswered(story.fake), 0);
	/* Found already, and not told yet. */
	call = ask(&story, &alone, FOOS, "f", "uf");
	locate_cancel(call);
	fake_settle(story.fake);
	ck_assert(!alone.is_there);
	story_end(&story);
}
END_TEST

START_TEST(locate_calls_under_way_end_with_the_locator)
{
	struct story story;
	struct reply replies[2];

	story_begin(&story);
	ask(&story, &replies[0], FOOS, "f", "");
	ask(&story, &replies[1], FOOS, "f", "");
	story_end(&story);
	ck_assert(!replies[0].is_there && !replies[1].is_there);
}
END_TEST

UNIT_MAIN("net/locate", locate_labelled_object_is_where_its_label_says,
	  locate_absent_and_unlabelled_main_objects,
	  locate_unlabelled_owned_object_is_where_its_owner_is_at_any_depth,
	  locate_owned_object_whose_main_owner_is_unlabelled_is_nowhere_yet,
	  locate_object_that_belongs_to_nobody_is_foreign,
	  locate_owner_that_is_gone_or_came_anew_is_no_owner,
	  locate_owner_whose_name_no_object_can_have_is_no_owner,
	  locate_object_whose_name_cannot_be_is_a_failure,
	  locate_circle_of_owners_ends_as_foreign,
	  locate_object_that_owns_itself_ends_as_foreign,
	  locate_planned_owner_counts_as_placed_where_its_label_will_say,
	  locate_refusal_names_the_rule_that_is_missing,
	  locate_type_that_is_not_served_is_no_absent_object,
	  locate_answer_that_does_not_come_is_a_failure,
	  locate_questions_about_one_object_share_one_get,
	  locate_remembers_what_is_labelled_for_the_same_uid_alone,
	  locate_does_not_remember_that_there_was_no_label,
	  locate_decides_by_no_kind_while_the_catalog_is_not_complete,
	  locate_cancelled_call_is_not_answered_and_the_others_are,
	  locate_calls_under_way_end_with_the_locator)
