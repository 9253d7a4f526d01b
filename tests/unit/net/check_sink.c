#include "tests/unit/net/stage.h"

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"

static struct stage stage;
static struct peer client;

/* A request on its way: what the API server is asked. */
static struct transfer *ask(const char *request, const char *line)
{
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, request);
	return fake_expect(stage.fake, line);
}

static void finish(void)
{
	peer_close(&client);
	stage_close(&stage);
}

START_TEST(sink_sends_the_head_of_an_idle_answer_and_each_batch_at_once)
{
	struct transfer *transfer;

	stage_open(&stage, 0);
	transfer = ask(GET("/watch"), "GET /watch");
	fake_begin(transfer, 200, "X-Mine: 1");
	peer_expect(&client, "HTTP/1.1 200 ");
	peer_expect(&client, "X-Mine: 1");
	peer_expect(&client, "\r\n\r\n");
	fake_send(transfer, "first");
	peer_expect(&client, "5\r\nfirst\r\n");
	fake_send(transfer, "and second");
	peer_expect(&client, "a\r\nand second\r\n");
	fake_end(transfer, UPSTREAM_COMPLETE);
	peer_expect(&client, "0\r\n\r\n");
	stage_wait_open(&stage, 0);
	/* The connection is kept. */
	peer_send(&client, GET("/again"));
	fake_answer(fake_expect(stage.fake, "GET /again"), 204, "");
	peer_expect(&client, "HTTP/1.1 204 ");
	finish();
}
END_TEST

START_TEST(sink_says_no_end_of_an_answer_that_broke)
{
	struct transfer *transfer;

	stage_open(&stage, 0);
	transfer = ask(GET("/list"), "GET /list");
	fake_begin(transfer, 200, NULL);
	fake_send(transfer, "half");
	peer_expect(&client, "4\r\nhalf\r\n");
	fake_end(transfer, UPSTREAM_BROKEN);
	peer_wait_over(&client);
	ck_assert_slice(buf_slice(&client.received), "");
	ck_assert_int_eq(stage.server.values[SERVER_CUT], 1);
	stage_wait_open(&stage, 0);
	finish();
}
END_TEST

START_TEST(sink_frames_nothing_for_a_client_of_http_1_0)
{
	struct transfer *transfer;

	stage_open(&stage, 0);
	transfer = ask("GET /old HTTP/1.0\r\n\r\n", "GET /old");
	fake_begin(transfer, 200, NULL);
	fake_send(transfer, "bytes");
	peer_expect(&client, "\r\n\r\nbytes");
	fake_end(transfer, UPSTREAM_COMPLETE);
	peer_wait_over(&client);
	ck_assert_slice(buf_slice(&client.received), "");
	finish();
}
END_TEST

START_TEST(sink_sends_no_body_where_there_is_none)
{
	static const struct {
		const char *request;
		const char *line;
		int status;
	} rows[] = {
		{ "HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD /h", 200 },
		{ GET("/n"), "GET /n", 204 },
		{ GET("/m"), "GET /m", 304 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transfer *transfer;

		stage_open(&stage, 0);
		transfer = ask(rows[i].request, rows[i].line);
		fake_begin(transfer, rows[i].status, NULL);
		fake_end(transfer, UPSTREAM_COMPLETE);
		peer_expect(&client, "\r\n\r\n");
		stage_wait_open(&stage, 0);
		peer_settle(stage.loop);
		ck_assert_slice(buf_slice(&client.received), "");
		finish();
	}
}
END_TEST

START_TEST(sink_notices_a_client_that_leaves_while_it_waits)
{
	struct transfer *transfer;

	stage_open(&stage, 0);
	/* Before the head, and after it. */
	(void)ask(GET("/slow"), "GET /slow");
	peer_close(&client);
	stage_wait_open(&stage, 0);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	transfer = ask(GET("/watch"), "GET /watch");
	fake_begin(transfer, 200, NULL);
	peer_expect(&client, "\r\n\r\n");
	peer_close(&client);
	stage_wait_open(&stage, 0);
	ck_assert_uint_eq(fake_open(stage.fake), 0);
	finish();
}
END_TEST

START_TEST(sink_takes_no_batch_while_the_client_does_not_read)
{
	static char megabyte[(1 << 20) + 1];
	struct transfer *transfer;
	size_t left;

	memset(megabyte, 'x', sizeof(megabyte) - 1);
	stage_open(&stage, 0);
	transfer = ask(GET("/large"), "GET /large");
	peer_read(&client, false);
	fake_begin(transfer, 200, NULL);
	for (int i = 0; i < 16; i++)
		fake_send(transfer, megabyte);
	for (int i = 0; i < 50; i++)
		peer_settle(stage.loop);
	left = transfer_peek(&stage.fake->super, transfer).len;
	ck_assert_uint_gt(left, 4 << 20);
	peer_settle(stage.loop);
	ck_assert_uint_eq(transfer_peek(&stage.fake->super, transfer).len, left);
	fake_end(transfer, UPSTREAM_COMPLETE);
	client.received.cap = 64 << 20;
	peer_read(&client, true);
	peer_expect(&client, "\r\n0\r\n\r\n");
	stage_wait_open(&stage, 0);
	finish();
}
END_TEST

UNIT_MAIN("net/sink", sink_sends_the_head_of_an_idle_answer_and_each_batch_at_once,
	  sink_says_no_end_of_an_answer_that_broke,
	  sink_frames_nothing_for_a_client_of_http_1_0,
	  sink_sends_no_body_where_there_is_none,
	  sink_notices_a_client_that_leaves_while_it_waits,
	  sink_takes_no_batch_while_the_client_does_not_read)
