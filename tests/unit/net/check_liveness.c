#include "proxy/net/liveness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A connection of loopback. */
static int ours, theirs;

static void begin(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	ours = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)connect(ours, (struct sockaddr *)&address, size);
	theirs = accept(listener, NULL, NULL);
	ck_assert_int_ge(theirs, 0);
	close(listener);
}

static void finish(void)
{
	close(ours);
	close(theirs);
}

static int option(int level, int name)
{
	int value = 0;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(ours, level, name, &value, &size), 0);
	return value;
}

START_TEST(liveness_has_an_idle_peer_probed_and_given_up_in_time)
{
	begin();
	liveness_probe(ours);
	ck_assert_int_ne(option(SOL_SOCKET, SO_KEEPALIVE), 0);
	/* Whoever looks finds it dead first. */
	ck_assert_int_eq(option(IPPROTO_TCP, TCP_KEEPIDLE) +
				 option(IPPROTO_TCP, TCP_KEEPINTVL) *
					 (option(IPPROTO_TCP, TCP_KEEPCNT) - 1),
			 LIVENESS_DEAD_MS / 1000);
	finish();
}
END_TEST

START_TEST(liveness_tells_what_waits_and_what_has_come_and_gone)
{
	static char bytes[65536];
	struct liveness before, after;

	begin();
	ck_assert(!liveness_look(ours).is_waiting);
	ck_assert_int_eq(write(theirs, "hello", 5), 5);
	ck_assert_uint_eq(liveness_look(ours).received, 5);
	while (write(ours, bytes, sizeof(bytes)) > 0)
		;
	before = liveness_look(ours);
	ck_assert(before.is_waiting && !before.is_dead);
	while (liveness_look(ours).is_waiting)
		ck_assert_int_gt(recv(theirs, bytes, sizeof(bytes), 0), 0);
	after = liveness_look(ours);
	ck_assert(!after.is_waiting);
	ck_assert_uint_gt(after.taken, before.taken);
	finish();
}
END_TEST

START_TEST(liveness_knows_nothing_of_what_is_no_connection)
{
	struct liveness liveness = liveness_look(-1);

	ck_assert(!liveness.is_dead && !liveness.is_waiting);
	ck_assert_uint_eq(liveness.received, 0);
}
END_TEST

UNIT_MAIN("net/liveness", liveness_has_an_idle_peer_probed_and_given_up_in_time,
	  liveness_tells_what_waits_and_what_has_come_and_gone,
	  liveness_knows_nothing_of_what_is_no_connection)
