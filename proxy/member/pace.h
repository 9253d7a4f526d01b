/*
 * How fast work may go: a token bucket (so many a second, in small bursts) and a
 * gate (shut for a while after a failure, longer after the next one). Values
 * inside their owner; pure: time is handed in.
 */
#ifndef RINGSIDE_MEMBER_PACE_H
#define RINGSIDE_MEMBER_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/net/backoff.h"

struct token_bucket {
	int64_t millitokens;
	int64_t at_ms;
};

/* Full; a burst is what a tenth of a second allows, and at least one. */
void token_bucket_init(struct token_bucket *bucket, int64_t rate, int64_t now_ms);

/* 0: a token is there. Else how long until it is. rate: tokens per second. */
int64_t token_bucket_wait_ms(struct token_bucket *bucket, int64_t rate, int64_t now_ms);

/* Takes the token that token_bucket_wait_ms has just said to be there. */
void token_bucket_take(struct token_bucket *bucket);

struct gate {
	struct backoff backoff;
	int64_t until_ms;
};

void gate_init(struct gate *gate, int64_t min_ms, int64_t max_ms);

bool gate_is_shut(const struct gate *gate, int64_t now_ms);

/*
 * Something failed: shut for the next delay, and at least for least_ms (what a
 * Retry-After says). Failures while it is shut are those of the same moment, and
 * do not make it longer.
 */
void gate_shut(struct gate *gate, int64_t now_ms, int64_t least_ms, uint32_t random);

/* Something succeeded: open, and the next failure starts from the least delay. */
void gate_open(struct gate *gate);

#endif
