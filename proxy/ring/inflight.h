/*
 * Writes in flight, counted per bucket: from the instant at which the fence let
 * one pass until its answer is complete. A bucket is drained when its count is
 * zero. BUCKET_NONE counts writes that belong to no bucket and hold up none;
 * BUCKET_ALL counts those that may touch any (a DELETE of a collection): while
 * one is in flight, nothing is drained.
 */
#ifndef RINGSIDE_RING_INFLIGHT_H
#define RINGSIDE_RING_INFLIGHT_H

#include "proxy/ring/bucket.h"

struct inflight {
	uint32_t count[BUCKETS_MAX];
	uint32_t none, all;
	uint32_t total;
};

/* Zeroed memory is an empty one. Each begin is followed by one end. */
void inflight_begin(struct inflight *inflight, int bucket);
void inflight_end(struct inflight *inflight, int bucket);

/* Whether no write to any bucket of the set is in flight. */
bool inflight_is_drained(const struct inflight *inflight, const struct bucket_set *set);

#endif
