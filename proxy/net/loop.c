#include "proxy/net/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <h2o.h>

#define EVENTS_PER_TURN 64

struct loop_fd {
	struct loop *loop;
	int fd;
	bool is_removed;
	void (*ready)(void *arg, uint32_t events);
	void *arg;
	struct list node; /* in loop->removed */
};

struct loop {
	h2o_loop_t *h2o;
	h2o_socket_t *nested;
	h2o_timeout_t zero;
	h2o_timeout_entry_t soon;
	int epoll_fd;
	int timer_fd;
	int signal_fd;
	struct loop_fd *timer_watch;
	struct loop_fd *signal_watch;
	struct list timers; /* by at_ms, soonest first */
	struct list tasks;
	struct list removed; /* freed once no event of this turn can name them */
	int64_t armed_ms;    /* what timer_fd is set to; INT64_MAX: nothing */
	bool is_stopped;
	bool is_in_tasks;
	void (*on_signal)(void *arg, int signal);
	void *signal_arg;
};

static void die(const char *what)
{
	/* Descriptors of our own that cannot be made: nothing works without. */
	perror(what);
	abort();
}

/* --- timers --- */

static void timers_arm(struct loop *loop)
{
	struct itimerspec when = { 0 };
	int64_t at = INT64_MAX;

	if (!list_is_empty(&loop->timers))
		at = LIST_OWNER(loop->timers.next, struct loop_timer, node)->at_ms;
	if (at == loop->armed_ms)
		return;
	loop->armed_ms = at;
	if (at != INT64_MAX) {
		when.it_value.tv_sec = at / 1000;
		/* Zero would disarm it. */
		when.it_value.tv_nsec = at % 1000 * 1000000 + 1;
	}
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) != 0)
		die("timerfd_settime");
}

static void timers_on_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	int64_t now = loop_now_ms(loop);
	uint64_t expirations;

	(void)events;
	/* EAGAIN only: the timer was moved since. */
	(void)!read(loop->timer_fd, &expirations, sizeof(expirations));
	loop->armed_ms = INT64_MAX;
	while (!list_is_empty(&loop->timers)) {
		struct loop_timer *timer =
			LIST_OWNER(loop->timers.next, struct loop_timer, node);

		if (timer->at_ms > now)
			break;
		list_remove(&timer->node);
		timer->run(timer->arg);
	}
	timers_arm(loop);
}

void loop_timer_init(struct loop_timer *timer, void (*run)(void *arg), void *arg)
{
	list_init(&timer->node);
	timer->run = run;
	timer->arg = arg;
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms)
{
	struct list *after;

	/* First: it may be the last one of them itself. */
	list_remove(&timer->node);
	after = loop->timers.prev;
	timer->at_ms = loop_now_ms(loop) + (delay_ms > 0 ? delay_ms : 0);
	/* From the back: most timers are younger and not shorter than the others. */
	while (after != &loop->timers &&
	       LIST_OWNER(after, struct loop_timer, node)->at_ms > timer->at_ms)
		after = after->prev;
	list_add(after->next, &timer->node);
	timers_arm(loop);
}

void loop_timer_stop(struct loop_timer *timer)
{
	/* The descriptor may fire for nothing; that is cheaper than arming again. */
	list_remove(&timer->node);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return !list_is_empty(&timer->node);
}

/* --- tasks --- */

static void tasks_run(h2o_timeout_entry_t *entry)
{
	struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, soon, entry);
	size_t n = list_count(&loop->tasks);

	loop->is_in_tasks = true;

	/* Those that are added meanwhile wait for the next turn: I/O goes on. */
	while (n-- > 0 && !list_is_empty(&loop->tasks)) {
		struct loop_task *task =
			LIST_OWNER(loop->tasks.next, struct loop_task, node);

		list_remove(&task->node);
		task->run(task->arg);
	}
	loop->is_in_tasks = false;
}

void loop_task_init(struct loop_task *task, void (*run)(void *arg), void *arg)
{
	list_init(&task->node);
	task->run = run;
	task->arg = arg;
}

void loop_task_start(struct loop *loop, struct loop_task *task)
{
	if (!list_is_empty(&task->node))
		return;
	list_add(&loop->tasks, &task->node);
	if (!loop->is_in_tasks && !h2o_timeout_is_linked(&loop->soon))
		h2o_timeout_link(loop->h2o, &loop->zero, &loop->soon);
}

void loop_task_stop(struct loop_task *task)
{
	list_remove(&task->node);
}

/* --- descriptors --- */

struct loop_fd *loop_fd_add(struct loop *loop, int fd, uint32_t events,
			    void (*ready)(void *arg, uint32_t events), void *arg)
{
	struct loop_fd *watch = calloc(1, sizeof(*watch));
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (watch == NULL)
		abort();
	watch->loop = loop;
	watch->fd = fd;
	watch->ready = ready;
	watch->arg = arg;
	list_init(&watch->node);
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		die("epoll_ctl add");
	return watch;
}

void loop_fd_change(struct loop_fd *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
		die("epoll_ctl mod");
}

void loop_fd_remove(struct loop_fd *watch)
{
	if (watch == NULL)
		return;
	/* Fails where the descriptor was closed before: then it is gone already. */
	(void)epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->is_removed = true;
	list_add(&watch->loop->removed, &watch->node);
}

static void removed_free(struct loop *loop)
{
	LIST_EACH(node, &loop->removed)
		free(LIST_OWNER(node, struct loop_fd, node));
	list_init(&loop->removed);
}

static void nested_on_ready(h2o_socket_t *socket, const char *err)
{
	struct loop *loop = socket->data;
	struct epoll_event events[EVENTS_PER_TURN];
	int n;

	(void)err;
	n = epoll_wait(loop->epoll_fd, events, EVENTS_PER_TURN, 0);
	for (int i = 0; i < n; i++) {
		struct loop_fd *watch = events[i].data.ptr;

		if (!watch->is_removed)
			watch->ready(watch->arg, events[i].events);
	}
	removed_free(loop);
}

/* --- signals --- */

static void signals_on_ready(void *arg, uint32_t events)
{
	struct loop *loop = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(loop->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (loop->on_signal != NULL)
			loop->on_signal(loop->signal_arg, (int)info.ssi_signo);
	}
}

void loop_on_signal(struct loop *loop, void (*on_signal)(void *arg, int signal),
		    void *arg)
{
	sigset_t set;

	loop->on_signal = on_signal;
	loop->signal_arg = arg;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	loop->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (loop->signal_fd < 0)
		die("signalfd");
	loop->signal_watch =
		loop_fd_add(loop, loop->signal_fd, EPOLLIN, signals_on_ready, loop);
}

/* --- the loop --- */

struct loop *loop_create(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		abort();
	list_init(&loop->timers);
	list_init(&loop->tasks);
	list_init(&loop->removed);
	loop->armed_ms = INT64_MAX;
	loop->signal_fd = -1;
	loop->h2o = h2o_evloop_create();
	h2o_timeout_init(loop->h2o, &loop->zero, 0);
	loop->soon.cb = tasks_run;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->timer_fd < 0)
		die("event loop");
	loop->nested = h2o_evloop_socket_create(loop->h2o, loop->epoll_fd,
						H2O_SOCKET_FLAG_DONT_READ);
	loop->nested->data = loop;
	h2o_socket_read_start(loop->nested, nested_on_ready);
	loop->timer_watch =
		loop_fd_add(loop, loop->timer_fd, EPOLLIN, timers_on_ready, loop);
	return loop;
}

void loop_destroy(struct loop *loop)
{
	loop_fd_remove(loop->timer_watch);
	loop_fd_remove(loop->signal_watch);
	removed_free(loop);
	if (loop->signal_fd >= 0)
		close(loop->signal_fd);
	close(loop->timer_fd);
	if (h2o_timeout_is_linked(&loop->soon))
		h2o_timeout_unlink(&loop->soon);
	h2o_timeout_dispose(loop->h2o, &loop->zero);
	h2o_socket_close(loop->nested);
	/* h2o 2.2.5 frees sockets in the turn after their close. */
	h2o_evloop_run(loop->h2o, 0);
	h2o_evloop_destroy(loop->h2o);
	free(loop);
}

/* -1 is EINTR (a debugger, SIGCONT): simply the next turn. */
static void turn(struct loop *loop, int32_t wait_ms)
{
	if (!list_is_empty(&loop->tasks) && !h2o_timeout_is_linked(&loop->soon))
		h2o_timeout_link(loop->h2o, &loop->zero, &loop->soon);
	h2o_evloop_run(loop->h2o, wait_ms);
}

void loop_run(struct loop *loop)
{
	loop->is_stopped = false;
	while (!loop->is_stopped)
		turn(loop, INT32_MAX);
}

void loop_turn(struct loop *loop)
{
	turn(loop, 0);
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

int64_t loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return clock_now_ms(&clock_boottime);
}

struct st_h2o_evloop_t *loop_h2o(struct loop *loop)
{
	return loop->h2o;
}
