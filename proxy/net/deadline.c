#include "proxy/net/deadline.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NEVER INT64_MAX

/* Written by one thread, and read by the handler that interrupts it. */
struct deadlines {
	timer_t timer;
	_Atomic int64_t armed_ms; /* when the signal comes; NEVER */
	_Atomic int top;          /* no fd from here on has a deadline */
	_Atomic int64_t until_ms[DEADLINE_FDS_MAX]; /* by fd; 0: none */
};

static int64_t boottime_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void arm(struct deadlines *deadlines, int64_t at_ms)
{
	struct itimerspec at = { .it_value = { at_ms / 1000, at_ms % 1000 * 1000000 } };

	atomic_store(&deadlines->armed_ms, at_ms);
	if (at_ms != NEVER)
		(void)timer_settime(deadlines->timer, TIMER_ABSTIME, &at, NULL);
}

/* A signal handler: nothing that is not safe in one. */
static void on_deadline(int signal, siginfo_t *info, void *context)
{
	struct deadlines *deadlines = info->si_value.sival_ptr;
	int64_t now_ms = boottime_ms(), next_ms = NEVER;
	int top = atomic_load(&deadlines->top), saved = errno;

	(void)signal, (void)context;
	for (int fd = 0; fd < top; fd++) {
		int64_t until_ms = atomic_load(&deadlines->until_ms[fd]);

		if (until_ms == 0)
			continue;
		if (until_ms <= now_ms) {
			(void)shutdown(fd, SHUT_RDWR);
			atomic_store(&deadlines->until_ms[fd], 0);
		} else if (until_ms < next_ms) {
			next_ms = until_ms;
		}
	}
	arm(deadlines, next_ms);
	errno = saved;
}

struct deadlines *deadlines_create(void)
{
	struct sigaction action = { .sa_sigaction = on_deadline,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	struct deadlines *deadlines = calloc(1, sizeof(*deadlines));
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = DEADLINE_SIGNAL };
	sigset_t signals;

	if (deadlines == NULL)
		abort();
	/* Whoever started us may have blocked it. */
	sigemptyset(&signals);
	sigaddset(&signals, DEADLINE_SIGNAL);
	sigprocmask(SIG_UNBLOCK, &signals, NULL);
	event.sigev_value.sival_ptr = deadlines;
	event._sigev_un._tid = gettid();
	atomic_store(&deadlines->armed_ms, NEVER);
	if (sigaction(DEADLINE_SIGNAL, &action, NULL) == 0 &&
	    timer_create(CLOCK_BOOTTIME, &event, &deadlines->timer) == 0)
		return deadlines;
	free(deadlines);
	return NULL;
}

void deadlines_destroy(struct deadlines *deadlines)
{
	if (deadlines == NULL)
		return;
	/* A signal that is due comes before this returns. */
	(void)timer_delete(deadlines->timer);
	free(deadlines);
}

void deadline_set(struct deadlines *deadlines, int fd, int64_t until_ms)
{
	if (fd < 0 || fd >= DEADLINE_FDS_MAX)
		return;
	if (fd >= atomic_load(&deadlines->top))
		atomic_store(&deadlines->top, fd + 1);
	atomic_store(&deadlines->until_ms[fd], until_ms);
	/* One that has passed already is told of at once. */
	if (until_ms != 0 && until_ms < atomic_load(&deadlines->armed_ms))
		arm(deadlines, until_ms);
}
