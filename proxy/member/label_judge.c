#include "proxy/member/label_judge.h"

static bool is_ring_kind(void *arg, struct slice api_version, struct slice kind)
{
	const struct catalog *catalog = arg;

	return catalog_of_kind(catalog, meta_group_of(api_version), kind) != NULL;
}

struct foreign *label_judge_foreign(const struct label_judge *judge,
				    const struct ring_resource *resource)
{
	return resource->keys.owner.len > 0 ? judge->foreign_named : judge->foreign;
}

/* Whom the object names as its owner. False: it belongs to nobody. */
static bool owner_read(struct owner_reference *out, const struct label_judge *judge,
		       const struct owned *owned, int64_t now_ms)
{
	const struct object_meta *meta = owned->meta;
	struct locate_question at;

	if (!owner_find(&at, judge->catalog, judge->spec, owned) ||
	    foreign_has(label_judge_foreign(judge, owned->resource), meta->uid,
			foreign_hash_owners(meta), now_ms))
		return false;
	if (owned->resource->keys.owner.len > 0)
		*out = (struct owner_reference){ .name = meta->owner_name };
	else
		*out = *meta_owner(meta, is_ring_kind, (void *)judge->catalog);
	return true;
}

static bool is_labelled(const struct label_judge *judge, const struct object_meta *meta)
{
	return meta->has_label &&
	       bucket_of_label(meta->label, judge->spec->buckets) != BUCKET_NONE;
}

struct label_item *label_judge_misplaced(const struct label_judge *judge,
					 const struct ring_resource *resource,
					 int source, const struct object_meta *meta,
					 int64_t now_ms)
{
	const struct owned owned = { .resource = resource,
				     .namespace = meta->namespace,
				     .meta = meta };
	struct owner_reference owner = { 0 };
	struct label_item *item = NULL;

	if (resource->role == RESOURCE_MAIN ||
	    owner_read(&owner, judge, &owned, now_ms))
		item = label_item_create(source, meta, &owner);
	if (item == NULL)
		return NULL;
	item->resource = resource;
	item->owners = foreign_hash_owners(meta);
	item->since_ms = now_ms;
	return item;
}

struct label_item *label_judge(const struct label_judge *judge,
			       const struct ring_resource *resource, int source,
			       const struct object_meta *meta, int64_t now_ms)
{
	return is_labelled(judge, meta)
		       ? NULL
		       : label_judge_misplaced(judge, resource, source, meta, now_ms);
}
