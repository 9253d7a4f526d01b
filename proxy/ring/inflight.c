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

static int64_t *inflight_over(struct inflight *inflight, int bucket)
{
	if (bucket == BUCKET_NONE)
		return &inflight->none_over_ms;
	return bucket == BUCKET_ALL ? &inflight->all_over_ms
				    : &inflight->over_ms[bucket];
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

void inflight_abandon(struct inflight *inflight, int bucket, int64_t over_ms)
{
	int64_t *over = inflight_over(inflight, bucket);

	inflight_end(inflight, bucket);
	if (over_ms > *over)
		*over = over_ms;
}

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t inflight_over_ms(const struct inflight *inflight, const struct bucket_set *set)
{
	int64_t over_ms = inflight->all > 0 ? INT64_MAX : inflight->all_over_ms;

	for (int bucket = 0; bucket < BUCKETS_MAX; bucket++) {
		if (!bucket_set_has(set, bucket))
			continue;
		if (inflight->count[bucket] > 0)
			return INT64_MAX;
		over_ms = latest(over_ms, inflight->over_ms[bucket]);
	}
	return over_ms;
}

int64_t inflight_all_over_ms(const struct inflight *inflight)
{
	int64_t over_ms = latest(inflight->all_over_ms, inflight->none_over_ms);

	if (inflight->total > 0)
		return INT64_MAX;
	for (int bucket = 0; bucket < BUCKETS_MAX; bucket++)
		over_ms = latest(over_ms, inflight->over_ms[bucket]);
	return over_ms;
}
