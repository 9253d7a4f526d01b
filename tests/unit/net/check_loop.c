/* Timers: in their order, and again. */
#include "proxy/net/loop.h"

#include "tests/unit/unit.h"

struct bell {
	struct loop *loop;
	struct loop_timer timer;
	int rings;
};

static void on_ring(void *arg)
{
	struct bell *bell = arg;

	bell->rings++;
	loop_stop(bell->loop);
}

static void bell_init(struct bell *bell, struct loop *loop)
{
	bell->loop = loop;
	bell->rings = 0;
	loop_timer_init(&bell->timer, on_ring, bell);
}

START_TEST(timer_that_is_the_last_one_may_be_started_anew)
{
	struct loop *loop = loop_create();
	struct bell bell;

	bell_init(&bell, loop);
	loop_timer_start(loop, &bell.timer, 60000);
	loop_timer_start(loop, &bell.timer, 1);
	ck_assert(loop_timer_is_running(&bell.timer));
	loop_run(loop);
	ck_assert_int_eq(bell.rings, 1);
	ck_assert(!loop_timer_is_running(&bell.timer));
	loop_destroy(loop);
}
END_TEST

START_TEST(timers_run_in_the_order_of_their_times)
{
	struct loop *loop = loop_create();
	struct bell first, last;

	bell_init(&first, loop);
	bell_init(&last, loop);
	loop_timer_start(loop, &first.timer, 30);
	loop_timer_start(loop, &last.timer, 10);
	loop_timer_start(loop, &last.timer, 60);
	loop_run(loop);
	ck_assert_int_eq(first.rings, 1);
	ck_assert_int_eq(last.rings, 0);
	loop_timer_start(loop, &first.timer, 10000);
	loop_run(loop);
	ck_assert_int_eq(first.rings, 1);
	ck_assert_int_eq(last.rings, 1);
	loop_timer_stop(&first.timer);
	loop_destroy(loop);
}
END_TEST

UNIT_MAIN("net/loop", timer_that_is_the_last_one_may_be_started_anew,
	  timers_run_in_the_order_of_their_times)
