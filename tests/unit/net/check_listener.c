#include <fcntl.h>

#include "tests/unit/net/stage.h"

#define GET "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"

static struct stage stage;

static void wait_connections(size_t n)
{
	for (int i = 0; listener_connections(stage.listener) != n; i++) {
		ck_assert_msg(i < 1000, "%zu connections, not %zu",
			      listener_connections(stage.listener), n);
		peer_settle(stage.loop);
	}
}

START_TEST(listener_counts_its_connections)
{
	struct peer peers[3];

	stage_open(&stage, 0);
	for (size_t i = 0; i < 3; i++) {
		peer_connect(&peers[i], stage.loop, stage.port);
		wait_connections(i + 1);
	}
	for (size_t i = 0; i < 3; i++) {
		peer_close(&peers[i]);
		wait_connections(2 - i);
	}
	stage_close(&stage);
}
END_TEST

START_TEST(listener_that_drains_answers_what_is_under_way)
{
	struct peer client;
	struct transfer *transfer;

	stage_open(&stage, 0);
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, GET);
	transfer = fake_expect(stage.fake, "GET /other");
	listener_drain(stage.listener);
	fake_answer(transfer, 200, "whole");
	peer_expect(&client, "whole");
	stage_wait_open(&stage, 0);
	listener_cut(stage.listener);
	wait_connections(0);
	peer_wait_over(&client);
	peer_close(&client);
	stage_close(&stage);
}
END_TEST

START_TEST(listener_says_why_it_cannot_listen)
{
	struct listener *listener = NULL;
	struct err err = { "" };
	char *ca_pem;

	stage_open(&stage, 0);
	ck_assert_int_ne(listener_create(&listener, &stage.server, &ca_pem, &err), 0);
	ck_assert_ptr_null(listener);
	ck_assert_ptr_nonnull(strstr(err.text, stage.address));
	stage_close(&stage);
}
END_TEST

START_TEST(listener_refuses_a_body_above_its_bound)
{
	static char body[65537 + 1];
	struct peer client;

	stage_open(&stage, 0);
	/* Far above it by what it says, a little above it when it has come. */
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, "POST /big HTTP/1.1\r\nHost: x\r\n"
			   "Content-Length: 131073\r\n\r\n");
	peer_expect(&client, "HTTP/1.1 413 ");
	peer_close(&client);
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, "POST /big HTTP/1.1\r\nHost: x\r\n"
			   "Content-Length: 65537\r\n\r\n");
	memset(body, 'a', sizeof(body) - 1);
	peer_send(&client, body);
	peer_expect(&client, "HTTP/1.1 413 ");
	listener_refresh(stage.listener);
	ck_assert_int_eq(stage.server.values[SERVER_LONG_BODIES], 2);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	peer_close(&client);
	stage_close(&stage);
}
END_TEST

UNIT_MAIN("net/listener", listener_counts_its_connections,
	  listener_that_drains_answers_what_is_under_way,
	  listener_says_why_it_cannot_listen, listener_refuses_a_body_above_its_bound)
