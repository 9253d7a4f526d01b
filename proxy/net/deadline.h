/*
 * Deadlines of sockets: what is written to one arrives before its deadline is over, or
 * the socket is shut down. Also when this process is stopped between a check and the
 * send that it was for (SIGSTOP, a frozen cgroup, no CPU): a timer of the kernel sends
 * a signal at the deadline, whose handler runs before anything else does once the
 * process goes on. What the kernel has been given by then is on its way all the same.
 *
 * The signal is DEADLINE_SIGNAL and comes to the thread that created the deadlines.
 */
#ifndef RINGSIDE_NET_DEADLINE_H
#define RINGSIDE_NET_DEADLINE_H

#include <signal.h>
#include <stdint.h>

#define DEADLINE_SIGNAL (SIGRTMIN + 1)
/* Sockets with higher numbers have none. */
#define DEADLINE_FDS_MAX 65536

struct deadlines;

/* NULL, with errno, if the kernel has no timer for us. */
struct deadlines *deadlines_create(void);
/* NULL is fine. */
void deadlines_destroy(struct deadlines *deadlines);

/* until_ms: of the clock of the loop (boot time), replaces what was set; 0: none. */
void deadline_set(struct deadlines *deadlines, int fd, int64_t until_ms);

#endif
