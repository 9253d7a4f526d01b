/*
 * What members must agree on before they share buckets: the number of buckets,
 * placement, and the resources with their rules. Each member shows its settings
 * on its Lease; the assignment shows those of the ring (design, section 5).
 */
#ifndef RINGSIDE_RING_AGREEMENT_H
#define RINGSIDE_RING_AGREEMENT_H

#include "proxy/ring/assignment.h"

/* "<hash of the resources>/<buckets>/<placement>", as it stands on a Lease. */
const char *settings_of_spec(const struct ring_spec *spec, struct arena *arena);
const char *settings_of_assignment(const struct assignment *assignment,
				   struct arena *arena);

enum agreement {
	AGREEMENT_FULL,
	AGREEMENT_RESOURCES, /* other resources, or other rules about them */
	AGREEMENT_PLACEMENT, /* fixed for the life of a ring, as is ... */
	AGREEMENT_BUCKETS,
};

/* The gravest disagreement; an assignment of epoch 0 agrees with everybody. */
enum agreement agreement_with(const struct assignment *assignment,
			      const struct ring_spec *spec);

/*
 * For messages and settings: "namespace,name", "namespace", "name", "label". Which
 * label is in the hash of the resources.
 */
const char *agreement_placement(enum placement_key placement);

/* What is known of the ConfigMap, and what a version of it that was read says. */
struct assignment_version {
	uint64_t epoch;   /* 0: nothing that could be read */
	uint64_t version; /* its resourceVersion as a number */
};

enum version_verdict {
	VERSION_NEW,   /* replaces what is known */
	VERSION_STALE, /* seen before, or from an API server that lags: ignored */
	/*
	 * Stored later, yet garbage, an older epoch, or another content of the same
	 * one: a create that came late, or somebody's hand. What is known stands,
	 * and is to be written again.
	 */
	VERSION_REVERTED,
};

/* is_same: both have the same content. */
enum version_verdict version_judge(const struct assignment_version *known,
				   const struct assignment_version *read, bool is_same);

#endif
