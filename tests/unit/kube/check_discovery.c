#include "proxy/kube/discovery.h"

#include <errno.h>

#include "tests/unit/kube/rows.h"

static const struct json *parse(struct arena *arena, const char *text)
{
	struct json *json = NULL;

	ck_assert_int_eq(json_parse(&json, arena, slice_of(text), NULL, NULL), 0);
	return json;
}

START_TEST(discovery_preferred_version_is_that_of_the_group)
{
	struct arena *arena = arena_create();
	struct slice version;
	const struct json *group =
		parse(arena,
		      "{\"kind\":\"APIGroup\",\"apiVersion\":\"v1\",\"name\":\"apps\","
		      "\"versions\":[{\"groupVersion\":\"apps/v1beta1\",\"version\":"
		      "\"v1beta1\"},{\"groupVersion\":\"apps/v1\",\"version\":\"v1\"}],"
		      "\"preferredVersion\":{\"groupVersion\":\"apps/v1\","
		      "\"version\":\"v1\"}}");

	ck_assert_int_eq(discovery_preferred_version(&version, group, NULL), 0);
	ck_assert_slice(version, "v1");
	arena_destroy(arena);
}
END_TEST

START_TEST(discovery_preferred_version_refuses_what_is_no_group)
{
	static const char *const rows[] = {
		"[]",
		"{}",
		"{\"kind\":\"APIGroup\"}",
		"{\"kind\":\"APIGroup\",\"preferredVersion\":{\"version\":\"\"}}",
		"{\"kind\":\"APIGroup\",\"preferredVersion\":\"v1\"}",
		"{\"kind\":\"Status\",\"preferredVersion\":{\"version\":\"v1\"}}",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct slice version;
		struct err err = { "" };

		ck_row(rows[i],
		       discovery_preferred_version(&version, parse(arena, rows[i]),
						   &err) == -EINVAL);
		ck_row(rows[i], strstr(err.text, "APIGroup"));
		arena_destroy(arena);
	}
}
END_TEST

static const char resources[] =
	"{\"kind\":\"APIResourceList\",\"groupVersion\":\"v1\",\"resources\":["
	"{\"name\":\"nodes\",\"singularName\":\"node\",\"namespaced\":false,"
	"\"kind\":\"Node\",\"verbs\":[\"get\",\"list\",\"watch\"]},"
	"{\"name\":\"pods\",\"namespaced\":true,\"kind\":\"Pod\","
	"\"verbs\":[\"create\",\"delete\",\"patch\",\"watch\"]},"
	"{\"name\":\"pods/eviction\",\"namespaced\":true,\"kind\":\"Eviction\","
	"\"verbs\":[\"create\"]},"
	"{\"name\":\"bindings\",\"namespaced\":true,\"kind\":\"Binding\"},"
	"{\"name\":\"nameless\",\"namespaced\":true,\"verbs\":[]}]}";

START_TEST(discovery_find_tells_kind_scope_and_verbs)
{
	static const struct {
		const char *resource;
		struct api_resource is;
	} rows[] = {
		{ "nodes", { { "Node", 4 }, false, true, false } },
		{ "pods", { { "Pod", 3 }, true, true, true } },
		{ "pods/eviction", { { "Eviction", 8 }, true, false, false } },
		{ "bindings", { { "Binding", 7 }, true, false, false } },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct api_resource found;
		const struct api_resource *is = &rows[i].is;
		const char *row = rows[i].resource;

		ck_row(row, discovery_find(&found, parse(arena, resources),
					   slice_of(row), NULL) == 0);
		ck_row(row, slice_eq(found.kind, is->kind));
		ck_row(row, found.is_namespaced == is->is_namespaced);
		ck_row(row, found.has_watch == is->has_watch);
		ck_row(row, found.has_patch == is->has_patch);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(discovery_find_tells_what_is_not_served_from_what_is_no_list)
{
	static const struct {
		const char *text;
		const char *resource;
		int rc;
	} rows[] = {
		{ resources, "services", -ENOENT },
		{ resources, "pod", -ENOENT },
		{ resources, "", -ENOENT },
		{ "{\"kind\":\"APIResourceList\",\"resources\":[]}", "pods", -ENOENT },
		{ "{\"kind\":\"APIResourceList\",\"resources\":[1,null]}", "pods",
		  -ENOENT },
		{ resources, "nameless", -EINVAL },
		{ "{\"kind\":\"APIResourceList\"}", "pods", -EINVAL },
		{ "{\"kind\":\"APIResourceList\",\"resources\":{}}", "pods", -EINVAL },
		{ "{\"kind\":\"Status\",\"resources\":[]}", "pods", -EINVAL },
		{ "null", "pods", -EINVAL },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct api_resource found = { .has_watch = true };
		struct err err = { "" };
		int rc = discovery_find(&found, parse(arena, rows[i].text),
					slice_of(rows[i].resource), &err);

		ck_assert_msg(rc == rows[i].rc, "%s %s: %d", rows[i].text,
			      rows[i].resource, rc);
		ck_row(rows[i].text, found.has_watch && err.text[0] != '\0');
		arena_destroy(arena);
	}
}
END_TEST

UNIT_MAIN("kube/discovery", discovery_preferred_version_is_that_of_the_group,
	  discovery_preferred_version_refuses_what_is_no_group,
	  discovery_find_tells_kind_scope_and_verbs,
	  discovery_find_tells_what_is_not_served_from_what_is_no_list)
