#include "proxy/ring/inflight.h"

#include <assert.h>

static uint32_t *inflight_counter(struct inflight *inflight, int bucket)
{
	if (bucket == BUCKET_NONE)
		return &inflight->none;
	if (bucket == BUCKET_ALL)
		return &inflight->all;
	assert(bucket >= 0 && bucket < BUCKETS_MAX && "the fence names real buckets");
	return &inflight->count[bucket];
}

void inflight_begin(struct inflight *inflight, int bucket)
{
	(*inflight_counter(inflight, bucket))++;
	inflight->total++;
}

void inflight_end(struct inflight *inflight, int bucket)
{
	uint32_t *counter = inflight_counter(inflight, bucket);

	assert(*counter > 0 && "each end has its begin");
	(*counter)--;
	inflight->total--;
}

bool inflight_is_drained(const struct inflight *inflight, const struct bucket_set *set)
{
	if (inflight->all > 0)
		return false;
	for (int bucket = 0; bucket < BUCKETS_MAX; bucket++)
		if (inflight->count[bucket] > 0 && bucket_set_has(set, bucket))
			return false;
	return true;
}
