/* What the audit finds, and what the labeller makes of it. */
#include "proxy/member/label_audit.h"

#include "proxy/member/labeller.h"
#include "tests/unit/member/town/town.c" // NOLINT(bugprone-suspicious-include)

#define MANY 600
#define EVERY_MS 30

struct story {
	struct town town;
	struct member_conf conf;
	const char *namespaces[1];
	struct locator *locator;
	struct labeller *labeller;
	int64_t values[LABELLER_METRICS_N];
	int64_t waiting_max;
};

static struct story *story; /* too large for a stack */

static void on_labelled(void *arg, int resource)
{
	(void)arg;
	(void)resource;
}

static struct town *begin(void)
{
	story = calloc(1, sizeof(*story));
	town_init(&story->town);
	story->conf.label_concurrency = 4;
	story->conf.label_rate = 10000;
	story->conf.label_audit_ms = EVERY_MS;
	story->locator = locator_create(&story->town.ring.fake->api,
					story->town.ring.catalog,
					&story->town.ring.spec);
	return &story->town;
}

static void start(void)
{
	struct labeller_env env = { .loop = story->town.ring.fake->loop,
				    .api = &story->town.ring.fake->api,
				    .spec = &story->town.ring.spec,
				    .catalog = story->town.ring.catalog,
				    .locator = story->locator,
				    .conf = &story->conf,
				    .namespaces = story->namespaces,
				    .on_labelled = on_labelled };

	story->labeller = labeller_create(&env, 0);
	labeller_count_into(story->labeller, story->values);
}

static void run_ms(int64_t ms)
{
	struct loop *loop = story->town.ring.fake->loop;
	int64_t end_ms = loop_now_ms(loop) + ms;

	while (loop_now_ms(loop) < end_ms) {
		fake_settle(story->town.ring.fake);
		if (story->values[LABELLER_WAITING] > story->waiting_max)
			story->waiting_max = story->values[LABELLER_WAITING];
	}
}

static void run_until_in(const struct object *object, int bucket)
{
	for (int i = 0; i < 2000 && town_bucket(object) != bucket; i++)
		run_ms(5);
	ck_assert_msg(town_bucket(object) == bucket, "%s is in bucket %d, not %d",
		      object->name, town_bucket(object), bucket);
}

/* An object bears its label before the answer that says so has come. */
static void run_until_labelled(int n)
{
	for (int i = 0; i < 2000 && story->values[LABELLER_LABELLED] < n; i++)
		run_ms(5);
	ck_assert_int_eq(story->values[LABELLER_LABELLED], n);
}

/* Until so many more lists have begun. */
static void run_lists(int n)
{
	int end = story->town.lists + n;

	for (int i = 0; i < 2000 && story->town.lists < end; i++)
		run_ms(5);
	ck_assert_int_ge(story->town.lists, end);
}

static void end(void)
{
	labeller_destroy(story->labeller);
	locator_destroy(story->locator);
	town_finish(&story->town);
	free(story);
}

static struct object *add_labelled(struct town *town, int resource, const char *name,
				   const struct object *owner, const char *label)
{
	struct object *object = town_add(town, resource, name, label);

	town_set_owner(object, owner);
	return object;
}

START_TEST(audit_object_that_was_given_to_another_owner_gets_its_bucket)
{
	struct town *town = begin();
	struct object *f = town_add(town, FOOS, "f", "9");
	struct object *g = town_add(town, FOOS, "g", "10");
	struct object *given = add_labelled(town, DEPLOYMENTS, "given", f, "9");
	struct object *kept = add_labelled(town, DEPLOYMENTS, "kept", f, "9");

	start();
	run_lists(6);
	ck_assert_int_eq(given->patches, 0);
	town_set_owner(given, g);
	town_touch(town, given);
	run_until_in(given, 10);
	run_lists(6);
	ck_assert_int_eq(given->patches, 1);
	ck_assert_int_eq(f->patches + g->patches + kept->patches, 0);
	ck_assert_int_eq(story->values[LABELLER_MISPLACED], 1);
	end();
}
END_TEST

START_TEST(audit_what_is_owned_follows_an_owner_that_was_given_another_bucket)
{
	struct town *town = begin();
	struct object *f = town_add(town, FOOS, "f", "9");
	struct object *child = add_labelled(town, DEPLOYMENTS, "child", f, "9");
	struct object *grandchild =
		add_labelled(town, REPLICASETS, "grandchild", child, "9");

	start();
	run_lists(6);
	snprintf(f->label, sizeof(f->label), "11");
	town_touch(town, f);
	run_until_in(child, 11);
	run_until_in(grandchild, 11);
	ck_assert_int_eq(f->patches, 0);
	end();
}
END_TEST

START_TEST(audit_reads_pages_where_no_watch_lists)
{
	struct town *town = begin();
	struct object *f = town_add(town, FOOS, "f", "9");
	struct object *child = add_labelled(town, DEPLOYMENTS, "child", f, "8");

	town->is_old = true;
	start();
	run_until_in(child, 9);
	end();
}
END_TEST

START_TEST(audit_label_stands_where_no_owner_says_another)
{
	struct town *town = begin();
	struct object *f = town_add(town, FOOS, "f", "9");
	struct object *again = town_add(town, FOOS, "again", "10");
	struct object *unlabelled = town_add(town, FOOS, "unlabelled", "");
	struct object *objects[] = {
		add_labelled(town, DEPLOYMENTS, "nobodys", NULL, "7"),
		add_labelled(town, DEPLOYMENTS, "right", f, "9"),
		add_labelled(town, DEPLOYMENTS, "of-a-former-one", again, "7"),
		add_labelled(town, DEPLOYMENTS, "of-who-is-gone", f, "7"),
	};

	snprintf(again->uid, sizeof(again->uid), "another");
	snprintf(objects[3]->owner, sizeof(objects[3]->owner),
		 "\"apiVersion\":\"g/v1\",\"kind\":\"Foo\",\"name\":\"gone\","
		 "\"uid\":\"gone\"");
	unlabelled->refusals = 1000000;
	unlabelled->refusal = 422;
	start();
	run_lists(12);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(objects[i]->patches, 0);
	ck_assert_int_eq(story->values[LABELLER_MISPLACED], 0);
	end();
}
END_TEST

START_TEST(audit_that_is_switched_off_reads_nothing)
{
	struct town *town = begin();
	struct object *f = town_add(town, FOOS, "f", "9");
	struct object *child = add_labelled(town, DEPLOYMENTS, "child", f, "8");
	int lists;

	story->conf.label_audit_ms = 0;
	start();
	run_ms(5 * EVERY_MS);
	lists = town->lists;
	ck_assert_int_le(lists, 3);
	run_ms(5 * EVERY_MS);
	ck_assert_int_eq(town->lists, lists);
	ck_assert_int_eq(town_bucket(child), 8);
	story->conf.label_audit_ms = EVERY_MS;
	labeller_reload(story->labeller, &story->conf);
	run_until_in(child, 9);
	end();
}
END_TEST

START_TEST(bounded_audit_waits_where_more_is_misplaced_than_has_room)
{
	struct town *town = begin();
	struct object *f = town_add(town, FOOS, "f", "9");
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "child-%d", i);
		add_labelled(town, DEPLOYMENTS, name, f, "8");
	}
	start();
	for (int i = 0; i < town->objects_n; i++)
		run_until_in(&town->objects[i], 9);
	run_until_labelled(MANY);
	ck_assert_int_gt(story->waiting_max, 0);
	ck_assert_int_le(story->waiting_max, LABELLER_QUEUE_MAX / 3);
	end();
}
END_TEST

UNIT_MAIN("member/label_audit",
	  audit_object_that_was_given_to_another_owner_gets_its_bucket,
	  audit_what_is_owned_follows_an_owner_that_was_given_another_bucket,
	  audit_reads_pages_where_no_watch_lists,
	  audit_label_stands_where_no_owner_says_another,
	  audit_that_is_switched_off_reads_nothing,
	  bounded_audit_waits_where_more_is_misplaced_than_has_room)
