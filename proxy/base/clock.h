/*
 * The one source of time: milliseconds of CLOCK_BOOTTIME, which goes on while
 * the machine sleeps (a lease runs out in a suspended machine too). Code that
 * decides by time is handed a `struct clock`, so that a test replaces it.
 *
 * Wall-clock time only ever leaves the program (renewTime of a Lease, log
 * lines); it is never compared.
 */
#ifndef RINGSIDE_BASE_CLOCK_H
#define RINGSIDE_BASE_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*now_ms)(void *arg);
	void *arg;
};

/* CLOCK_BOOTTIME. */
extern const struct clock clock_boottime;

static inline int64_t clock_now_ms(const struct clock *clock)
{
	return clock->now_ms(clock->arg);
}

/* Room for clock_wall_text. */
#define CLOCK_WALL_BYTES 32

/* The wall clock as Kubernetes' MicroTime: 2006-01-02T15:04:05.000000Z. */
void clock_wall_text(char out[CLOCK_WALL_BYTES]);

/* The same, in whole seconds since 1970. */
int64_t clock_wall_s(void);

#endif
