#include "proxy/net/websocket.h"

#include <sys/socket.h>

#include "proxy/net/ws.h"
#include "tests/unit/net/stage.h"

#define TARGET "/apis/g/v1/foos?watch=1"
#define HANDSHAKE_OF(target, origin) \
	"GET " target " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" \
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" origin "\r\n"
#define HANDSHAKE HANDSHAKE_OF(TARGET, "Origin: http://x\r\n")
#define ACCEPTED "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static struct stage stage;
static struct peer client;

/* --- a session, as far as an exchange sees it --- */

static struct view view;
static int closed;
static bool ends; /* the stream, for a change of view */

static const struct view *admit(void *arg, const struct relay_request *request)
{
	(void)arg, (void)request;
	return &view;
}

static struct stream *open_stream(void *arg, const struct relay_request *request,
				  const struct view *of, struct exchange *exchange)
{
	(void)arg, (void)request, (void)of;
	return (struct stream *)exchange;
}

static struct upstream *way(struct stream *stream)
{
	(void)stream;
	return NULL;
}

static void head(struct stream *stream, const struct upstream_head *of)
{
	(void)stream, (void)of;
}

static int pass(struct stream *stream, struct slice bytes, size_t *n, bool *is_end)
{
	(void)stream;
	*n = bytes.len;
	*is_end = ends;
	return 0;
}

static void close_stream(struct stream *stream)
{
	(void)stream;
	closed++;
}

static void open_stage(void)
{
	closed = 0;
	ends = false;
	stage_open(&stage, 0);
	stage.server.relay = (struct relay){ .admit = admit,
					     .open = open_stream,
					     .way = way,
					     .head = head,
					     .pass = pass,
					     .close = close_stream };
}

static void finish(void)
{
	peer_close(&client);
	stage_close(&stage);
}

/* A watch that is open, in messages. */
static struct transfer *watch(const char *content_type)
{
	struct transfer *transfer;

	open_stage();
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, HANDSHAKE);
	transfer = fake_expect(stage.fake, "GET /apis/g/v1/foos?watch=1&labelSelector");
	fake_begin(transfer, 200, content_type);
	peer_expect(&client, "HTTP/1.1 101 Switching Protocols\r\n");
	peer_expect(&client, "\r\n\r\n");
	return transfer;
}

/* A frame of a client's; its mask is "mask". */
static void say(unsigned opcode, const char *text)
{
	static const char mask[] = "mask";
	char frame[200] = { (char)(0x80 | opcode), (char)(0x80 | strlen(text)) };
	size_t n = 6 + strlen(text);

	memcpy(frame + 2, mask, 4);
	for (size_t i = 0; i < strlen(text); i++)
		frame[6 + i] = (char)(text[i] ^ mask[i % 4]);
	ck_assert_int_eq(send(client.fd, frame, n, MSG_NOSIGNAL), (ssize_t)n);
}

START_TEST(websocket_sends_each_event_as_a_message_and_closes_behind_the_last)
{
	struct transfer *transfer = watch("Content-Type: application/json");

	fake_send(transfer, "{\"type\":1}\n{\"ty");
	peer_expect(&client, "\x81\x0b{\"type\":1}\n");
	peer_settle(stage.loop);
	ck_assert_slice(buf_slice(&client.received), "");
	fake_send(transfer, "pe\":2}\n");
	peer_expect(&client, "\x81\x0b{\"type\":2}\n");
	fake_end(transfer, UPSTREAM_COMPLETE);
	peer_expect(&client, "\x88\x02\x03\xe8");
	/* The session is over; the connection waits for the client's word. */
	stage_wait_open(&stage, 0);
	ck_assert_int_eq(closed, 1);
	ck_assert(!client.is_over);
	say(WS_PING, "?");
	peer_settle(stage.loop);
	ck_assert_slice(buf_slice(&client.received), "");
	say(WS_CLOSE, "\x03\xe8");
	peer_wait_over(&client);
	ck_assert_slice(buf_slice(&client.received), "");
	finish();
}
END_TEST

START_TEST(websocket_is_accepted_with_its_subprotocol_but_for_a_token)
{
	static const char handshake[] = HANDSHAKE_OF(
		TARGET, "Origin: http://x\r\nSec-WebSocket-Protocol: "
			"base64url.bearer.authorization.k8s.io.dG9rZW4, v\r\n");

	open_stage();
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, handshake);
	fake_begin(fake_expect(stage.fake, "GET /apis/g/v1/foos?watch=1&"), 200, NULL);
	peer_expect(&client, "HTTP/1.1 101 ");
	peer_expect(&client, "Upgrade: websocket\r\n");
	peer_expect(&client, "Sec-WebSocket-Accept: " ACCEPTED "\r\n");
	peer_expect(&client, "Sec-WebSocket-Protocol: v\r\n\r\n");
	finish();
}
END_TEST

START_TEST(websocket_answers_pings_between_messages_and_ignores_what_is_said)
{
	struct transfer *transfer = watch(NULL);

	say(WS_TEXT, "to nobody");
	say(WS_PING, "one");
	peer_expect(&client, "\x8a\x03one");
	fake_send(transfer, "{}\n");
	peer_expect(&client, "\x81\x03{}\n");
	say(WS_PING, "");
	say(WS_PONG, "unasked");
	say(WS_PING, "two");
	peer_expect(&client, "\x8a\x03two");
	ck_assert_int_eq(closed, 0);
	finish();
}
END_TEST

START_TEST(websocket_ends_the_watch_when_its_client_closes_or_leaves_or_talks_nonsense)
{
	static const struct {
		const char *said;
		const char *answer; /* NULL: none, it leaves */
	} rows[] = {
		{ "\x88\x82mask\x6e\x89", "\x88\x02\x03\xe8" },
		{ "\x88\x82mask\x62\xc1", "\x88\x02\x0f\xa0" },
		{ "\x81\x05Hello", "\x88\x02\x03\xea" },
		{ "\x81\xff\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7fmask", "\x88\x02\x03\xf1" },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)watch(NULL);
		peer_send(&client, rows[i].said);
		if (rows[i].answer != NULL) {
			peer_expect(&client, rows[i].answer);
			peer_wait_over(&client);
		} else {
			peer_close(&client);
		}
		stage_wait_open(&stage, 0);
		ck_assert_int_eq(closed, 1);
		ck_assert_uint_eq(fake_open(stage.fake), 0);
		finish();
	}
}
END_TEST

START_TEST(websocket_says_no_end_of_a_watch_that_broke)
{
	struct transfer *transfer = watch(NULL);

	fake_send(transfer, "{}\n{\"half");
	fake_end(transfer, UPSTREAM_BROKEN);
	peer_expect(&client, "\x81\x03{}\n");
	peer_wait_over(&client);
	ck_assert_slice(buf_slice(&client.received), "");
	stage_wait_open(&stage, 0);
	ck_assert_int_eq(stage.server.values[SERVER_CUT], 1);
	finish();
}
END_TEST

START_TEST(websocket_ends_well_for_a_change_of_view)
{
	struct transfer *transfer = watch(NULL);

	fake_send(transfer, "{}\n");
	peer_expect(&client, "\x81\x03{}\n");
	ends = true;
	fake_send(transfer, "{}\n");
	peer_expect(&client, "\x81\x03{}\n\x88\x02\x03\xe8");
	stage_wait_open(&stage, 0);
	ck_assert_int_eq(closed, 1);
	finish();
}
END_TEST

START_TEST(websocket_takes_nothing_while_the_client_does_not_read_and_can_be_cut)
{
	static char line[(1 << 20) + 1];
	struct transfer *transfer = watch(NULL);
	size_t left;

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	peer_read(&client, false);
	for (int i = 0; i < 24; i++)
		fake_send(transfer, line);
	for (int i = 0; i < 100; i++)
		peer_settle(stage.loop);
	left = transfer_peek(&stage.fake->super, transfer).len;
	ck_assert_uint_gt(left, 4 << 20);
	/* Pings do not pile up either. */
	for (int i = 0; i < 1000; i++)
		say(WS_PING, "still there");
	peer_settle(stage.loop);
	ck_assert_uint_eq(transfer_peek(&stage.fake->super, transfer).len, left);
	ck_assert_uint_eq(server_open_count(&stage.server), 1);
	server_cut_all(&stage.server);
	ck_assert_int_eq(closed, 1);
	stage_wait_open(&stage, 0);
	client.received.cap = 64 << 20;
	peer_read(&client, true);
	peer_wait_over(&client);
	finish();
}
END_TEST

#define PATIENCE_MS 20000

static void wait_for_connections(size_t n)
{
	int64_t until_ms = loop_now_ms(stage.loop) + PATIENCE_MS;

	while (listener_connections(stage.listener) != n) {
		ck_assert_msg(loop_now_ms(stage.loop) < until_ms,
			      "%zu connections are open",
			      listener_connections(stage.listener));
		peer_settle(stage.loop);
	}
}

START_TEST(websocket_is_closed_though_who_closes_it_does_not_read)
{
	static char line[(1 << 20) + 1];
	struct transfer *transfer = watch(NULL);

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	peer_read(&client, false);
	for (int i = 0; i < 16; i++)
		fake_send(transfer, line);
	for (int i = 0; i < 100; i++)
		peer_settle(stage.loop);
	say(WS_CLOSE, "\x03\xe8");
	stage_wait_open(&stage, 0);
	ck_assert_uint_eq(listener_connections(stage.listener), 1);
	/* WEBSOCKET_LINGER_MS of real time. */
	wait_for_connections(0);
	finish();
}
END_TEST

START_TEST(websocket_waits_for_no_close_of_who_does_not_answer)
{
	struct transfer *transfer = watch(NULL);

	fake_end(transfer, UPSTREAM_COMPLETE);
	peer_expect(&client, "\x88\x02\x03\xe8");
	stage_wait_open(&stage, 0);
	/* WEBSOCKET_LINGER_MS of real time; the connection is closed then. */
	peer_wait_over(&client);
	finish();
}
END_TEST

START_TEST(websocket_tells_of_an_expired_position_in_a_message)
{
	static const char expired[] = HANDSHAKE_OF(
		TARGET "&resourceVersion=5",
		"Origin: http://x\r\nAccept: application/vnd.kubernetes.protobuf\r\n");

	open_stage();
	view.floor = 9;
	view.standing = VIEW_STANDS_UNKNOWN;
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, expired);
	peer_expect(&client, "HTTP/1.1 101 ");
	peer_expect(&client, "\r\n\r\n\x82");
	peer_expect(&client, "ERROR");
	peer_expect(&client, "Expired");
	peer_expect(&client, "\x88\x02\x03\xe8");
	stage_wait_open(&stage, 0);
	view = (struct view){ 0 };
	finish();
}
END_TEST

START_TEST(websocket_that_is_refused_is_told_so_by_http)
{
	struct transfer *transfer;

	open_stage();
	/* By us: no Origin. */
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, HANDSHAKE_OF(TARGET, ""));
	peer_expect(&client, "HTTP/1.1 403 Forbidden\r\n");
	peer_expect(&client, "\"reason\":\"Forbidden\"");
	stage_wait_open(&stage, 0);
	/* By the API server. */
	peer_close(&client);
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, HANDSHAKE);
	transfer = fake_expect(stage.fake, "GET /apis/g/v1/foos?watch=1&");
	fake_answer(transfer, 401, "{\"code\":401}");
	peer_expect(&client, "HTTP/1.1 401 ");
	peer_expect(&client, "{\"code\":401}");
	stage_wait_open(&stage, 0);
	ck_assert_int_eq(closed, 1);
	finish();
}
END_TEST

START_TEST(websocket_is_declined_for_all_but_watches_which_are_narrowed_then)
{
	open_stage();
	peer_connect(&client, stage.loop, stage.port);
	peer_send(&client, HANDSHAKE_OF("/apis/g/v1/foos", ""));
	fake_answer(fake_expect(stage.fake, "GET /apis/g/v1/foos?labelSelector="), 200,
		    "{}");
	peer_expect(&client, "HTTP/1.1 200 ");
	stage_wait_open(&stage, 0);
	finish();
}
END_TEST

START_TEST(websocket_holds_up_no_end_of_the_program)
{
	struct transfer *transfer = watch(NULL);

	fake_send(transfer, "{\"half");
	peer_settle(stage.loop);
	stage_close(&stage);
	peer_close(&client);
}
END_TEST

UNIT_MAIN("net/websocket",
	  websocket_sends_each_event_as_a_message_and_closes_behind_the_last,
	  websocket_is_accepted_with_its_subprotocol_but_for_a_token,
	  websocket_answers_pings_between_messages_and_ignores_what_is_said,
	  websocket_ends_the_watch_when_its_client_closes_or_leaves_or_talks_nonsense,
	  websocket_says_no_end_of_a_watch_that_broke,
	  websocket_ends_well_for_a_change_of_view,
	  websocket_takes_nothing_while_the_client_does_not_read_and_can_be_cut,
	  websocket_is_closed_though_who_closes_it_does_not_read,
	  websocket_waits_for_no_close_of_who_does_not_answer,
	  websocket_tells_of_an_expired_position_in_a_message,
	  websocket_that_is_refused_is_told_so_by_http,
	  websocket_is_declined_for_all_but_watches_which_are_narrowed_then,
	  websocket_holds_up_no_end_of_the_program)
