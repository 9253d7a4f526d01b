#include "proxy/ring/agreement.h"

const char *agreement_placement(enum placement_key placement)
{
	switch (placement) {
	case PLACEMENT_NAMESPACE_NAME:
		return "namespace,name";
	case PLACEMENT_NAMESPACE:
		return "namespace";
	case PLACEMENT_NAME:
		return "name";
	case PLACEMENT_LABEL:
		return "label";
	}
	return "";
}

static const char *settings_text(struct arena *arena, struct slice hash, int buckets,
				 enum placement_key placement)
{
	return arena_printf(arena, "%.*s/%d/%s", SLICE_ARGS(hash), buckets,
			    agreement_placement(placement));
}

const char *settings_of_spec(const struct ring_spec *spec, struct arena *arena)
{
	return settings_text(arena, slice_of(spec->hash), spec->buckets,
			     spec->placement);
}

const char *settings_of_assignment(const struct assignment *assignment,
				   struct arena *arena)
{
	return settings_text(arena, assignment->resources, assignment->buckets,
			     assignment->placement);
}

enum agreement agreement_with(const struct assignment *assignment,
			      const struct ring_spec *spec)
{
	if (assignment->epoch == 0)
		return AGREEMENT_FULL;
	if (assignment->buckets != spec->buckets)
		return AGREEMENT_BUCKETS;
	if (assignment->placement != spec->placement)
		return AGREEMENT_PLACEMENT;
	if (!slice_is(assignment->resources, spec->hash))
		return AGREEMENT_RESOURCES;
	return AGREEMENT_FULL;
}

enum version_verdict version_judge(const struct assignment_version *known,
				   const struct assignment_version *read, bool is_same)
{
	if (read->version <= known->version)
		return VERSION_STALE;
	if (read->epoch > known->epoch)
		return VERSION_NEW;
	return is_same && read->epoch > 0 ? VERSION_NEW : VERSION_REVERTED;
}
