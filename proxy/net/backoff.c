#include "proxy/net/backoff.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms)
{
	assert(min_ms > 0 && min_ms <= max_ms && "a delay that can double");
	*backoff = (struct backoff){ .min_ms = min_ms,
				     .max_ms = max_ms,
				     .next_ms = min_ms };
}

void backoff_reset(struct backoff *backoff)
{
	backoff->next_ms = backoff->min_ms;
}

int64_t backoff_next_ms(struct backoff *backoff, uint32_t random)
{
	int64_t now_ms = backoff->next_ms;
	int64_t half_ms = now_ms / 2;

	backoff->next_ms = now_ms > backoff->max_ms / 2 ? backoff->max_ms : 2 * now_ms;
	return now_ms - half_ms + (int64_t)random % (half_ms + 1);
}

uint32_t backoff_random(void)
{
	uint32_t value;

	if (getrandom(&value, sizeof(value), 0) != sizeof(value))
		abort();
	return value;
}
