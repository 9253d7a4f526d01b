/*
 * The kernel's own clock and signals: what is tested here is what happens while we do
 * not run.
 */
#include "proxy/net/deadline.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static struct deadlines *deadlines;
static int ours, theirs;

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_until(int64_t at_ms)
{
	const struct timespec at = { at_ms / 1000, at_ms % 1000 * 1000000 };

	while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static void begin(void)
{
	sigset_t signals;
	int pair[2];

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, DEADLINE_SIGNAL);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	ours = pair[0];
	theirs = pair[1];
	deadlines = deadlines_create();
	ck_assert_ptr_nonnull(deadlines);
}

static void finish(void)
{
	deadlines_destroy(deadlines);
	close(ours);
	close(theirs);
}

static bool can_send(void)
{
	return write(ours, "x", 1) == 1;
}

START_TEST(socket_is_shut_down_at_its_deadline_and_not_before)
{
	struct pollfd end = { .fd = theirs, .events = POLLIN };
	int64_t until_ms = now_ms() + 100;
	char byte;

	begin();
	deadline_set(deadlines, ours, until_ms);
	while (poll(&end, 1, -1) != 1)
		ck_assert_int_eq(errno, EINTR);
	ck_assert_int_eq(read(theirs, &byte, 1), 0);
	ck_assert_int_ge(now_ms(), until_ms);
	ck_assert(!can_send());
	finish();
}
END_TEST

START_TEST(deadline_that_has_passed_holds_at_once)
{
	begin();
	deadline_set(deadlines, ours, now_ms() - 1);
	ck_assert(!can_send());
	finish();
}
END_TEST

START_TEST(socket_without_a_deadline_any_more_stays)
{
	int64_t until_ms = now_ms() + 50;
	int other[2];

	begin();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	deadline_set(deadlines, ours, until_ms);
	deadline_set(deadlines, other[0], until_ms + 20);
	deadline_set(deadlines, ours, 0);
	deadline_set(deadlines, DEADLINE_FDS_MAX, until_ms);
	wait_until(until_ms + 21);
	ck_assert(can_send());
	/* The one that came later is not forgotten. */
	ck_assert_int_eq(write(other[0], "x", 1), -1);
	close(other[0]);
	close(other[1]);
	finish();
}
END_TEST

START_TEST(deadlines_may_be_moved_both_ways)
{
	int64_t began_ms = now_ms();

	begin();
	deadline_set(deadlines, ours, began_ms + 60000);
	deadline_set(deadlines, ours, began_ms + 30);
	deadline_set(deadlines, ours, began_ms + 60000);
	wait_until(began_ms + 40);
	ck_assert(can_send());
	deadline_set(deadlines, ours, now_ms());
	ck_assert(!can_send());
	finish();
}
END_TEST

/* As a write is: checked, and sent at once, but for what happens in between. */
static int check_stop_and_send(int64_t until_ms)
{
	bool may_send;

	begin();
	deadline_set(deadlines, ours, until_ms);
	may_send = now_ms() < until_ms;
	raise(SIGSTOP);
	return may_send && !can_send() ? EXIT_SUCCESS : EXIT_FAILURE;
}

START_TEST(one_writer_what_was_checked_before_a_stop_is_not_sent_behind_its_deadline)
{
	int64_t until_ms = now_ms() + 3000;
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(check_stop_and_send(until_ms));
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	ck_assert(WIFSTOPPED(status));
	wait_until(until_ms + 1);
	kill(child, SIGCONT);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
}
END_TEST

UNIT_MAIN("net/deadline", socket_is_shut_down_at_its_deadline_and_not_before,
	  deadline_that_has_passed_holds_at_once,
	  socket_without_a_deadline_any_more_stays, deadlines_may_be_moved_both_ways,
	  one_writer_what_was_checked_before_a_stop_is_not_sent_behind_its_deadline)
