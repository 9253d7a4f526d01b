#include <stdio.h>

#include "tests/unit/net/place.h"

/* Answers what a peer was sent, and ends the transfer. */
static void answer(struct place *place, struct peer *peer, struct seen *seen)
{
	peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	peer_wait(place->loop, &seen->ends, 1);
	ck_assert_int_eq(seen->result, UPSTREAM_COMPLETE);
	finish(seen);
}

START_TEST(handles_say_nothing_of_the_request_before)
{
	static const struct header headers[] = {
		{ SLICE_LITERAL("X-One"), SLICE_LITERAL("1") },
		{ SLICE_LITERAL("Content-Type"), SLICE_LITERAL("a/b") },
	};
	const struct upstream_request put = { .method = SLICE_LITERAL("PUT"),
					      .target = SLICE_LITERAL("/put"),
					      .headers = headers,
					      .headers_n = 2,
					      .has_body = true,
					      .body = SLICE_LITERAL("long body"),
					      .timeout_ms = 60000 };
	const struct upstream_request head = { .method = SLICE_LITERAL("HEAD"),
					       .target = SLICE_LITERAL("/head"),
					       .is_safe = true };
	const struct upstream_request remove = { .method = SLICE_LITERAL("DELETE"),
						 .target = SLICE_LITERAL("/d") };
	const struct upstream_request *all[] = { &get, &put, &head, &post, &remove };
	static const char *const want[][2] = {
		{ "GET /a", "\r\n" },
		{ "PUT /put", "X-One: 1\r\nContent-Type: a/b\r\n"
			      "Content-Length: 9\r\n\r\nlong body" },
		{ "HEAD /head", "\r\n" },
		{ "POST /b", "Content-Length: 4\r\n\r\nbody" },
		{ "DELETE /d", "\r\n" },
	};
	struct peer *peer;
	struct place place;
	struct seen seen;
	char text[256];

	place_open(&place);
	peer = &place.server.peers[0];
	/* Each one behind each other one. */
	for (int i = 0; i < 25; i++) {
		for (int k = 0; k < 2; k++) {
			int which = k == 0 ? i / 5 : i % 5;

			start(&place, &seen, all[which]);
			peer_wait(place.loop, &place.server.n, 1);
			snprintf(text, sizeof(text),
				 "%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s",
				 want[which][0], place.server.port, want[which][1]);
			while (peer->received.len < strlen(text))
				peer_settle(place.loop);
			ck_assert_slice(buf_slice(&peer->received), text);
			buf_clear(&peer->received);
			answer(&place, peer, &seen);
		}
	}
	ck_assert_int_eq(place.server.n, 1);
	place_close(&place);
}
END_TEST

START_TEST(handles_do_not_count_what_others_sent_again)
{
	struct place place;
	struct seen seen;

	place_open(&place);
	start(&place, &seen, &get);
	peer_wait(place.loop, &place.server.n, 1);
	peer_expect(&place.server.peers[0], "\r\n\r\n");
	answer(&place, &place.server.peers[0], &seen);
	for (int i = 0; i < 12; i++) {
		start(&place, &seen, &get);
		peer_expect(&place.server.peers[i], "\r\n\r\n");
		peer_close(&place.server.peers[i]);
		peer_wait(place.loop, &place.server.n, i + 2);
		peer_expect(&place.server.peers[i + 1], "\r\n\r\n");
		answer(&place, &place.server.peers[i + 1], &seen);
	}
	place_close(&place);
}
END_TEST

UNIT_MAIN("net/handles", handles_say_nothing_of_the_request_before,
	  handles_do_not_count_what_others_sent_again)
