/*
 * The ring of the desk (desk.h), as its file would say it: for unit tests and fuzzers.
 */
#ifndef RINGSIDE_UNIT_DESK_SPEC_H
#define RINGSIDE_UNIT_DESK_SPEC_H

#include "proxy/ring/spec.h"

#define DESK_BUCKETS 8

/* Texts come from the arena. */
static inline void desk_spec_init(struct ring_spec *spec, struct arena *arena)
{
	*spec = (struct ring_spec){
		.ring = slice_of("foos"),
		.buckets = DESK_BUCKETS,
		.resources_n = 3,
		.resources = { { .group = slice_of("samplecontroller.k8s.io"),
				 .resource = slice_of("foos"),
				 .owner = -1 },
			       { .group = slice_of("apps"),
				 .resource = slice_of("deployments"),
				 .role = RESOURCE_OWNED,
				 .index = 1 },
			       { .resource = slice_of("secrets"),
				 .role = RESOURCE_OWNED,
				 .unowned = UNOWNED_HIDDEN,
				 .index = 2 } },
		.locks_n = 1,
		.locks = { { .namespace = slice_of("ns"), .name = slice_of("lock") } },
	};
	ring_spec_seal(spec, arena);
	ring_spec_set_member(spec, arena, slice_of("ns"), slice_of("a"));
}

#endif
