#include "proxy/base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static int64_t boottime_now_ms(void *arg)
{
	struct timespec now;
	int rc = clock_gettime(CLOCK_BOOTTIME, &now);

	assert(rc == 0 && "Linux has had CLOCK_BOOTTIME since 2.6.39");
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const struct clock clock_boottime = { .now_ms = boottime_now_ms };

void clock_wall_text(char out[CLOCK_WALL_BYTES])
{
	struct timespec now;
	struct tm utc;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	n = strftime(out, CLOCK_WALL_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(out + n, CLOCK_WALL_BYTES - n, ".%06ldZ", now.tv_nsec / 1000);
}

int64_t clock_wall_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}
