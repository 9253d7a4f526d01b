#include "proxy/kube/discovery.h"

#include <errno.h>

int discovery_preferred_version(struct slice *out, const struct json *group,
				struct err *err)
{
	struct slice version = json_text(group, "preferredVersion.version");

	if (!slice_is(json_text(group, "kind"), "APIGroup") || version.len == 0)
		return err_set(err, -EINVAL,
			       "expected an APIGroup with a preferredVersion");
	*out = version;
	return 0;
}

static bool has_verb(const struct json *resource, const char *verb)
{
	const struct json *verbs = json_get(resource, "verbs");

	if (!verbs || verbs->type != JSON_ARRAY)
		return false;
	for (const struct json *node = verbs->first; node; node = node->next)
		if (node->type == JSON_STRING && slice_is(node->text, verb))
			return true;
	return false;
}

static const struct json *resource_named(const struct json *list, struct slice name)
{
	for (const struct json *node = list->first; node; node = node->next)
		if (slice_eq(json_text(node, "name"), name))
			return node;
	return NULL;
}

int discovery_find(struct api_resource *out, const struct json *resources,
		   struct slice resource, struct err *err)
{
	const struct json *list = json_get(resources, "resources");
	const struct json *found, *is_namespaced;

	if (!slice_is(json_text(resources, "kind"), "APIResourceList") || !list ||
	    list->type != JSON_ARRAY)
		return err_set(err, -EINVAL, "expected an APIResourceList");
	found = resource_named(list, resource);
	if (!found)
		return err_set(err, -ENOENT, "the API server serves no such resource");
	if (json_text(found, "kind").len == 0)
		return err_set(err, -EINVAL, "APIResourceList: expected a kind");
	is_namespaced = json_get(found, "namespaced");
	*out = (struct api_resource){
		.kind = json_text(found, "kind"),
		.is_namespaced = is_namespaced && is_namespaced->boolean,
		.has_watch = has_verb(found, "watch"),
		.has_patch = has_verb(found, "patch"),
	};
	return 0;
}
