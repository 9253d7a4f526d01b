#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/net/place.h"

START_TEST(upstream_curl_sends_exactly_what_it_is_given)
{
	static const struct header headers[] = {
		{ SLICE_LITERAL("x-One"), SLICE_LITERAL("1") },
		{ SLICE_LITERAL("x-One"), SLICE_LITERAL("") },
		{ SLICE_LITERAL("accept"), SLICE_LITERAL("a, b;q=0.1") },
	};
	struct upstream_request request = {
		.method = SLICE_LITERAL("PATCH"),
		.target = SLICE_LITERAL("/a/../b//c%2Fd/?x=&x=+&y#z"),
		.headers = headers,
		.headers_n = 3,
		.body = SLICE_LITERAL("a\0b"),
		.has_body = true,
	};
	struct place place;
	struct seen seen;
	char want[256];

	place_open(&place);
	start(&place, &seen, &request);
	peer_wait(place.loop, &place.server.n, 1);
	snprintf(want, sizeof(want),
		 "PATCH /a/../b//c%%2Fd/?x=&x=+&y#z HTTP/1.1\r\n"
		 "Host: 127.0.0.1:%d\r\nx-One: 1\r\nx-One:\r\naccept: a, b;q=0.1\r\n"
		 "Content-Length: 3\r\n\r\na",
		 place.server.port);
	peer_expect(&place.server.peers[0], want);
	peer_send(&place.server.peers[0], "HTTP/1.1 204 Nothing Here\r\n\r\n");
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_str_eq(seen.head, "204 Nothing Here");
	ck_assert_int_eq(seen.result, UPSTREAM_COMPLETE);
	finish(&seen);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_tells_the_last_head_and_the_body)
{
	struct place place;
	struct seen seen;

	place_open(&place);
	start(&place, &seen, &get);
	peer_wait(place.loop, &place.server.n, 1);
	peer_send(&place.server.peers[0],
		  "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		  "HTTP/1.1 200 Fine\r\nA: 1\r\nA: 2\r\nContent-Length: 5\r\n\r\nhe");
	peer_wait(place.loop, &seen.heads, 1);
	ck_assert_str_eq(seen.head, "200 Fine|A: 1|A: 2|Content-Length: 5");
	ck_assert_int_eq(seen.content_length, 5);
	ck_assert_int_eq(seen.ends, 0);
	peer_send(&place.server.peers[0], "llo");
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_int_eq(seen.result, UPSTREAM_COMPLETE);
	ck_assert_slice(buf_slice(&seen.body), "hello");
	finish(&seen);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_sends_nothing_when_the_last_word_is_no)
{
	struct place place;
	struct seen seen;

	place_open(&place);
	start(&place, &seen, &post);
	seen.is_refusing = true;
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_int_eq(seen.result, UPSTREAM_REFUSED);
	ck_assert_int_eq(seen.asked, 1);
	peer_settle(place.loop);
	for (int i = 0; i < place.server.n; i++)
		ck_assert_uint_eq(place.server.peers[i].received.len, 0);
	finish(&seen);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_tells_unreached_from_broken)
{
	static const struct {
		const char *answer;
		enum upstream_result result;
	} rows[] = {
		{ "", UPSTREAM_BROKEN },
		{ "HTTP/1.1 200 OK\r\nContent-Le", UPSTREAM_BROKEN },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", UPSTREAM_BROKEN },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhell\r\n",
		  UPSTREAM_BROKEN },
		{ "SSH-2.0-x\r\n\r\n", UPSTREAM_BROKEN },
		{ "HTTP/1.1 200 OK\r\n\r\nhello", UPSTREAM_COMPLETE },
	};
	struct seen seen;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place place;

		place_open(&place);
		start(&place, &seen, &post);
		peer_wait(place.loop, &place.server.n, 1);
		peer_expect(&place.server.peers[0], "\r\n\r\nbody");
		peer_send(&place.server.peers[0], rows[i].answer);
		peer_close(&place.server.peers[0]);
		peer_wait(place.loop, &seen.ends, 1);
		ck_assert_msg(seen.result == rows[i].result, "%s", rows[i].answer);
		finish(&seen);
		/* And then there is nobody. */
		place.server.n = 0;
		peer_server_close(&place.server);
		start(&place, &seen, &post);
		peer_wait(place.loop, &seen.ends, 1);
		ck_assert_int_eq(seen.result, UPSTREAM_UNREACHABLE);
		finish(&seen);
		upstream_destroy(place.upstream);
		loop_destroy(place.loop);
	}
}
END_TEST

/* A connection that is kept, and closed by the server when it is used again. */
static void reuse_dying(struct place *place, const struct upstream_request *request,
			struct seen *seen)
{
	struct peer *first = &place->server.peers[0];

	start(place, seen, &get);
	peer_wait(place->loop, &place->server.n, 1);
	peer_expect(first, "\r\n\r\n");
	peer_send(first, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	peer_wait(place->loop, &seen->ends, 1);
	finish(seen);
	start(place, seen, request);
	peer_expect(first, "\r\n\r\n");
	peer_close(first);
}

START_TEST(upstream_curl_sends_a_safe_request_again_and_no_other)
{
	struct place place;
	struct seen seen;

	place_open(&place);
	reuse_dying(&place, &get, &seen);
	peer_wait(place.loop, &place.server.n, 2);
	peer_expect(&place.server.peers[1], "GET /a HTTP/1.1\r\n");
	peer_send(&place.server.peers[1],
		  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_int_eq(seen.result, UPSTREAM_COMPLETE);
	finish(&seen);
	place_close(&place);

	place_open(&place);
	reuse_dying(&place, &post, &seen);
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_int_eq(seen.result, UPSTREAM_BROKEN);
	peer_settle(place.loop);
	for (int i = 1; i < place.server.n; i++)
		ck_assert_uint_eq(place.server.peers[i].received.len, 0);
	finish(&seen);
	place_close(&place);
}
END_TEST

/* The write may not leave late: neither now nor from a connection that was kept. */
START_TEST(one_writer_upstream_curl_shuts_down_what_is_not_answered_by_its_deadline)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	struct upstream_request limited = post;
	struct place place;
	struct peer *first = &place.server.peers[0];
	struct seen seen;

	place_open(&place);
	limited.write_limit_ms = 150;
	start(&place, &seen, &limited);
	peer_wait(place.loop, &place.server.n, 1);
	peer_expect(first, "\r\n\r\nbody");
	peer_send(first, ok);
	peer_wait(place.loop, &seen.ends, 1);
	finish(&seen);
	/* On the same connection, with a deadline of its own. */
	start(&place, &seen, &limited);
	peer_expect(first, "\r\n\r\nbody");
	peer_wait_over(first);
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_int_eq(seen.result, UPSTREAM_BROKEN);
	peer_settle(place.loop);
	for (int i = 1; i < place.server.n; i++)
		ck_assert_uint_eq(place.server.peers[i].received.len, 0);
	finish(&seen);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_keeps_the_connection_behind_an_answered_write)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	const struct upstream_request *requests[] = { &post, &get };
	struct upstream_request limited = post;
	struct place place;
	struct peer *first = &place.server.peers[0];
	struct seen seen;

	limited.write_limit_ms = 150;
	requests[0] = &limited;
	place_open(&place);
	for (int i = 0; i < 2; i++) {
		start(&place, &seen, requests[i]);
		peer_wait(place.loop, &place.server.n, 1);
		peer_expect(first, i == 0 ? "body" : "\r\n\r\n");
		peer_send(first, ok);
		peer_wait(place.loop, &seen.ends, 1);
		ck_assert_int_eq(seen.result, UPSTREAM_COMPLETE);
		finish(&seen);
		usleep(200 * 1000); /* the kernel's clock */
	}
	peer_settle(place.loop);
	ck_assert(!first->is_over);
	ck_assert_int_eq(place.server.n, 1);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_holds_no_more_than_its_bound_of_what_nobody_takes)
{
	static char bytes[64 * 1024];
	struct place place;
	struct seen seen;
	size_t sent = 0;
	ssize_t n;

	place_open(&place);
	start(&place, &seen, &get);
	seen.is_hoarding = true;
	peer_wait(place.loop, &place.server.n, 1);
	peer_expect(&place.server.peers[0], "\r\n\r\n");
	peer_send(&place.server.peers[0],
		  "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
	memset(bytes, 'x', sizeof(bytes));
	ck_assert_int_eq(fcntl(place.server.peers[0].fd, F_SETFL, O_NONBLOCK), 0);
	/* Until the socket's buffers are full on both sides. */
	for (int idle = 0; idle < 50; idle++) {
		n = write(place.server.peers[0].fd, bytes, sizeof(bytes));
		if (n > 0)
			idle = 0, sent += (size_t)n;
		ck_assert_uint_lt(sent, 60 << 20);
		peer_settle(place.loop);
	}
	ck_assert_uint_le(transfer_peek(seen.upstream, seen.transfer).len,
			  TRANSFER_BYTES_MAX);
	ck_assert_uint_gt(transfer_peek(seen.upstream, seen.transfer).len, 0);
	ck_assert_int_eq(seen.ends, 0);
	finish(&seen);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_refuses_a_head_beyond_its_bounds)
{
	struct place place;
	struct seen seen;

	place_open(&place);
	start(&place, &seen, &post);
	peer_wait(place.loop, &place.server.n, 1);
	peer_expect(&place.server.peers[0], "\r\n\r\nbody");
	peer_send(&place.server.peers[0], "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i <= TRANSFER_HEADERS_MAX; i++)
		peer_send(&place.server.peers[0], "A: 1\r\n");
	peer_wait(place.loop, &seen.ends, 1);
	ck_assert_int_eq(seen.result, UPSTREAM_BROKEN);
	ck_assert_int_eq(seen.heads, 0);
	finish(&seen);
	place_close(&place);
}
END_TEST

START_TEST(upstream_curl_takes_closing_at_every_point)
{
	struct place place;
	struct seen seen;

	for (int point = 0; point < 4; point++) {
		place_open(&place);
		start(&place, &seen, &get);
		if (point > 0)
			peer_wait(place.loop, &place.server.n, 1);
		if (point > 1)
			peer_expect(&place.server.peers[0], "\r\n\r\n");
		if (point > 2) {
			peer_send(&place.server.peers[0],
				  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx");
			peer_wait(place.loop, &seen.heads, 1);
		}
		finish(&seen);
		peer_settle(place.loop);
		/* Its connection is not kept: what would come is not ours. */
		if (point > 1)
			peer_wait_over(&place.server.peers[0]);
		place_close(&place);
	}
}
END_TEST

UNIT_MAIN("net/upstream_curl", upstream_curl_sends_exactly_what_it_is_given,
	  upstream_curl_tells_the_last_head_and_the_body,
	  upstream_curl_sends_nothing_when_the_last_word_is_no,
	  upstream_curl_tells_unreached_from_broken,
	  upstream_curl_sends_a_safe_request_again_and_no_other,
	  one_writer_upstream_curl_shuts_down_what_is_not_answered_by_its_deadline,
	  upstream_curl_keeps_the_connection_behind_an_answered_write,
	  upstream_curl_holds_no_more_than_its_bound_of_what_nobody_takes,
	  upstream_curl_refuses_a_head_beyond_its_bounds,
	  upstream_curl_takes_closing_at_every_point)
