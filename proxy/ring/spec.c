#include "proxy/ring/spec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

#include "proxy/kube/selector.h"

/* What members must agree on about one resource, as a line. */
static const char *ring_resource_line(const struct ring_spec *spec,
				      const struct ring_resource *resource,
				      struct arena *arena)
{
	const char *owner = "";
	const char *rule = "main";
	const char *by = "";

	if (resource->role == RESOURCE_OWNED) {
		owner = ring_resource_name(&spec->resources[resource->owner], arena);
		rule = resource->unowned == UNOWNED_HIDDEN ? "hidden" : "visible";
	}
	if (resource->keys.owner.len > 0)
		by = arena_printf(arena, " %s:%.*s",
				  resource->keys.is_owner_annotation ? "annotation"
								     : "label",
				  SLICE_ARGS(resource->keys.owner));
	return arena_printf(arena, "%s %s %s%s\n", ring_resource_name(resource, arena),
			    rule, owner, by);
}

/* A sum, so that members may list their resources in any order. */
static uint64_t ring_spec_hash(const struct ring_spec *spec, struct arena *arena)
{
	uint64_t hash = 0;

	for (int i = 0; i < spec->resources_n; i++) {
		const char *line = ring_resource_line(spec, &spec->resources[i], arena);

		hash += XXH3_64bits(line, strlen(line));
	}
	if (spec->placement == PLACEMENT_LABEL)
		hash += XXH3_64bits(spec->placement_label.data,
				    spec->placement_label.len);
	for (int i = 0; i < spec->locks_n; i++) {
		const struct ring_lock *lock = &spec->locks[i];
		const char *line = arena_printf(arena, "lock %.*s/%.*s",
						SLICE_ARGS(lock->namespace),
						SLICE_ARGS(lock->name));

		hash += XXH3_64bits(line, strlen(line));
	}
	return hash;
}

void ring_spec_seal(struct ring_spec *spec, struct arena *arena)
{
	assert(spec->buckets > 0 && spec->buckets <= BUCKETS_MAX &&
	       spec->resources_n <= SPEC_RESOURCES_MAX && "config checked the bounds");
	spec->label = slice_of(arena_printf(arena, BUCKET_LABEL_PREFIX "%.*s",
					    SLICE_ARGS(spec->ring)));
	for (int i = 0; i < spec->resources_n; i++) {
		spec->resources[i].keys.label = spec->label;
		spec->resources[i].keys.place = spec->placement_label;
	}
	snprintf(spec->hash, sizeof(spec->hash), "%016" PRIx64,
		 ring_spec_hash(spec, arena));
}

void ring_spec_set_member(struct ring_spec *spec, struct arena *arena,
			  struct slice namespace, struct slice member)
{
	for (int i = 0; i < spec->locks_n; i++) {
		struct ring_lock *lock = &spec->locks[i];

		if (lock->namespace.len == 0)
			lock->namespace = namespace;
		lock->alias = slice_of(arena_printf(arena, "%.*s.%.*s",
						    SLICE_ARGS(lock->name),
						    SLICE_ARGS(member)));
	}
}

bool ring_lock_is_kind(struct slice group, struct slice resource)
{
	return slice_is(group, "coordination.k8s.io") && slice_is(resource, "leases");
}

const struct ring_lock *ring_spec_find_lock(const struct ring_spec *spec,
					    struct slice namespace, struct slice name)
{
	for (int i = 0; i < spec->locks_n; i++)
		if (slice_eq(spec->locks[i].namespace, namespace) &&
		    slice_eq(spec->locks[i].name, name))
			return &spec->locks[i];
	return NULL;
}

const struct ring_resource *ring_spec_find(const struct ring_spec *spec,
					   struct slice group, struct slice resource)
{
	for (int i = 0; i < spec->resources_n; i++) {
		const struct ring_resource *found = &spec->resources[i];

		if (slice_eq(found->resource, resource) &&
		    slice_eq(found->group, group))
			return found;
	}
	return NULL;
}

int ring_spec_place(const struct ring_spec *spec, const struct ring_resource *resource,
		    const struct object_meta *meta)
{
	struct object_key key = { .group = resource->group,
				  .resource = resource->resource,
				  .namespace = meta->namespace,
				  .name = meta->name,
				  .label = meta->place };

	return bucket_place(spec->placement, spec->buckets, &key);
}

char *ring_resource_name(const struct ring_resource *resource, struct arena *arena)
{
	return arena_printf(arena, "%.*s%s%.*s", SLICE_ARGS(resource->resource),
			    resource->group.len ? "." : "",
			    SLICE_ARGS(resource->group));
}

static int ring_write_in(struct buf *out, const struct ring_spec *spec,
			 const struct bucket_set *set)
{
	uint16_t buckets[BUCKETS_MAX];
	int n = bucket_set_list(set, buckets);

	return selector_write_in(out, spec->label, buckets, (size_t)n);
}

static int ring_write_notin(struct buf *out, const struct ring_spec *spec,
			    const struct bucket_set *set)
{
	uint16_t buckets[BUCKETS_MAX];
	int n = bucket_set_list(set, buckets);

	return selector_write_notin(out, spec->label, buckets, (size_t)n);
}

/* Its own and all that has no label. */
static int ring_write_visible(struct buf *out, const struct ring_spec *spec,
			      const struct bucket_set *view)
{
	struct bucket_set others = bucket_set_invert(view, spec->buckets);
	int others_n = bucket_set_count(&others);

	if (others_n == spec->buckets)
		return buf_printf(out, "!%.*s", SLICE_ARGS(spec->label));
	if (others_n == 0)
		return 0;
	return ring_write_notin(out, spec, &others);
}

/* Its own alone; a bare notin would let through what has no label. */
static int ring_write_own(struct buf *out, const struct ring_spec *spec,
			  const struct bucket_set *view)
{
	struct bucket_set others = bucket_set_invert(view, spec->buckets);
	int others_n = bucket_set_count(&others);
	int own_n = spec->buckets - others_n;
	size_t start = out->len;
	int rc;

	if (own_n == 0)
		return buf_printf(out, "%.*s,!%.*s", SLICE_ARGS(spec->label),
				  SLICE_ARGS(spec->label));
	if (others_n == 0 || own_n <= others_n)
		return ring_write_in(out, spec, view);
	rc = buf_printf(out, "%.*s,", SLICE_ARGS(spec->label));
	if (rc == 0)
		rc = ring_write_notin(out, spec, &others);
	if (rc < 0)
		out->len = start;
	return rc;
}

int ring_selector_write(struct buf *out, const struct ring_spec *spec,
			const struct ring_resource *resource,
			const struct bucket_set *view)
{
	if (resource->role == RESOURCE_OWNED && resource->unowned == UNOWNED_VISIBLE)
		return ring_write_visible(out, spec, view);
	return ring_write_own(out, spec, view);
}

int ring_selector_write_unplaced(struct buf *out, const struct ring_spec *spec)
{
	const struct bucket_set none = { 0 };
	struct bucket_set all = bucket_set_invert(&none, spec->buckets);

	return ring_write_notin(out, spec, &all);
}
