/* The list of locks by which the controller elects a leader. */
#include <errno.h>

#include "config/fields.h"
#include "config/names.h"

static int load_lock_namespace(struct loader *loader, const struct node *node,
			       struct err *err)
{
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (node->text.len > 0 && !is_dns_label(node->text))
		return place_error(&node->place, err,
				   "namespace: expected " DNS_LABEL_RULE);
	loader->lock->namespace = arena_copy(loader->config->arena, node->text);
	return 0;
}

/* Behind `namespace` in the table, so that the lock is known from here on. */
static int check_lock_twice(const struct loader *loader, const struct node *node,
			    struct err *err)
{
	const struct ring_lock *lock = loader->config->spec.locks;

	for (; lock < loader->lock; lock++)
		if (slice_eq(lock->namespace, loader->lock->namespace) &&
		    slice_eq(lock->name, loader->lock->name))
			return place_error(&node->place, err,
					   "locks: '%.*s' stands there twice",
					   SLICE_ARGS(lock->name));
	return 0;
}

static int load_lock_name(struct loader *loader, const struct node *node,
			  struct err *err)
{
	int rc = node_expect(node, NODE_SCALAR, err);

	if (rc < 0)
		return rc;
	if (!is_dns_subdomain(node->text) || node->text.len > LOCK_NAME_BYTES_MAX)
		return place_error(&node->place, err,
				   "name: expected the name of a Lease, at most %d "
				   "characters",
				   LOCK_NAME_BYTES_MAX);
	loader->lock->name = arena_copy(loader->config->arena, node->text);
	return check_lock_twice(loader, node, err);
}

const struct field lock_fields[] = {
	{ .name = "namespace",
	  .expected = "a DNS label",
	  .value = "\"\"",
	  .load = load_lock_namespace,
	  .help = "Where the Lease is. Empty: the ring's own namespace." },
	{ .name = "name",
	  .expected = "the name of a Lease",
	  .load = load_lock_name,
	  .help = "The Lease, as the controller names it: often a flag or an option "
		  "called leader election id." },
};

const size_t lock_fields_n = sizeof(lock_fields) / sizeof(lock_fields[0]);

static int load_lock(struct loader *loader, const struct node *node, struct err *err)
{
	struct ring_spec *spec = &loader->config->spec;
	int rc = node_expect(node, NODE_MAPPING, err);

	if (rc < 0)
		return rc;
	if (spec->locks_n == SPEC_LOCKS_MAX)
		return place_error(&node->place, err, "locks: more than %d",
				   SPEC_LOCKS_MAX);
	loader->lock = &spec->locks[spec->locks_n++];
	*loader->lock = (struct ring_lock){ 0 };
	rc = fields_check_keys(lock_fields, lock_fields_n, node, err);
	return rc < 0 ? rc : fields_load(lock_fields, lock_fields_n, loader, node, err);
}

int locks_load(struct loader *loader, const struct node *list, struct err *err)
{
	int rc = node_expect(list, NODE_LIST, err);

	loader->config->spec.locks_n = 0;
	for (const struct node *node = list->first; node && rc == 0; node = node->next)
		rc = load_lock(loader, node, err);
	return rc;
}
