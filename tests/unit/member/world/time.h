/*
 * A world with a time of its own: the loop, timers and tasks of proxy/net/loop.h,
 * one loop a member, and events that happen by themselves. Nothing sleeps; time
 * jumps to whatever is due next. A loop can be paused as SIGSTOP pauses a process:
 * what is due waits.
 *
 * It replaces proxy/net/loop.c by defining the same functions, so that exactly
 * one program file includes it.
 */
#ifndef RINGSIDE_UNIT_WORLD_TIME_H
#define RINGSIDE_UNIT_WORLD_TIME_H

#include <stdio.h>

#include "proxy/net/loop.h"
#include "tests/unit/unit.h"

/* Time 0 stands for "never" here and there. */
#define WORLD_START_MS 100000

struct loop {
	struct list node; /* in world_time.loops */
	struct list timers;
	struct list tasks;
	bool is_paused;
	bool is_dead; /* kept until the end, for those who still name it */
};

/* Something that happens at a time, on a loop or (NULL) outside all of them. */
struct world_event {
	struct list node;
	int64_t at_ms;
	uint64_t number; /* of those at one time, first come first */
	struct loop *loop;
	void (*run)(void *arg);
	void (*drop)(void *arg); /* instead, when the loop dies before */
	void *arg;
};

static struct {
	int64_t now_ms;
	uint64_t numbers;
	struct list loops;
	struct list dead_loops;
	struct list events;
} world_time;

static inline void world_time_begin(void)
{
	world_time.now_ms = WORLD_START_MS;
	world_time.numbers = 0;
	list_init(&world_time.loops);
	list_init(&world_time.dead_loops);
	list_init(&world_time.events);
}

/* --- proxy/net/loop.h --- */

struct loop *loop_create(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	list_init(&loop->timers);
	list_init(&loop->tasks);
	list_add(&world_time.loops, &loop->node);
	return loop;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return world_time.now_ms;
}

void loop_timer_init(struct loop_timer *timer, void (*run)(void *arg), void *arg)
{
	*timer = (struct loop_timer){ .run = run, .arg = arg };
	list_init(&timer->node);
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t delay_ms)
{
	list_remove(&timer->node);
	timer->at_ms = world_time.now_ms + (delay_ms > 0 ? delay_ms : 0);
	list_add(&loop->timers, &timer->node);
}

void loop_timer_stop(struct loop_timer *timer)
{
	list_remove(&timer->node);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
	return !list_is_empty(&timer->node);
}

void loop_task_init(struct loop_task *task, void (*run)(void *arg), void *arg)
{
	*task = (struct loop_task){ .run = run, .arg = arg };
	list_init(&task->node);
}

void loop_task_start(struct loop *loop, struct loop_task *task)
{
	if (list_is_empty(&task->node))
		list_add(&loop->tasks, &task->node);
}

void loop_task_stop(struct loop_task *task)
{
	list_remove(&task->node);
}

/* --- events --- */

static inline void world_event_add(struct loop *loop, int64_t delay_ms,
				   void (*run)(void *arg), void (*drop)(void *arg),
				   void *arg)
{
	struct world_event *event;

	if (loop && loop->is_dead) {
		drop(arg);
		return;
	}
	event = calloc(1, sizeof(*event));
	*event = (struct world_event){ .at_ms = world_time.now_ms + delay_ms,
				       .number = world_time.numbers++,
				       .loop = loop,
				       .run = run,
				       .drop = drop,
				       .arg = arg };
	list_add(&world_time.events, &event->node);
}

/* Those of one loop, or (NULL) all. */
static inline void world_events_drop(const struct loop *loop)
{
	LIST_EACH(node, &world_time.events) {
		struct world_event *event = LIST_OWNER(node, struct world_event, node);

		if (loop && event->loop != loop)
			continue;
		list_remove(node);
		event->drop(event->arg);
		free(event);
	}
}

static inline void world_loop_kill(struct loop *loop)
{
	ck_assert_msg(list_is_empty(&loop->timers), "a timer outlives its owner");
	ck_assert_msg(list_is_empty(&loop->tasks), "a task outlives its owner");
	world_events_drop(loop);
	loop->is_dead = true;
	list_remove(&loop->node);
	list_add(&world_time.dead_loops, &loop->node);
}

static inline void world_time_end(void)
{
	world_events_drop(NULL);
	LIST_EACH(node, &world_time.dead_loops)
		free(LIST_OWNER(node, struct loop, node));
}

/* --- what is due next --- */

static inline struct world_event *world_next_event(void)
{
	struct world_event *first = NULL;

	LIST_EACH(node, &world_time.events) {
		struct world_event *event = LIST_OWNER(node, struct world_event, node);

		if (event->loop && event->loop->is_paused)
			continue;
		if (!first || event->at_ms < first->at_ms ||
		    (event->at_ms == first->at_ms && event->number < first->number))
			first = event;
	}
	return first;
}

static inline struct loop_timer *world_next_timer(void)
{
	struct loop_timer *first = NULL;

	LIST_EACH(node, &world_time.loops) {
		struct loop *loop = LIST_OWNER(node, struct loop, node);

		if (loop->is_paused)
			continue;
		LIST_EACH(inner, &loop->timers) {
			struct loop_timer *timer =
				LIST_OWNER(inner, struct loop_timer, node);

			if (!first || timer->at_ms < first->at_ms)
				first = timer;
		}
	}
	return first;
}

static inline bool world_run_task(void)
{
	LIST_EACH(node, &world_time.loops) {
		struct loop *loop = LIST_OWNER(node, struct loop, node);
		struct loop_task *task;

		if (loop->is_paused || list_is_empty(&loop->tasks))
			continue;
		task = LIST_OWNER(loop->tasks.next, struct loop_task, node);
		list_remove(&task->node);
		task->run(task->arg);
		return true;
	}
	return false;
}

/* Runs what is due next, up to end_ms; false when nothing is, and it is end_ms. */
static inline bool world_time_step(int64_t end_ms)
{
	struct world_event *event = world_next_event();
	struct loop_timer *timer = world_next_timer();
	int64_t event_ms = event ? event->at_ms : INT64_MAX;
	int64_t timer_ms = timer ? timer->at_ms : INT64_MAX;
	int64_t at_ms = event_ms < timer_ms ? event_ms : timer_ms;

	if (world_run_task())
		return true;
	if (at_ms > end_ms) {
		world_time.now_ms = end_ms;
		return false;
	}
	if (at_ms > world_time.now_ms)
		world_time.now_ms = at_ms;
	if (event && event_ms <= timer_ms) {
		list_remove(&event->node);
		event->run(event->arg);
		free(event);
	} else if (timer) {
		list_remove(&timer->node);
		timer->run(timer->arg);
	}
	return true;
}

#endif
