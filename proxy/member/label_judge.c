#include "proxy/member/label_judge.h"

static bool is_ring_kind(void *arg, struct slice api_version, struct slice kind)
{
	const struct catalog *catalog = arg;

	return catalog_of_kind(catalog, meta_group_of(api_version), kind) != NULL;
}

/* The owner, of a kind of the ring's; NULL: the object belongs to nobody. */
static const struct owner_reference *owner_of(const struct label_judge *judge,
					      const struct object_meta *meta,
					      int64_t now_ms)
{
	void *catalog = (void *)judge->catalog;
	const struct owner_reference *owner = meta_owner(meta, is_ring_kind, catalog);

	if (owner == NULL || !is_ring_kind(catalog, owner->api_version, owner->kind))
		return NULL;
	if (foreign_has(judge->foreign, meta->uid, foreign_hash_owners(meta), now_ms))
		return NULL;
	return owner;
}

static bool is_labelled(const struct label_judge *judge, const struct object_meta *meta)
{
	return meta->has_label &&
	       bucket_of_label(meta->label, judge->spec->buckets) != BUCKET_NONE;
}

struct label_item *label_judge(const struct label_judge *judge,
			       const struct ring_resource *resource, int source,
			       const struct object_meta *meta, int64_t now_ms)
{
	const struct owner_reference *owner = NULL;
	struct label_item *item = NULL;

	if (is_labelled(judge, meta))
		return NULL;
	if (resource->role == RESOURCE_OWNED)
		owner = owner_of(judge, meta, now_ms);
	if (resource->role == RESOURCE_MAIN || owner != NULL)
		item = label_item_create(source, meta, owner);
	if (item == NULL)
		return NULL;
	item->resource = resource;
	item->owners = foreign_hash_owners(meta);
	item->since_ms = now_ms;
	return item;
}
