/*
 * The one thread's event loop: h2o's, with everything that is not h2o's own
 * (timers, signals, libcurl's sockets) behind a nested epoll that is one more
 * socket to h2o. All code of the program runs inside callbacks of this loop,
 * which is also the only place where h2o may be called.
 */
#ifndef RINGSIDE_NET_LOOP_H
#define RINGSIDE_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/base/clock.h"
#include "proxy/base/list.h"

struct loop;

struct loop *loop_create(void);
void loop_destroy(struct loop *loop);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);

/* What is ready now, and the tasks there are: for who takes things down. */
void loop_turn(struct loop *loop);
void loop_stop(struct loop *loop);

/* CLOCK_BOOTTIME, read now. */
int64_t loop_now_ms(const struct loop *loop);

/* h2o's own loop, for this folder alone. */
struct st_h2o_evloop_t *loop_h2o(struct loop *loop);

/* A timer: a field of its owner, who stops it before it dies. */
struct loop_timer {
	struct list node;
	int64_t at_ms;
	void (*run)(void *arg);
	void *arg;
};

void loop_timer_init(struct loop_timer *timer, void (*run)(void *arg), void *arg);
/* Once, delay_ms from now (at least 0). Starting it again moves it. */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);

/*
 * Work to be done soon, but not inside the callback that asks for it: libcurl
 * and h2o must not be re-entered. Runs once, in the order asked for.
 */
struct loop_task {
	struct list node;
	void (*run)(void *arg);
	void *arg;
};

void loop_task_init(struct loop_task *task, void (*run)(void *arg), void *arg);
void loop_task_start(struct loop *loop, struct loop_task *task);
void loop_task_stop(struct loop_task *task);

/* Interest in a descriptor; owned by the loop until loop_fd_remove. */
struct loop_fd;

/* events: EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLET. */
struct loop_fd *loop_fd_add(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg);
void loop_fd_change(struct loop_fd *watch, uint32_t events);
/* ready is not called again, not even for events already taken. NULL is fine. */
void loop_fd_remove(struct loop_fd *watch);

/* Calls on_signal for SIGTERM, SIGINT and SIGHUP, which are blocked otherwise. */
void loop_on_signal(struct loop *loop, void (*on_signal)(void *arg, int signal),
		    void *arg);

#endif
