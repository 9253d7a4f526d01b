/* What a running process may change about itself. */
#include <errno.h>

#include "config/tables.h"

static bool is_same_list(const char *const *a, const char *const *b)
{
	for (; *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return !*a && !*b;
}

/* By name: the namespaces of those in use are completed; the hash tells of them. */
static bool is_same_locks(const struct ring_spec *a, const struct ring_spec *b)
{
	if (a->locks_n != b->locks_n)
		return false;
	for (int i = 0; i < a->locks_n; i++)
		if (!slice_eq(a->locks[i].name, b->locks[i].name))
			return false;
	return true;
}

/* What each member may do in its own way; the same resources, says the hash. */
static bool is_same_manners(const struct ring_spec *a, const struct ring_spec *b)
{
	for (int i = 0; i < a->resources_n; i++) {
		const struct ring_resource *now = &a->resources[i];
		const struct ring_resource *next =
			ring_spec_find(b, now->group, now->resource);

		if (!next || now->refuse != next->refuse ||
		    now->on_release != next->on_release ||
		    now->lacks_diff != next->lacks_diff)
			return false;
	}
	return true;
}

/* The field of the ring's identity that differs, or NULL. */
static const char *changed_field(const struct config *now, const struct config *next)
{
	if (!slice_eq(now->spec.ring, next->spec.ring))
		return "ring";
	if (now->spec.buckets != next->spec.buckets)
		return "buckets";
	if (now->spec.placement != next->spec.placement)
		return "key";
	if (!is_same_list(now->namespaces, next->namespaces))
		return "namespaces";
	if (!is_same_locks(&now->spec, &next->spec))
		return "locks";
	if (strcmp(now->spec.hash, next->spec.hash) != 0 ||
	    !is_same_manners(&now->spec, &next->spec))
		return "resources";
	return NULL;
}

/* The option that differs and may not, or NULL. */
static const char *changed_option(const struct config *now, const struct config *next)
{
	const struct opt *row;

	for (size_t i = 0; (row = tables_option(i, NULL)); i++)
		if (!row->reload && !tables_is_equal(i, now, next))
			return row->name;
	return NULL;
}

int config_can_reload(const struct config *now, const struct config *next,
		      struct err *err)
{
	const char *changed = changed_field(now, next);

	if (!changed)
		changed = changed_option(now, next);
	if (!changed)
		return 0;
	return err_set(err, -EPERM,
		       "%s: %s cannot change in a running process: restart the member",
		       next->file, changed);
}
