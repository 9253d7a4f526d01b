/*
 * A ring on a fake API server: foos own deployments, which own replicasets. All
 * are namespaced, of version v1.
 */
#ifndef RINGSIDE_UNIT_NET_FAKE_RING_H
#define RINGSIDE_UNIT_NET_FAKE_RING_H

#include "proxy/net/catalog.h"
#include "tests/unit/net/fake_api.h"

enum { FOOS, DEPLOYMENTS, REPLICASETS };

struct fake_ring {
	struct fake_api *fake;
	struct arena *arena;
	struct ring_spec spec;
	struct catalog *catalog; /* knows nothing yet */
};

void fake_ring_init(struct fake_ring *ring);
void fake_ring_finish(struct fake_ring *ring);

/* Answers discovery until the catalog is complete. */
void fake_ring_learn(struct fake_ring *ring);

#endif
