/* The labeller where an annotation names the owner; check_labeller.c has the rest. */
#include "proxy/member/labeller.h"
#include "tests/unit/member/town/town.c" // NOLINT(bugprone-suspicious-include)

/* Deployments name their Foo by the annotation "boss". */
struct story {
	struct town town;
	struct member_conf conf;
	const char *namespaces[1];
	struct locator *locator;
	struct labeller *labeller;
	int64_t values[LABELLER_METRICS_N];
	int passes;
};

static struct story *story; /* too large for a stack */

static void on_labelled(void *arg, int resource)
{
	(void)arg;
	(void)resource;
	story->passes++;
}

static struct town *begin(void)
{
	struct meta_keys *keys;

	story = calloc(1, sizeof(*story));
	town_init(&story->town);
	keys = &story->town.ring.spec.resources[DEPLOYMENTS].keys;
	keys->owner = slice_of("boss");
	keys->is_owner_annotation = true;
	story->conf.label_concurrency = 4;
	story->conf.label_rate = 10000;
	story->locator = locator_create(&story->town.ring.fake->api,
					story->town.ring.catalog,
					&story->town.ring.spec);
	return &story->town;
}

static void start(int64_t relist_ms)
{
	struct labeller_env env = { .loop = story->town.ring.fake->loop,
				    .api = &story->town.ring.fake->api,
				    .spec = &story->town.ring.spec,
				    .catalog = story->town.ring.catalog,
				    .locator = story->locator,
				    .conf = &story->conf,
				    .namespaces = story->namespaces,
				    .relist_ms = relist_ms,
				    .on_labelled = on_labelled };

	story->labeller = labeller_create(&env, 0);
	labeller_count_into(story->labeller, story->values);
	for (int i = 0; i < 5000 && story->passes < 3; i++)
		fake_settle(story->town.ring.fake);
	ck_assert_int_eq(story->passes, 3);
}

static void run_ms(int64_t ms)
{
	struct loop *loop = story->town.ring.fake->loop;
	int64_t end_ms = loop_now_ms(loop) + ms;

	while (loop_now_ms(loop) < end_ms)
		fake_settle(story->town.ring.fake);
}

static void end(void)
{
	labeller_destroy(story->labeller);
	locator_destroy(story->locator);
	town_finish(&story->town);
	free(story);
}

static struct object *add_named(struct town *town, const char *name, const char *boss)
{
	struct object *object = town_add_owned(town, DEPLOYMENTS, name, NULL);

	object->boss = boss;
	return object;
}

START_TEST(labeller_object_has_the_bucket_of_whom_it_names)
{
	struct town *town = begin();
	struct object *child, *stranger, *stray;

	town_add(town, FOOS, "f", "9");
	child = add_named(town, "child", "f");
	stranger = add_named(town, "stranger", "ns/g");
	stray = add_named(town, "stray", "a/b/c");
	start(0);
	ck_assert_int_eq(town_bucket(child), 9);
	ck_assert_int_eq(town_bucket(stranger), BUCKET_NONE);
	ck_assert_int_eq(town_bucket(stray), BUCKET_NONE);
	ck_assert_int_eq(story->values[LABELLER_UNRELATED], 2);
	/* Whom it names was looked up once, and is remembered. */
	ck_assert_int_eq(town->gets, 2);
	for (int i = 0; i < 5; i++)
		town_touch(town, stranger);
	run_ms(20);
	ck_assert_int_eq(story->values[LABELLER_UNRELATED], 7);
	ck_assert_int_eq(town->gets, 2);
	end();
}
END_TEST

START_TEST(labeller_owner_that_is_made_after_its_objects_is_found)
{
	struct town *town = begin();
	struct object *child = add_named(town, "child", "f");

	start(60);
	ck_assert_int_eq(town_bucket(child), BUCKET_NONE);
	town_add(town, FOOS, "f", "9");
	for (int i = 0; i < 200 && town_bucket(child) == BUCKET_NONE; i++)
		run_ms(10);
	ck_assert_int_eq(town_bucket(child), 9);
	end();
}
END_TEST

UNIT_MAIN("member/labeller_named", labeller_object_has_the_bucket_of_whom_it_names,
	  labeller_owner_that_is_made_after_its_objects_is_found)
