/*
 * Writes in flight, counted per bucket: from the instant at which the fence let
 * one pass until its answer is complete. One whose answer will never come (its
 * connection broke, we cut it) may still be carried out: it stays in flight until
 * a time. BUCKET_NONE counts writes that belong to no bucket and hold up none;
 * BUCKET_ALL counts those that may touch any (a DELETE of a collection): while one
 * is in flight, nothing is drained.
 */
#ifndef RINGSIDE_RING_INFLIGHT_H
#define RINGSIDE_RING_INFLIGHT_H

#include "proxy/ring/bucket.h"

struct inflight {
	uint32_t count[BUCKETS_MAX];
	uint32_t none, all;
	uint32_t total;
	/* When the last one without an answer is over; our clock. */
	int64_t over_ms[BUCKETS_MAX];
	int64_t none_over_ms, all_over_ms;
};

/* Zeroed memory is an empty one. Each begin is followed by one end or abandon. */
void inflight_begin(struct inflight *inflight, int bucket);
void inflight_end(struct inflight *inflight, int bucket);
/* No answer will come; until then it may be carried out. */
void inflight_abandon(struct inflight *inflight, int bucket, int64_t over_ms);

/*
 * From when on no write to any bucket of the set is in flight: a time, which may
 * have passed; INT64_MAX while one may be answered yet.
 */
int64_t inflight_over_ms(const struct inflight *inflight, const struct bucket_set *set);

/* The same for all writes, those of no bucket included. */
int64_t inflight_all_over_ms(const struct inflight *inflight);

#endif
