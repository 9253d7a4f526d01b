#include "proxy/member/labeller.h"

#include <stdio.h>

#include "tests/unit/member/town/town.c" // NOLINT(bugprone-suspicious-include)

struct story {
	struct town town;
	struct member_conf conf;
	const char *namespaces[3];
	struct locator *locator;
	struct labeller *labeller;
	int64_t values[LABELLER_METRICS_N];
	char passed[64]; /* the resources, in order */
	bool is_passed;  /* FOOS, which is the last */
	bool ends_early; /* on_labelled destroys the labeller */
	int turns;       /* after which it is destroyed */
	int64_t waiting_max;
};

static struct story *story; /* too large for a stack */

static void on_labelled(void *arg, int resource)
{
	size_t used = strlen(story->passed);

	(void)arg;
	snprintf(story->passed + used, sizeof(story->passed) - used, "%d ", resource);
	story->is_passed |= resource == FOOS;
	if (story->ends_early) {
		labeller_destroy(story->labeller);
		story->labeller = NULL;
	}
}

static struct town *begin(void)
{
	story = calloc(1, sizeof(*story));
	town_init(&story->town);
	story->conf.label_concurrency = 4;
	story->conf.label_rate = 10000;
	story->locator = locator_create(&story->town.ring.fake->api,
					story->town.ring.catalog,
					&story->town.ring.spec);
	return &story->town;
}

static void start(uint32_t labelled)
{
	struct labeller_env env = { .loop = story->town.ring.fake->loop,
				    .api = &story->town.ring.fake->api,
				    .spec = &story->town.ring.spec,
				    .catalog = story->town.ring.catalog,
				    .locator = story->locator,
				    .conf = &story->conf,
				    .namespaces = story->namespaces,
				    .on_labelled = on_labelled };

	story->labeller = labeller_create(&env, labelled);
	labeller_count_into(story->labeller, story->values);
}

static void run(const bool *is_true)
{
	fake_run_until(story->town.ring.fake, is_true);
}

/* For a while of real time. */
static void run_ms(int64_t ms)
{
	struct loop *loop = story->town.ring.fake->loop;
	int64_t end_ms = loop_now_ms(loop) + ms;

	while (loop_now_ms(loop) < end_ms)
		fake_settle(story->town.ring.fake);
}

static void run_until_labelled(const struct object *object)
{
	for (int i = 0; i < 5000 && town_bucket(object) == BUCKET_NONE; i++)
		run_ms(1);
	ck_assert_msg(town_bucket(object) != BUCKET_NONE, "%s got no label",
		      object->name);
}

static void end(void)
{
	labeller_destroy(story->labeller);
	ck_assert_int_eq(story->values[LABELLER_WAITING], 0);
	locator_destroy(story->locator);
	town_finish(&story->town);
	free(story);
}

static int placement_of(const struct object *object)
{
	struct object_key key = { SLICE_LITERAL("g"), SLICE_LITERAL("foos"),
				  SLICE_LITERAL("ns"), slice_of(object->name) };

	return bucket_place(PLACEMENT_NAMESPACE_NAME, 256, &key);
}

START_TEST(labeller_first_pass_labels_owned_objects_before_main_ones)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "");
	struct object *deployment = town_add_owned(town, DEPLOYMENTS, "d", foo);
	struct object *replicas = town_add_owned(town, REPLICASETS, "r", deployment);

	start(0);
	run(&story->is_passed);
	ck_assert_str_eq(town->patched + strlen(town->patched) - 2, "f ");
	ck_assert_str_eq(story->passed + strlen(story->passed) - 2, "0 ");
	ck_assert_uint_eq(strlen(story->passed), 6);
	ck_assert_int_eq(town_bucket(foo), placement_of(foo));
	ck_assert_int_eq(town_bucket(deployment), placement_of(foo));
	ck_assert_int_eq(town_bucket(replicas), placement_of(foo));
	ck_assert_int_eq(story->values[LABELLER_LABELLED], 3);
	end();
}
END_TEST

START_TEST(labeller_owned_objects_follow_the_label_of_their_owner)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "200");
	struct object *deployment = town_add_owned(town, DEPLOYMENTS, "d", foo);

	start(0);
	run(&story->is_passed);
	ck_assert_int_eq(town_bucket(deployment), 200);
	ck_assert_int_eq(foo->patches, 0);
	end();
}
END_TEST

START_TEST(labeller_leaves_alone_what_belongs_to_nobody)
{
	struct town *town = begin();
	struct object *stray = town_add_owned(town, DEPLOYMENTS, "stray", NULL);
	struct object *child = town_add_owned(town, REPLICASETS, "child", stray);

	start(0);
	run(&story->is_passed);
	ck_assert_int_eq(town_bucket(stray), BUCKET_NONE);
	ck_assert_int_eq(town_bucket(child), BUCKET_NONE);
	ck_assert_int_eq(stray->patches + child->patches, 0);
	ck_assert_int_eq(story->values[LABELLER_UNRELATED], 2);
	/* The one whose owner had to be looked up is remembered. */
	ck_assert_int_eq(town->gets, 1);
	for (int i = 0; i < 5; i++)
		town_touch(town, child);
	run_ms(20);
	ck_assert_int_eq(story->values[LABELLER_UNRELATED], 7);
	ck_assert_int_eq(town->gets, 1);
	end();
}
END_TEST

START_TEST(labeller_object_that_is_adopted_is_judged_anew)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "9");
	struct object *stray = town_add_owned(town, DEPLOYMENTS, "stray", NULL);
	struct object *child = town_add_owned(town, REPLICASETS, "child", stray);

	start(0);
	run(&story->is_passed);
	town_set_owner(child, foo);
	town_touch(town, child);
	run_until_labelled(child);
	ck_assert_int_eq(town_bucket(child), 9);
	end();
}
END_TEST

START_TEST(labeller_overwrites_garbage)
{
	static const char *const garbage[] = { "256", "x", "007", "-1" };
	struct town *town = begin();

	for (int i = 0; i < 4; i++)
		town_add(town, FOOS, garbage[i] + (garbage[i][0] == '-'), garbage[i]);
	start(0);
	run(&story->is_passed);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(town_bucket(&town->objects[i]),
				 placement_of(&town->objects[i]));
	ck_assert_int_eq(story->values[LABELLER_GARBAGE], 4);
	end();
}
END_TEST

START_TEST(labeller_labels_what_is_created_later)
{
	struct town *town = begin();
	struct object *foo, *deployment;

	start(0);
	run(&story->is_passed);
	deployment =
		town_add_owned(town, DEPLOYMENTS, "d", town_add(town, FOOS, "f", ""));
	foo = &town->objects[0];
	run_until_labelled(foo);
	run_until_labelled(deployment);
	ck_assert_int_eq(town_bucket(deployment), town_bucket(foo));
	end();
}
END_TEST

START_TEST(labeller_conflict_is_settled_by_the_newer_version)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "");

	foo->races = 3;
	start(0);
	run(&story->is_passed);
	ck_assert_int_eq(town_bucket(foo), placement_of(foo));
	ck_assert_int_eq(story->values[LABELLER_FAILURES], 0);
	end();
}
END_TEST

START_TEST(labeller_conflict_does_not_need_the_watch_to_be_settled)
{
	struct town *town = begin();
	struct object *foo, *owned, *stray;

	foo = town_add(town, FOOS, "f", "");
	owned = town_add_owned(town, DEPLOYMENTS, "d", foo);
	stray = town_add_owned(town, DEPLOYMENTS, "stray", foo);
	foo->races = owned->races = 3;
	/* While its patch is under way, somebody takes it out of the ring. */
	stray->races = 1;
	stray->is_disowned_by_race = true;
	town->is_dumb = true;
	start(0);
	run(&story->is_passed);
	ck_assert_int_eq(town_bucket(foo), placement_of(foo));
	ck_assert_int_eq(town_bucket(owned), placement_of(foo));
	ck_assert_int_eq(town_bucket(stray), BUCKET_NONE);
	ck_assert_int_eq(story->values[LABELLER_CONFLICTS], 7);
	ck_assert_int_eq(story->values[LABELLER_FAILURES], 0);
	end();
}
END_TEST

START_TEST(labeller_first_pass_waits_for_what_fails)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "");

	foo->refusals = 2;
	foo->refusal = 500;
	start(0);
	run_ms(50);
	ck_assert(!story->is_passed);
	ck_assert_int_eq(story->values[LABELLER_WAITING], 1);
	run(&story->is_passed);
	ck_assert_int_eq(foo->patches, 3);
	ck_assert_int_eq(story->values[LABELLER_FAILURES], 2);
	end();
}
END_TEST

START_TEST(labeller_object_that_goes_away_does_not_hold_up_the_first_pass)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "");
	struct object *told = town_add(town, FOOS, "told", "");

	foo->refusals = told->refusals = 1000;
	foo->refusal = told->refusal = 422;
	start(0);
	run_ms(50);
	ck_assert(!story->is_passed);
	/* One is found out by the next patch, the other is told by the watch. */
	foo->is_gone = true;
	town_delete(town, told);
	run(&story->is_passed);
	end();
}
END_TEST

START_TEST(labeller_refusal_of_one_resource_does_not_hold_up_another)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "1");
	struct object *refused = town_add_owned(town, DEPLOYMENTS, "d", foo);
	struct object *other = town_add_owned(town, REPLICASETS, "r", foo);

	refused->refusals = 1000;
	refused->refusal = 403;
	start(0);
	run_ms(100);
	ck_assert_int_eq(town_bucket(other), 1);
	ck_assert_int_le(refused->patches, 2);
	ck_assert_str_eq(story->passed, "2 ");
	end();
}
END_TEST

START_TEST(labeller_objects_that_cannot_be_labelled_do_not_hold_up_others)
{
	struct town *town = begin();
	char name[16];
	struct object *last;

	for (int i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		town_add(town, FOOS, name, "");
		town->objects[i].refusals = 1000;
		town->objects[i].refusal = 422;
	}
	last = town_add(town, FOOS, "last", "");
	story->conf.label_concurrency = 16;
	start(0);
	run_until_labelled(last);
	ck_assert(!story->is_passed);
	end();
}
END_TEST

static void note_waiting(void)
{
	/* For as long as there is something to see. */
	if (!story->is_passed)
		story->town.ring.fake->turns_left++;
	if (story->waiting_max < story->values[LABELLER_WAITING])
		story->waiting_max = story->values[LABELLER_WAITING];
}

START_TEST(labeller_bounds_what_waits_and_what_is_under_way)
{
	struct town *town = begin();
	char name[16];

	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		town_add(town, FOOS, name, "");
	}
	start(0);
	town->ring.fake->on_turn = note_waiting;
	run(&story->is_passed);
	ck_assert_int_gt(story->waiting_max, 4);
	ck_assert_int_le(story->waiting_max, LABELLER_QUEUE_MAX);
	/* Patches, and the next page. */
	ck_assert_int_le(town->active_max, story->conf.label_concurrency + 1);
	ck_assert_int_eq(story->values[LABELLER_LABELLED], 2000);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(town->objects[i].patches, 1);
	end();
}
END_TEST

START_TEST(labeller_keeps_to_its_rate)
{
	struct town *town = begin();
	struct loop *loop = town->ring.fake->loop;
	int64_t began_ms = loop_now_ms(loop);
	char name[16];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		town_add(town, FOOS, name, "");
	}
	story->conf.label_rate = 100;
	start(0);
	run(&story->is_passed);
	/* A burst of ten, then one every ten milliseconds. */
	ck_assert_int_ge(loop_now_ms(loop) - began_ms, 290);
	ck_assert_int_le(loop_now_ms(loop) - began_ms, 3000);
	end();
}
END_TEST

START_TEST(labeller_serves_on_what_had_its_first_pass_before)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "");
	struct object *owned = town_add_owned(town, DEPLOYMENTS, "d", foo);

	/* An owned resource is new: main ones do not wait for it. */
	owned->refusals = 1000;
	owned->refusal = 422;
	start(1 << FOOS);
	run_until_labelled(foo);
	ck_assert_str_eq(story->passed, "2 ");
	owned->refusals = 0;
	run_until_labelled(owned);
	run_ms(10);
	ck_assert_str_eq(story->passed, "2 1 ");
	end();
}
END_TEST

START_TEST(labeller_list_that_begins_anew_clears_up)
{
	struct town *town = begin();
	struct object *foo = town_add(town, FOOS, "f", "");

	foo->refusals = 1000;
	foo->refusal = 422;
	start(0);
	run_ms(50);
	ck_assert_int_eq(story->values[LABELLER_WAITING], 1);
	/* Somebody else gives it a label, and the watch has missed that. */
	town->is_dumb = true;
	snprintf(foo->label, sizeof(foo->label), "7");
	foo->version = ++town->version;
	town->is_dumb = false;
	town_expire(town, FOOS);
	run(&story->is_passed);
	ck_assert_int_eq(town_bucket(foo), 7);
	ck_assert_int_eq(story->values[LABELLER_WAITING], 0);
	end();
}
END_TEST

START_TEST(labeller_follows_each_namespace_by_itself)
{
	struct town *town = begin();

	story->namespaces[0] = "ns";
	story->namespaces[1] = "other";
	town_add(town, FOOS, "f", "");
	start(0);
	run(&story->is_passed);
	ck_assert_int_eq(town->lists, 6);
	ck_assert_int_eq(town->watches_n, 6);
	end();
}
END_TEST

START_TEST(labeller_may_be_destroyed_when_it_tells)
{
	struct town *town = begin();

	town_add(town, FOOS, "f", "");
	story->ends_early = true;
	start(0);
	while (story->labeller != NULL)
		fake_settle(town->ring.fake);
	fake_settle(town->ring.fake);
	ck_assert_uint_eq(strlen(story->passed), 2);
	end();
}
END_TEST

static void count_down(void)
{
	if (--story->turns > 0) {
		story->town.ring.fake->turns_left++;
		return;
	}
	labeller_destroy(story->labeller);
	story->labeller = NULL;
}

START_TEST(labeller_may_be_destroyed_at_any_turn)
{
	for (int turns = 1; turns < 60; turns++) {
		struct town *town = begin();
		struct object *foo = town_add(town, FOOS, "f", "");
		struct object *race = town_add(town, FOOS, "race", "");

		race->races = 2;
		town_add_owned(town, DEPLOYMENTS, "d", foo);
		start(0);
		story->turns = turns;
		town->ring.fake->on_turn = count_down;
		fake_settle(town->ring.fake);
		ck_assert_ptr_null(story->labeller);
		end();
	}
}
END_TEST

UNIT_MAIN("member/labeller", labeller_first_pass_labels_owned_objects_before_main_ones,
	  labeller_owned_objects_follow_the_label_of_their_owner,
	  labeller_leaves_alone_what_belongs_to_nobody,
	  labeller_object_that_is_adopted_is_judged_anew, labeller_overwrites_garbage,
	  labeller_labels_what_is_created_later,
	  labeller_conflict_is_settled_by_the_newer_version,
	  labeller_conflict_does_not_need_the_watch_to_be_settled,
	  labeller_first_pass_waits_for_what_fails,
	  labeller_object_that_goes_away_does_not_hold_up_the_first_pass,
	  labeller_refusal_of_one_resource_does_not_hold_up_another,
	  labeller_objects_that_cannot_be_labelled_do_not_hold_up_others,
	  labeller_bounds_what_waits_and_what_is_under_way, labeller_keeps_to_its_rate,
	  labeller_serves_on_what_had_its_first_pass_before,
	  labeller_list_that_begins_anew_clears_up,
	  labeller_follows_each_namespace_by_itself,
	  labeller_may_be_destroyed_when_it_tells,
	  labeller_may_be_destroyed_at_any_turn)
