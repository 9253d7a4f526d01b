/* The list of resources, and what each of them owns. */
#include <errno.h>

#include "config/fields.h"
#include "config/names.h"

static int load_group(struct loader *loader, const struct node *node, struct err *err)
{
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (slice_find(node->text, '/') >= 0)
		return place_error(&node->place, err,
				   "group: expected a group without version; all "
				   "versions of a resource are one");
	if (node->text.len > 0 && !is_dns_subdomain(node->text))
		return place_error(&node->place, err,
				   "group: expected a DNS subdomain such as apps or "
				   "example.com, or \"\" for the core group");
	loader->resource->group = arena_copy(loader->config->arena, node->text);
	return 0;
}

/* Against those before it; an owner stands before what it owns. */
static int check_twice(const struct loader *loader, struct err *err)
{
	const struct ring_resource *resource = loader->resource;
	const struct ring_resource *resources = loader->config->spec.resources;

	for (int i = 0; i < resource->index; i++)
		if (slice_eq(resources[i].group, resource->group) &&
		    slice_eq(resources[i].resource, resource->resource))
			return place_error(&loader->places[resource->index], err,
					   "resource '%.*s' of group '%.*s' already "
					   "stands at %d:%d",
					   SLICE_ARGS(resource->resource),
					   SLICE_ARGS(resource->group),
					   loader->places[i].line,
					   loader->places[i].column);
	return 0;
}

/* Behind `group` in the table, so that the resource is known from here on. */
static int load_resource_name(struct loader *loader, const struct node *node,
			      struct err *err)
{
	const char *hint = "";
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (slice_find(node->text, '/') >= 0)
		hint = "; subresources belong to their resource";
	else if (slice_find(node->text, '.') >= 0)
		hint = "; the group has its own key, 'group'";
	if (!is_dns_label(node->text))
		return place_error(&node->place, err,
				   "resource: expected a plural in lower case, as "
				   "`kubectl api-resources` shows it%s",
				   hint);
	loader->resource->resource = arena_copy(loader->config->arena, node->text);
	loader->places[loader->resource->index] = node->place;
	return check_twice(loader, err);
}

/* `by` and `unowned` say something about a resource that has an owner. */
static int expect_owned(const struct loader *loader, const struct node *node,
			struct err *err)
{
	if (loader->resource->role == RESOURCE_OWNED)
		return node_expect(node, NODE_SCALAR, err);
	return place_error(&node->key_place, err,
			   "%.*s: only for resources that stand under owns",
			   SLICE_ARGS(node->key));
}

#define ON_RELEASE_EXPECTED "deleted, marked or suppress"
#define BY_EXPECTED "owner, label:<key> or annotation:<key>"

static int load_by(struct loader *loader, const struct node *node, struct err *err)
{
	struct meta_keys *keys = &loader->resource->keys;
	int rc = expect_owned(loader, node, err);
	struct slice key;

	if (rc < 0)
		return rc;
	if (slice_is(node->text, "owner"))
		return 0;
	keys->is_owner_annotation = slice_starts_with(node->text, "annotation:");
	if (!keys->is_owner_annotation && !slice_starts_with(node->text, "label:"))
		return place_error(&node->place, err, "by: expected " BY_EXPECTED);
	key = slice_from(node->text, (size_t)slice_find(node->text, ':') + 1);
	if (!is_label_key(key))
		return place_error(&node->place, err, "by: expected " LABEL_KEY_RULE);
	keys->owner = arena_copy(loader->config->arena, key);
	return 0;
}

/* Which of the two words the value of key is: 0 or 1; negative: neither. */
static int find_word(const struct node *node, const char *key,
		     const char *const words[2], struct err *err)
{
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	for (int i = 0; i < 2; i++)
		if (slice_is(node->text, words[i]))
			return i;
	return place_error(&node->place, err, "%s: expected %s or %s", key, words[0],
			   words[1]);
}

static int load_unowned(struct loader *loader, const struct node *node, struct err *err)
{
	static const char *const words[] = {
		[UNOWNED_VISIBLE] = "visible", [UNOWNED_HIDDEN] = "hidden"
	};
	int rc = expect_owned(loader, node, err);

	if (rc == 0)
		rc = find_word(node, "unowned", words, err);
	if (rc < 0)
		return rc;
	loader->resource->unowned = (enum unowned_policy)rc;
	return 0;
}

static int load_refuse(struct loader *loader, const struct node *node, struct err *err)
{
	static const char *const words[] = {
		[REFUSE_CONFLICT] = "conflict", [REFUSE_NOT_FOUND] = "notFound"
	};
	int rc = find_word(node, "refuse", words, err);

	if (rc < 0)
		return rc;
	loader->resource->refuse = (enum refuse_policy)rc;
	return 0;
}

static int load_on_release(struct loader *loader, const struct node *node,
			   struct err *err)
{
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (slice_is(node->text, "deleted"))
		loader->resource->on_release = RELEASE_DELETED;
	else if (slice_is(node->text, "marked"))
		loader->resource->on_release = RELEASE_MARKED;
	else if (slice_is(node->text, "suppress"))
		loader->resource->on_release = RELEASE_SUPPRESSED;
	else if (slice_is(node->text, "restart"))
		return place_error(
			&node->place, err,
			"onRelease: restart needs a controller that "
			"ringside has started itself (exec mode), and this "
			"version starts none: expected " ON_RELEASE_EXPECTED);
	else
		return place_error(&node->place, err,
				   "onRelease: expected " ON_RELEASE_EXPECTED);
	return 0;
}

/* Behind `onRelease` in the table: the two may contradict each other. */
static int load_relist(struct loader *loader, const struct node *node, struct err *err)
{
	static const char *const words[] = { "diff", "nodiff" };
	int rc = find_word(node, "relist", words, err);

	if (rc < 0)
		return rc;
	loader->resource->lacks_diff = rc == 1;
	if (loader->resource->lacks_diff &&
	    loader->resource->on_release == RELEASE_SUPPRESSED)
		return place_error(&node->place, err,
				   "relist: nodiff tells what has left, which "
				   "onRelease: suppress says never to");
	return 0;
}

/* owner: index of the resource that owns this one; -1: a main resource. */
static int load_resource(struct loader *loader, const struct node *node, int owner,
			 struct err *err)
{
	struct ring_spec *spec = &loader->config->spec;
	int rc;

	if (spec->resources_n == SPEC_RESOURCES_MAX)
		return place_error(&node->place, err, "more than %d resources",
				   SPEC_RESOURCES_MAX);
	loader->resource = &spec->resources[spec->resources_n];
	*loader->resource = (struct ring_resource){
		.role = owner < 0 ? RESOURCE_MAIN : RESOURCE_OWNED,
		.unowned = UNOWNED_VISIBLE,
		.owner = owner,
		.index = spec->resources_n++,
	};
	if ((rc = node_expect(node, NODE_MAPPING, err)) < 0 ||
	    (rc = fields_check_keys(resource_fields, resource_fields_n, node, err)) < 0)
		return rc;
	return fields_load(resource_fields, resource_fields_n, loader, node, err);
}

static int load_list(struct loader *loader, const struct node *list, int owner,
		     struct err *err)
{
	int rc = node_expect(list, NODE_LIST, err);

	for (const struct node *node = list->first; node && rc == 0; node = node->next)
		rc = load_resource(loader, node, owner, err);
	return rc;
}

int resources_load(struct loader *loader, const struct node *node, struct err *err)
{
	int rc = load_list(loader, node, -1, err);

	if (rc == 0 && !node->first)
		return place_error(&node->place, err,
				   "resources: expected at least one resource");
	return rc;
}

/* The last field, as it makes loader->resource another one. */
static int load_owns(struct loader *loader, const struct node *node, struct err *err)
{
	return load_list(loader, node, loader->resource->index, err);
}

const struct field resource_fields[] = {
	{ .name = "group",
	  .expected = "a DNS subdomain",
	  .value = "\"\"",
	  .load = load_group,
	  .help = "API group, without version. Empty: the core group." },
	{ .name = "resource",
	  .expected = "a plural in lower case",
	  .load = load_resource_name,
	  .help = "The resource, as `kubectl api-resources` shows it." },
	{ .name = "by",
	  .expected = BY_EXPECTED,
	  .value = "owner",
	  .load = load_by,
	  .help = "Only under owns. How an object says whose it is. owner: by its "
		  "controller ownerReference, else by its only ownerReference to a "
		  "kind of the ring. label:<key>, annotation:<key>: by the name of an "
		  "object of the resource that it stands under, in its own namespace, "
		  "or as namespace/name." },
	{ .name = "unowned",
	  .expected = "visible or hidden",
	  .value = "visible",
	  .load = load_unowned,
	  .help = "Only under owns. Whether every member sees the objects that belong "
		  "to nobody. hidden saves memory where the controller needs its own "
		  "only." },
	{ .name = "refuse",
	  .expected = "conflict or notFound",
	  .value = "conflict",
	  .load = load_refuse,
	  .help = "What a write is answered with whose object is another member's, "
		  "or on its way there: 409 Conflict, or 404 NotFound, for "
		  "controllers that take a conflict for worse than it is (kopf lets "
		  "the object rest for up to ten minutes). A create, and what may be "
		  "let pass later, is a conflict always." },
	{ .name = "onRelease",
	  .expected = ON_RELEASE_EXPECTED,
	  .value = "deleted",
	  .load = load_on_release,
	  .help = "What the controller is told of an object that leaves its shard and "
		  "exists elsewhere. deleted: a DELETED event, as of an object that "
		  "leaves a selector. marked: the same, and the object bears a "
		  "metadata.deletionTimestamp, without which kopf lets daemons and "
		  "timers run on. suppress: nothing, for controllers that take DELETED "
		  "for the end of the object (KubeOps, shell-operator); each DELETED "
		  "event of the API server is looked up before it is passed on." },
	{ .name = "relist",
	  .expected = "diff or nodiff",
	  .value = "diff",
	  .load = load_relist,
	  .help = "Whether the controller sees by a new list what has left its shard. "
		  "diff: it compares, as informers do. nodiff: it does not (kopf), and "
		  "is told so by DELETED events before it is told to list anew, and at "
		  "the first watch after it has listed anew by itself." },
	{ .name = "owns",
	  .expected = "a list of resources",
	  .value = "[]",
	  .load = load_owns,
	  .help = "What belongs to objects of this resource, with the same keys, to "
		  "any depth. An owner in the middle must be listed too." },
};

const size_t resource_fields_n = sizeof(resource_fields) / sizeof(resource_fields[0]);
