#include "config/fields.h"

#include <assert.h>
#include <errno.h>

#include "config/names.h"
#include "config/suggest.h"

/* What is expected, for messages and for the manual. */
#define TEXT_OF_(number) #number
#define TEXT_OF(number) TEXT_OF_(number)
#define RING_EXPECTED "a DNS label of at most " TEXT_OF(RING_BYTES_MAX) " characters"
#define BUCKETS_EXPECTED "a whole number between 1 and " TEXT_OF(BUCKETS_MAX)
#define KEY_EXPECTED "[namespace, name], [namespace], [name] or label:<key>"

/* A list longer than this is no list of namespaces that a person wrote. */
#define NAMESPACES_MAX 1000

/* A member's Lease is called <ring>.<member>, both without dots. */
_Static_assert(RING_BYTES_MAX + 1 + DNS_LABEL_BYTES_MAX <= DNS_SUBDOMAIN_BYTES_MAX,
	       "names of Leases fit");

static int load_ring(struct loader *loader, const struct node *node, struct err *err)
{
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (!is_dns_label(node->text) || node->text.len > RING_BYTES_MAX)
		return place_error(&node->place, err,
				   "ring: expected " RING_EXPECTED
				   ": lower case letters, digits, and '-' in between");
	loader->config->spec.ring = arena_copy(loader->config->arena, node->text);
	return 0;
}

static int load_buckets(struct loader *loader, const struct node *node, struct err *err)
{
	uint64_t buckets;
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (slice_to_u64(node->text, &buckets) < 0 || buckets < 1 ||
	    buckets > BUCKETS_MAX)
		return place_error(&node->place, err,
				   "buckets: expected " BUCKETS_EXPECTED);
	loader->config->spec.buckets = (int)buckets;
	return 0;
}

/* The list is exactly these texts; NULL ends them early. */
static bool is_list_of(const struct node *list, const char *a, const char *b)
{
	const struct node *first = list->first;
	const struct node *second = first ? first->next : NULL;

	if (!first || !slice_is(first->text, a))
		return false;
	if (!b)
		return !second;
	return second && slice_is(second->text, b) && !second->next;
}

static int load_key_label(struct loader *loader, const struct node *node,
			  struct err *err)
{
	struct ring_spec *spec = &loader->config->spec;
	struct slice key = slice_from(node->text, strlen("label:"));

	if (!is_label_key(key))
		return place_error(&node->place, err, "key: expected " LABEL_KEY_RULE);
	spec->placement = PLACEMENT_LABEL;
	spec->placement_label = arena_copy(loader->config->arena, key);
	return 0;
}

static int load_key(struct loader *loader, const struct node *node, struct err *err)
{
	enum placement_key *placement = &loader->config->spec.placement;
	const struct node *label = node->type == NODE_LIST ? node->first : node;

	if (label && !label->next && slice_starts_with(label->text, "label:"))
		return load_key_label(loader, label, err);
	if (node->type == NODE_LIST && is_list_of(node, "namespace", "name"))
		*placement = PLACEMENT_NAMESPACE_NAME;
	else if (node->type == NODE_LIST && is_list_of(node, "namespace", NULL))
		*placement = PLACEMENT_NAMESPACE;
	else if (node->type == NODE_LIST && is_list_of(node, "name", NULL))
		*placement = PLACEMENT_NAME;
	else
		return place_error(&node->place, err, "key: expected " KEY_EXPECTED);
	return 0;
}

static int check_namespace(const struct node *list, const struct node *node,
			   struct err *err)
{
	if (node->type != NODE_SCALAR || !is_dns_label(node->text))
		return place_error(&node->place, err,
				   "namespaces: expected " DNS_LABEL_RULE);
	for (const struct node *other = list->first; other != node; other = other->next)
		if (slice_eq(other->text, node->text))
			return place_error(&node->place, err,
					   "namespaces: '%.*s' already stands at %d:%d",
					   SLICE_ARGS(node->text), other->place.line,
					   other->place.column);
	return 0;
}

static int load_namespaces(struct loader *loader, const struct node *node,
			   struct err *err)
{
	struct arena *arena = loader->config->arena;
	const char **names;
	size_t n = 0;
	int rc = node_expect(node, NODE_LIST, err);

	if (rc < 0)
		return rc;
	for (const struct node *child = node->first; child; child = child->next) {
		if (++n > NAMESPACES_MAX)
			return place_error(&child->place, err,
					   "namespaces: more than %d", NAMESPACES_MAX);
		if ((rc = check_namespace(node, child, err)) < 0)
			return rc;
	}
	names = arena_alloc(arena, (n + 1) * sizeof(*names));
	n = 0;
	for (const struct node *child = node->first; child; child = child->next)
		names[n++] = arena_text(arena, child->text);
	loader->config->namespaces = names;
	return 0;
}

const struct field ring_fields[] = {
	{ .name = "ring",
	  .expected = RING_EXPECTED,
	  .load = load_ring,
	  .help = "Name of the ring: of its Leases, its ConfigMap and its bucket "
		  "label. One file describes one ring." },
	{ .name = "buckets",
	  .expected = BUCKETS_EXPECTED,
	  .value = "256",
	  .load = load_buckets,
	  .help = "Into how many buckets the objects are divided. Fixed for the life "
		  "of the ring, and never less than shards." },
	{ .name = "key",
	  .expected = KEY_EXPECTED,
	  .value = "[namespace, name]",
	  .load = load_key,
	  .help = "What an object's bucket is computed from, besides its group and "
		  "resource. [name] is for controllers that mirror an object under its "
		  "own name into other namespaces. label:<key>: objects with the same "
		  "value of that label share a bucket; those without it are placed by "
		  "namespace and name. Fixed for the life of the ring." },
	{ .name = "namespaces",
	  .expected = "a list of namespaces",
	  .value = "[]",
	  .load = load_namespaces,
	  .help = "Objects get bucket labels in these namespaces only. Empty: in "
		  "all." },
	{ .name = "locks",
	  .expected = "a list of Leases",
	  .value = "[]",
	  .load = locks_load,
	  .help = "The Leases by which the controller elects a leader, at most 8. "
		  "Each member's controller gets one of its own, so that all of them "
		  "lead. Empty: the controller elects none." },
	{ .name = "resources",
	  .expected = "a list of resources",
	  .load = resources_load,
	  .help = "What the controller reconciles: at least one resource, at most 32 "
		  "with all that they own." },
};

const size_t ring_fields_n = sizeof(ring_fields) / sizeof(ring_fields[0]);

const struct field *fields_find(const struct field *fields, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, fields[i].name))
			return &fields[i];
	return NULL;
}

int fields_check_keys(const struct field *fields, size_t n, const struct node *mapping,
		      struct err *err)
{
	for (const struct node *child = mapping->first; child; child = child->next) {
		struct suggest suggest;

		if (fields_find(fields, n, child->key))
			continue;
		suggest_init(&suggest, child->key);
		for (size_t i = 0; i < n; i++) {
			struct slice name = slice_of(fields[i].name);

			suggest_offer(&suggest, name, name);
		}
		return place_error(&child->key_place, err, "unknown key '%.*s'%s",
				   SLICE_ARGS(child->key), suggest_text(&suggest));
	}
	return 0;
}

int fields_load(const struct field *fields, size_t n, struct loader *loader,
		const struct node *mapping, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		const struct field *field = &fields[i];
		const struct node *node = node_get(mapping, field->name);
		int rc = 0;

		if (node && !node->is_null)
			rc = field->load(loader, node, err);
		else if (!field->value)
			rc = place_error(&mapping->place, err,
					 "'%s' is missing: expected %s", field->name,
					 field->expected);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void ring_fields_set_defaults(struct loader *loader)
{
	for (size_t i = 0; i < ring_fields_n; i++) {
		const struct field *field = &ring_fields[i];
		struct node *node;
		int rc;

		if (!field->value)
			continue;
		rc = node_parse(&node, loader->scratch, field->name,
				slice_of(field->value), NULL);
		if (rc == 0)
			rc = field->load(loader, node, NULL);
		assert(rc == 0 && "every default loads");
	}
}
