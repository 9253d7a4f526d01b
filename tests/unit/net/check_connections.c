#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/net/stage.h"

#define SIZE 60000
#define PATIENCE_MS 10000

static struct stage stage;

/* A part of a request whose body has SIZE bytes. */
static void send_part(struct peer *peer, size_t n)
{
	static char text[SIZE + 200];
	int head = snprintf(text, sizeof(text),
			    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
			    SIZE);

	memset(text + head, 'a', n);
	text[(size_t)head + n] = '\0';
	peer_send(peer, text);
}

static void wait_value(int row, int64_t n)
{
	int64_t end_ms = loop_now_ms(stage.loop) + PATIENCE_MS;

	while (stage.server.values[row] != n) {
		ck_assert_msg(loop_now_ms(stage.loop) < end_ms, "%lld, not %lld",
			      (long long)stage.server.values[row], (long long)n);
		peer_settle(stage.loop);
	}
}

START_TEST(connections_whose_requests_arrive_slowest_go_when_memory_is_short)
{
	struct peer peers[3];
	static char rest[SIZE - 40000 + 1];

	stage_open(&stage, 0);
	stage.server.conf.memory_bytes = 2 * 150000;
	for (int i = 0; i < 3; i++) {
		peer_connect(&peers[i], stage.loop, stage.port);
		send_part(&peers[i], 40000);
	}
	/* h2o's buffers grow by doubling: more than a half waits in three. */
	wait_value(SERVER_MEMORY, 1);
	peer_wait_over(&peers[0]);
	ck_assert(!peers[1].is_over && !peers[2].is_over);
	memset(rest, 'a', sizeof(rest) - 1);
	peer_send(&peers[2], rest);
	fake_answer(fake_expect(stage.fake, "POST /x"), 200, "whole");
	peer_expect(&peers[2], "whole");
	for (int i = 0; i < 3; i++)
		peer_close(&peers[i]);
	stage_close(&stage);
}
END_TEST

START_TEST(connections_let_the_last_request_arrive_whatever_it_takes)
{
	struct peer peer;
	int64_t end_ms;
	static char rest[SIZE - 40000 + 1];

	stage_open(&stage, 0);
	stage.server.conf.memory_bytes = 1000;
	peer_connect(&peer, stage.loop, stage.port);
	send_part(&peer, 40000);
	end_ms = loop_now_ms(stage.loop) + PATIENCE_MS;
	while (stage.server.memory < 40000) {
		ck_assert(loop_now_ms(stage.loop) < end_ms);
		peer_settle(stage.loop);
	}
	memset(rest, 'a', sizeof(rest) - 1);
	peer_send(&peer, rest);
	peer_expect(&peer, "HTTP/1.1 429 ");
	wait_value(SERVER_MEMORY, 1);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	peer_close(&peer);
	stage_close(&stage);
}
END_TEST

START_TEST(connections_tell_of_a_client_that_leaves_whenever_it_does)
{
	struct peer peer;

	stage_open(&stage, 0);
	/* Behind its request, with it, and while it is answered. */
	for (int when = 0; when < 3; when++) {
		peer_connect(&peer, stage.loop, stage.port);
		if (when == 0)
			peer_settle(stage.loop);
		peer_send(&peer, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
		if (when == 2)
			fake_begin(fake_expect(stage.fake, "GET /x"), 200, NULL);
		ck_assert_int_eq(shutdown(peer.fd, SHUT_WR), 0);
		peer_wait_over(&peer);
		stage_wait_open(&stage, 0);
		ck_assert_uint_eq(fake_open(stage.fake), 0);
		peer_close(&peer);
	}
	stage_close(&stage);
}
END_TEST

UNIT_MAIN("net/connections",
	  connections_whose_requests_arrive_slowest_go_when_memory_is_short,
	  connections_let_the_last_request_arrive_whatever_it_takes,
	  connections_tell_of_a_client_that_leaves_whenever_it_does)
