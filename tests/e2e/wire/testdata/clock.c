/*
 * A clock that a test sets forward, put before the C library's by LD_PRELOAD: the
 * file $CLOCK holds by how many seconds, as eight bytes. Timers of the kernel are
 * set by its own clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void open_clock(void)
{
	const char *path = getenv("CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (fd < 0 || page == MAP_FAILED)
		abort();
	ahead = page;
}

static int64_t seconds(void)
{
	return ahead != NULL ? *ahead : 0;
}

int clock_gettime(clockid_t id, struct timespec *out)
{
	static int (*next)(clockid_t, struct timespec *);
	int rc;

	if (next == NULL)
		next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
								    "clock_gettime");
	rc = next(id, out);
	out->tv_sec += seconds();
	return rc;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *when,
		    struct itimerspec *old)
{
	static int (*next)(int, int, const struct itimerspec *, struct itimerspec *);
	struct itimerspec real = *when;

	if (next == NULL)
		next = (int (*)(int, int, const struct itimerspec *,
				struct itimerspec *))dlsym(RTLD_NEXT,
							   "timerfd_settime");
	if ((flags & TFD_TIMER_ABSTIME) && real.it_value.tv_sec > seconds())
		real.it_value.tv_sec -= seconds();
	return next(fd, flags, &real, old);
}
