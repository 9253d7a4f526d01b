#include "proxy/net/catalog.h"

#include <errno.h>

#include "tests/unit/net/fake_api.h"

#define GROUP(preferred, ...) \
	"{\"kind\":\"APIGroup\",\"name\":\"apps\",\"versions\":[" __VA_ARGS__ \
	"],\"preferredVersion\":{\"groupVersion\":\"apps/" preferred \
	"\",\"version\":\"" preferred "\"}}"
#define VERSION(name) "{\"groupVersion\":\"apps/" name "\",\"version\":\"" name "\"}"
#define RESOURCES(...) \
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\"," \
	"\"resources\":[" __VA_ARGS__ "]}"
#define RESOURCE(name, kind, namespaced, verbs) \
	"{\"name\":\"" name "\",\"kind\":\"" kind "\",\"namespaced\":" namespaced \
	",\"verbs\":[" verbs "]}"
#define VERBS "\"get\",\"list\",\"patch\",\"watch\""
#define DEPLOYMENTS RESOURCE("deployments", "Deployment", "true", VERBS)

struct story {
	struct fake_api *fake;
	struct arena *arena;
	struct ring_spec spec;
	struct catalog *catalog;
	int known_n;
};

static void on_known(void *arg)
{
	struct story *story = arg;

	story->known_n++;
}

static void story_begin(struct story *story, const char *group, const char *resource)
{
	*story = (struct story){ .fake = fake_create(), .arena = arena_create() };
	story->spec = (struct ring_spec){ .ring = SLICE_LITERAL("r"),
					  .buckets = 256,
					  .resources_n = 1 };
	story->spec.resources[0] = (struct ring_resource){
		.group = slice_of(group), .resource = slice_of(resource), .owner = -1
	};
	ring_spec_seal(&story->spec, story->arena);
	story->catalog =
		catalog_create(&story->fake->api, &story->spec, on_known, story);
}

static void story_end(struct story *story)
{
	catalog_destroy(story->catalog);
	fake_destroy(story->fake);
	arena_destroy(story->arena);
}

/* What catalog_path makes of the story's resource; the story owns the text. */
static const char *path(struct story *story, const char *namespace, const char *name)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1000);
	ck_assert_int_eq(catalog_path(story->catalog, &story->spec.resources[0],
				      slice_of(namespace), slice_of(name), &out),
			 0);
	text = arena_text(story->arena, buf_slice(&out));
	buf_finish(&out);
	return text;
}

static int path_error(struct story *story, const char *namespace, const char *name)
{
	struct buf out;
	int rc;

	buf_init(&out, 100);
	rc = catalog_path(story->catalog, &story->spec.resources[0],
			  slice_of(namespace), slice_of(name), &out);
	ck_assert_uint_eq(out.len, 0);
	buf_finish(&out);
	return rc;
}

static void know_deployments(struct story *story)
{
	story_begin(story, "apps", "deployments");
	fake_answer(fake_expect(story->fake, "GET /apis/apps"), 200,
		    GROUP("v1", VERSION("v1beta1") "," VERSION("v1")));
	fake_answer(fake_expect(story->fake, "GET /apis/apps/v1"), 200,
		    RESOURCES(DEPLOYMENTS));
	fake_settle(story->fake);
}

START_TEST(catalog_learns_kind_and_version_of_a_group)
{
	struct story story;
	const struct catalog_entry *entry;

	know_deployments(&story);
	entry = catalog_entry(story.catalog, 0);
	ck_assert(entry->is_known && entry->is_namespaced);
	ck_assert_str_eq(entry->kind, "Deployment");
	ck_assert_str_eq(entry->version, "v1");
	ck_assert_int_eq(story.known_n, 1);
	ck_assert(catalog_is_complete(story.catalog));
	story_end(&story);
}
END_TEST

START_TEST(catalog_asks_the_core_group_for_v1)
{
	struct story story;

	story_begin(&story, "", "pods");
	fake_answer(
		fake_expect(story.fake, "GET /api/v1"), 200,
		RESOURCES(RESOURCE("pods/log", "Pod", "true", "\"get\"") "," RESOURCE(
			"pods", "Pod", "true", VERBS)));
	fake_settle(story.fake);
	ck_assert_str_eq(path(&story, "default", "a"),
			 "/api/v1/namespaces/default/pods/a");
	ck_assert_str_eq(path(&story, "", ""), "/api/v1/pods");
	story_end(&story);
}
END_TEST

START_TEST(catalog_tries_other_versions_where_the_preferred_one_lacks_the_resource)
{
	struct story story;

	story_begin(&story, "apps", "deployments");
	fake_answer(fake_expect(story.fake, "GET /apis/apps"), 200,
		    GROUP("v3", VERSION("v3") "," VERSION("v2") "," VERSION("v1")));
	fake_answer(fake_expect(story.fake, "GET /apis/apps/v3"), 200, RESOURCES());
	fake_answer(fake_expect(story.fake, "GET /apis/apps/v2"), 404, "{}");
	fake_answer(fake_expect(story.fake, "GET /apis/apps/v1"), 200,
		    RESOURCES(DEPLOYMENTS));
	fake_settle(story.fake);
	ck_assert_str_eq(catalog_entry(story.catalog, 0)->version, "v1");
	story_end(&story);
}
END_TEST

START_TEST(catalog_asks_on_until_the_type_is_there)
{
	struct story story;

	story_begin(&story, "apps", "deployments");
	fake_answer(fake_expect(story.fake, "GET /apis/apps"), 404, "{}");
	fake_end(fake_expect(story.fake, "GET /apis/apps"), UPSTREAM_UNREACHABLE);
	fake_answer(fake_expect(story.fake, "GET /apis/apps"), 200,
		    "{\"kind\":\"No\"}");
	fake_answer(fake_expect(story.fake, "GET /apis/apps"), 200,
		    GROUP("v1", VERSION("v1")));
	ck_assert(!catalog_is_complete(story.catalog));
	ck_assert_int_eq(path_error(&story, "a", "b"), -ENOENT);
	fake_answer(fake_expect(story.fake, "GET /apis/apps/v1"), 200,
		    RESOURCES(DEPLOYMENTS));
	fake_settle(story.fake);
	ck_assert(catalog_is_complete(story.catalog));
	story_end(&story);
}
END_TEST

START_TEST(catalog_does_not_take_what_cannot_be_watched_or_patched)
{
	struct story story;

	story_begin(&story, "", "pods");
	fake_answer(fake_expect(story.fake, "GET /api/v1"), 200,
		    RESOURCES(RESOURCE("pods", "Pod", "true", "\"get\",\"watch\"")));
	(void)fake_expect(story.fake, "GET /api/v1");
	ck_assert(!catalog_is_complete(story.catalog));
	story_end(&story);
}
END_TEST

START_TEST(catalog_finds_resources_by_group_and_kind)
{
	struct story story;

	know_deployments(&story);
	ck_assert_ptr_eq(catalog_of_kind(story.catalog, slice_of("apps"),
					 slice_of("Deployment")),
			 &story.spec.resources[0]);
	ck_assert_ptr_null(
		catalog_of_kind(story.catalog, slice_of(""), slice_of("Deployment")));
	ck_assert_ptr_null(
		catalog_of_kind(story.catalog, slice_of("apps"), slice_of("Pod")));
	story_end(&story);
}
END_TEST

START_TEST(catalog_kind_is_nobodys_until_it_is_known)
{
	struct story story;

	story_begin(&story, "apps", "deployments");
	ck_assert_ptr_null(
		catalog_of_kind(story.catalog, slice_of("apps"), slice_of("")));
	story_end(&story);
}
END_TEST

START_TEST(catalog_path_escapes_what_names_may_hold)
{
	struct story story;

	know_deployments(&story);
	ck_assert_str_eq(path(&story, "ns", "system:a b+c?d#e"),
			 "/apis/apps/v1/namespaces/ns/deployments/"
			 "system:a%20b%2Bc%3Fd%23e");
	ck_assert_str_eq(path(&story, "", "a.b-c_d~"),
			 "/apis/apps/v1/deployments/a.b-c_d~");
	story_end(&story);
}
END_TEST

START_TEST(catalog_path_refuses_names_that_no_object_has)
{
	static const char *const names[] = { ".", "..", "a/b", "a%2fb", "/" };
	struct story story;

	know_deployments(&story);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(path_error(&story, "ns", names[i]), -EINVAL);
		ck_assert_int_eq(path_error(&story, names[i], "name"), -EINVAL);
	}
	story_end(&story);
}
END_TEST

UNIT_MAIN("net/catalog", catalog_learns_kind_and_version_of_a_group,
	  catalog_asks_the_core_group_for_v1,
	  catalog_tries_other_versions_where_the_preferred_one_lacks_the_resource,
	  catalog_asks_on_until_the_type_is_there,
	  catalog_does_not_take_what_cannot_be_watched_or_patched,
	  catalog_finds_resources_by_group_and_kind,
	  catalog_kind_is_nobodys_until_it_is_known,
	  catalog_path_escapes_what_names_may_hold,
	  catalog_path_refuses_names_that_no_object_has)
