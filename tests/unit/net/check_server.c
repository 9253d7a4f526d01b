#include "tests/unit/net/stage.h"

#define LIST_FOOS "GET /apis/g/v1/foos HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"

static struct stage stage;

static void wait_held(size_t n)
{
	for (int i = 0; list_count(&stage.server.steps[EXCHANGE_ADMIT]) != n; i++) {
		ck_assert_int_lt(i, 1000);
		peer_settle(stage.loop);
	}
}

START_TEST(server_holds_a_list_that_no_view_answers_and_says_why_at_last)
{
	struct peer client;

	stage_open(&stage, 100);
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, LIST_FOOS);
	wait_held(1);
	server_refresh(&stage.server);
	ck_assert_int_eq(stage.server.values[SERVER_HELD], 1);
	ck_assert_int_eq(stage.server.values[SERVER_OPEN], 1);
	/* Asking again changes nothing: there still is no view. */
	server_readmit(&stage.server);
	peer_settle(stage.loop);
	ck_assert_uint_eq(list_count(&stage.server.steps[EXCHANGE_ADMIT]), 1);
	peer_expect(&client, "HTTP/1.1 503 Service Unavailable\r\n");
	peer_expect(&client, "retry-after: 1\r\n");
	peer_expect(&client, "ring r is not ready");
	stage_wait_open(&stage, 0);
	ck_assert_int_eq(stage.server.values[SERVER_NOT_READY], 1);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	peer_close(&client);
	stage_close(&stage);
}
END_TEST

START_TEST(server_cuts_exchanges_in_every_step)
{
	struct peer held, asked, reading;
	struct transfer *transfer;

	stage_open(&stage, 60000);
	peer_connect(&held, stage.loop, stage.port);
	peer_send(&held, LIST_FOOS);
	wait_held(1);
	peer_connect(&reading, stage.loop, stage.port);
	peer_send(&reading, GET);
	transfer = fake_expect(stage.fake, "GET /other");
	fake_begin(transfer, 200, NULL);
	fake_send(transfer, "some");
	peer_expect(&reading, "some");
	peer_connect(&asked, stage.loop, stage.port);
	peer_send(&asked, GET);
	(void)fake_expect(stage.fake, "GET /other");
	ck_assert_uint_eq(server_open_count(&stage.server), 3);
	server_cut_all(&stage.server);
	stage_wait_open(&stage, 0);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	peer_wait_over(&reading);
	peer_close(&held);
	peer_close(&asked);
	peer_close(&reading);
	stage_close(&stage);
}
END_TEST

START_TEST(server_ends_with_what_is_under_way_and_what_comes_at_the_last_moment)
{
	struct peer held, asked, late;
	struct exchange *write;

	stage_open(&stage, 60000);
	peer_connect(&held, stage.loop, stage.port);
	peer_send(&held, LIST_FOOS);
	wait_held(1);
	peer_connect(&asked, stage.loop, stage.port);
	peer_send(&asked, GET);
	(void)fake_expect(stage.fake, "GET /other");
	ck_assert_uint_eq(list_count(&stage.server.steps[EXCHANGE_CONNECT]), 1);
	write = LIST_OWNER(stage.server.steps[EXCHANGE_CONNECT].next, struct exchange,
			   node);
	write->call.bucket = 3;
	write->is_in_flight = true;
	inflight_begin(&stage.holder.inflight, write->call.bucket);
	peer_connect(&late, stage.loop, stage.port);
	peer_settle(stage.loop);
	peer_send(&late, GET);
	/* server_finish wants that nothing is left. */
	stage_close(&stage);
	peer_close(&held);
	peer_close(&asked);
	peer_close(&late);
}
END_TEST

START_TEST(server_answers_what_is_no_path_itself)
{
	struct peer client;

	stage_open(&stage, 0);
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n");
	peer_expect(&client, "HTTP/1.1 400 Bad Request\r\n");
	stage_wait_open(&stage, 0);
	ck_assert_int_eq(stage.server.values[SERVER_REFUSED], 1);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	peer_close(&client);
	stage_close(&stage);
}
END_TEST

UNIT_MAIN("net/server", server_holds_a_list_that_no_view_answers_and_says_why_at_last,
	  server_cuts_exchanges_in_every_step,
	  server_ends_with_what_is_under_way_and_what_comes_at_the_last_moment,
	  server_answers_what_is_no_path_itself)
