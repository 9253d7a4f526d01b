/*
 * How long to wait before trying again: doubling from min_ms to max_ms, with
 * jitter, so that members that failed together do not come back together. A
 * value inside its owner; pure but for the random number, which the caller
 * brings.
 */
#ifndef RINGSIDE_NET_BACKOFF_H
#define RINGSIDE_NET_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t min_ms;
	int64_t max_ms;
	int64_t next_ms;
};

/* 0 < min_ms <= max_ms. */
void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms);

/* After a success: the next delay is min_ms again. */
void backoff_reset(struct backoff *backoff);

/* The delay to wait now, between a half of the current one and all of it. */
int64_t backoff_next_ms(struct backoff *backoff, uint32_t random);

/* A number for backoff_next_ms; not for secrets. */
uint32_t backoff_random(void);

#endif
