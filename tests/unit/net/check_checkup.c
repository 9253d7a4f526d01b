#include "proxy/net/checkup.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/net/place.h"

/* Asked five times in it. */
#define SILENCE_MS 1000

static struct place place;
static struct vitals vitals;
static struct checkup *checkup;

static void begin(void)
{
	char url[96];
	struct err err;

	place_open(&place);
	vitals = (struct vitals){ 0 };
	snprintf(url, sizeof(url), "%s/healthz?full=1", place.url);
	ck_assert_int_eq(checkup_create(&checkup, place.loop, &vitals, url, &err), 0);
	checkup_reload(checkup, SILENCE_MS);
	ck_assert(vitals.has_health);
}

static void end(void)
{
	checkup_destroy(checkup);
	place_close(&place);
}

/* The question on the i-th connection that comes. */
static struct peer *question(int i)
{
	peer_wait(place.loop, &place.server.n, i + 1);
	peer_expect(&place.server.peers[i], "GET /healthz?full=1 HTTP/1.1\r\n");
	peer_expect(&place.server.peers[i], "\r\n\r\n");
	return &place.server.peers[i];
}

/* What is told of a controller that answers the i-th question so, and then closes. */
static bool is_healthy_by(const char *answer, int i)
{
	struct peer *peer = &place.server.peers[i];

	vitals.healthy_ms = 0;
	peer_send(peer, answer);
	peer_close(peer);
	/* The next question comes when this one is over. */
	question(i + 1);
	return vitals.healthy_ms > 0;
}

START_TEST(checkup_tells_good_answers_from_others)
{
	static const struct {
		const char *answer;
		bool is_good;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true },
		{ "HTTP/1.1 204 Nothing\r\n\r\n", true },
		{ "HTTP/1.1 302 Elsewhere\r\nLocation: /x\r\n"
		  "Content-Length: 0\r\n\r\n",
		  true },
		{ "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", false },
		{ "HTTP/1.1 500 Sick\r\nContent-Length: 0\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", false },
		{ "SSH-2.0-x\r\n\r\n", false },
		{ "", false },
	};

	begin();
	question(0);
	for (int i = 0; i < (int)(sizeof(rows) / sizeof(rows[0])); i++)
		ck_assert_msg(is_healthy_by(rows[i].answer, i) == rows[i].is_good, "%s",
			      rows[i].answer);
	end();
}
END_TEST

/* A stopped process: its kernel accepts, and takes the question. */
START_TEST(checkup_gives_up_on_who_does_not_answer_and_asks_again)
{
	begin();
	question(0);
	peer_wait_over(&place.server.peers[0]);
	question(1);
	ck_assert_int_eq(vitals.healthy_ms, 0);
	peer_send(&place.server.peers[1],
		  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	peer_expect(&place.server.peers[1], "GET /healthz?full=1 HTTP/1.1\r\n");
	ck_assert_int_gt(vitals.healthy_ms, 0);
	end();
}
END_TEST

START_TEST(checkup_is_bounded_by_time_where_an_answer_has_no_end)
{
	struct peer *peer;

	begin();
	peer = question(0);
	peer_send(peer, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i < 100; i++)
		peer_send(peer, "and more, and more, and more, and more, and more");
	peer_wait_over(peer);
	question(1);
	ck_assert_int_eq(vitals.healthy_ms, 0);
	end();
}
END_TEST

START_TEST(checkup_asks_nobody_while_silence_is_not_looked_at)
{
	begin();
	question(0);
	checkup_reload(checkup, 0);
	peer_wait_over(&place.server.peers[0]);
	ck_assert_int_eq(place.server.n, 1);
	checkup_reload(checkup, SILENCE_MS);
	question(1);
	end();
}
END_TEST

START_TEST(checkup_asks_at_urls_with_a_port)
{
	static const struct {
		const char *url, *scheme, *address, *target;
	} rows[] = {
		{ "http://127.0.0.1:8081/healthz", "http", "127.0.0.1:8081",
		  "/healthz" },
		{ "https://[::1]:1/a/b?c=/d:e@f", "https", "[::1]:1", "/a/b?c=/d:e@f" },
		{ "http://localhost:80", "http", "localhost:80", "/" },
	};
	static const char *const wrong[] = {
		"",
		"127.0.0.1:8081/healthz",
		"http://127.0.0.1/healthz",
		"http://127.0.0.1:/healthz",
		"http://:80/healthz",
		"http:/127.0.0.1:80/",
		"HTTP://127.0.0.1:80/",
		"ftp://127.0.0.1:80/",
		"http://me@127.0.0.1:80/",
		"http://127.0.0.1:80?x",
		"http://127.0.0.1:80/#x",
		"http://127.0.0.1:80/a b",
		"http://127.0.0.1:80/a\r\nb",
	};
	struct health_url url;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(health_url_split(&url, rows[i].url), "%s", rows[i].url);
		ck_assert_slice(url.scheme, rows[i].scheme);
		ck_assert_slice(url.address, rows[i].address);
		ck_assert_slice(url.target, rows[i].target);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!health_url_split(&url, wrong[i]), "%s", wrong[i]);
}
END_TEST

UNIT_MAIN("net/checkup", checkup_tells_good_answers_from_others,
	  checkup_gives_up_on_who_does_not_answer_and_asks_again,
	  checkup_is_bounded_by_time_where_an_answer_has_no_end,
	  checkup_asks_nobody_while_silence_is_not_looked_at,
	  checkup_asks_at_urls_with_a_port)
