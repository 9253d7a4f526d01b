/*
 * Numbers for random histories (splitmix64): the same seed, the same history,
 * on every machine, so that what failed fails again.
 */
#ifndef RINGSIDE_UNIT_RANDOM_H
#define RINGSIDE_UNIT_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* 0 .. n-1. */
static inline int random_below(struct random *random, int n)
{
	return (int)(random_next(random) % (uint64_t)n);
}

#endif
