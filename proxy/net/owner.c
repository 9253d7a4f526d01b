#include "proxy/net/owner.h"

static bool is_ring_kind(void *arg, struct slice api_version, struct slice kind)
{
	const struct catalog *catalog = arg;

	return catalog_of_kind(catalog, meta_group_of(api_version), kind) != NULL;
}

static bool find_by_reference(struct locate_question *out,
			      const struct catalog *catalog, const struct owned *owned)
{
	const struct owner_reference *reference =
		meta_owner(owned->meta, is_ring_kind, (void *)catalog);
	const struct ring_resource *resource = NULL;
	bool is_namespaced;

	if (reference)
		resource = catalog_of_kind(catalog,
					   meta_group_of(reference->api_version),
					   reference->kind);
	if (!resource)
		return false;
	is_namespaced = catalog_entry(catalog, resource->index)->is_namespaced;
	/* What is in no namespace has no owner in one. */
	if (is_namespaced && owned->namespace.len == 0)
		return false;
	*out = (struct locate_question){ .resource = resource,
					 .name = reference->name,
					 .uid = reference->uid };
	if (is_namespaced)
		out->namespace = owned->namespace;
	return true;
}

/* "name" in the object's own namespace, or "namespace/name". */
static bool find_by_name(struct locate_question *out, const struct catalog *catalog,
			 const struct ring_spec *spec, const struct owned *owned)
{
	const struct ring_resource *resource = &spec->resources[owned->resource->owner];
	bool is_namespaced = catalog_entry(catalog, resource->index)->is_namespaced;
	struct slice name = owned->meta->owner_name, namespace = owned->namespace;
	ptrdiff_t slash = slice_find(name, '/');

	if (slash >= 0) {
		namespace = slice_make(name.data, (size_t)slash);
		name = slice_from(name, (size_t)slash + 1);
	}
	if (name.len == 0 || slice_find(name, '/') >= 0 ||
	    (slash >= 0 && !is_namespaced) || (is_namespaced && namespace.len == 0))
		return false;
	*out = (struct locate_question){ .resource = resource, .name = name };
	if (is_namespaced)
		out->namespace = namespace;
	return true;
}

bool owner_find(struct locate_question *out, const struct catalog *catalog,
		const struct ring_spec *spec, const struct owned *owned)
{
	if (owned->resource->keys.owner.len > 0)
		return find_by_name(out, catalog, spec, owned);
	return find_by_reference(out, catalog, owned);
}

bool owner_is_certain(const struct catalog *catalog, const struct owned *owned)
{
	bool names_one = owned->resource->keys.owner.len > 0
				 ? owned->meta->owner_name.len > 0
				 : owned->meta->owners_n > 0;

	return !names_one || catalog_is_complete(catalog);
}
