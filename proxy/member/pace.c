#include "proxy/member/pace.h"

#include <assert.h>

/* The most that is saved up: a burst, and the part of a token beyond it. */
static int64_t burst_millitokens(int64_t rate)
{
	int64_t tokens = rate > 10 ? rate / 10 : 1;

	return tokens * 1000 + 999;
}

void token_bucket_init(struct token_bucket *bucket, int64_t rate, int64_t now_ms)
{
	*bucket = (struct token_bucket){ .millitokens = burst_millitokens(rate),
					 .at_ms = now_ms };
}

int64_t token_bucket_wait_ms(struct token_bucket *bucket, int64_t rate, int64_t now_ms)
{
	int64_t most = burst_millitokens(rate);

	/* A token per second is a millitoken per millisecond. */
	if (now_ms - bucket->at_ms > 1000)
		bucket->at_ms = now_ms - 1000;
	bucket->millitokens += (now_ms - bucket->at_ms) * rate;
	bucket->at_ms = now_ms;
	if (bucket->millitokens > most)
		bucket->millitokens = most;
	if (bucket->millitokens >= 1000)
		return 0;
	return (1000 - bucket->millitokens + rate - 1) / rate;
}

void token_bucket_take(struct token_bucket *bucket)
{
	assert(bucket->millitokens >= 1000 && "asked before it is taken");
	bucket->millitokens -= 1000;
}

void gate_init(struct gate *gate, int64_t min_ms, int64_t max_ms)
{
	backoff_init(&gate->backoff, min_ms, max_ms);
	gate->until_ms = 0;
}

bool gate_is_shut(const struct gate *gate, int64_t now_ms)
{
	return now_ms < gate->until_ms;
}

void gate_shut(struct gate *gate, int64_t now_ms, int64_t least_ms, uint32_t random)
{
	int64_t delay_ms = least_ms;

	if (!gate_is_shut(gate, now_ms)) {
		delay_ms = backoff_next_ms(&gate->backoff, random);
		if (delay_ms < least_ms)
			delay_ms = least_ms;
	}
	if (gate->until_ms < now_ms + delay_ms)
		gate->until_ms = now_ms + delay_ms;
}

void gate_open(struct gate *gate)
{
	backoff_reset(&gate->backoff);
	gate->until_ms = 0;
}
