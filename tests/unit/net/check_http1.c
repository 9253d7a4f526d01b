#include <errno.h>

#include "proxy/net/http1.h"
#include "tests/unit/unit.h"

#define HEAD(fields) "HTTP/1.1 200 OK\r\n" fields "\r\n"

static struct arena *arena;

static struct upstream_head parse(const char *text)
{
	struct upstream_head head;
	ptrdiff_t n = http1_parse_head(&head, arena, slice_of(text));

	ck_assert_msg(n == (ptrdiff_t)strlen(text), "%s", text);
	return head;
}

START_TEST(http1_parses_a_head_and_leaves_what_follows)
{
	static const char text[] = "HTTP/1.1 101 Switching Protocols\r\n"
				   "Upgrade:  SPDY/3.1 \r\nEmpty:\r\n\r\nbytes";
	struct upstream_head head;

	arena = arena_create();
	ck_assert_int_eq(http1_parse_head(&head, arena, slice_of(text)),
			 (ptrdiff_t)strlen(text) - 5);
	ck_assert_int_eq(head.status, 101);
	ck_assert_slice(head.phrase, "Switching Protocols");
	ck_assert_uint_eq(head.headers_n, 2);
	ck_assert_slice(head.headers[0].name, "Upgrade");
	ck_assert_slice(head.headers[0].value, "SPDY/3.1");
	ck_assert_slice(head.headers[1].value, "");
	ck_assert_int_eq(head.content_length, -1);
	arena_destroy(arena);
}
END_TEST

START_TEST(http1_waits_for_the_whole_head_and_refuses_what_is_none)
{
	static const char text[] = HEAD("A: b\r\n");
	struct upstream_head head;

	arena = arena_create();
	for (size_t n = 0; n < strlen(text); n++)
		ck_assert_int_eq(http1_parse_head(&head, arena, slice_make(text, n)),
				 -EAGAIN);
	ck_assert_int_eq(http1_parse_head(&head, arena, slice_of("SSH-2.0-x\r\n\r\n")),
			 -EINVAL);
	arena_destroy(arena);
}
END_TEST

START_TEST(http1_knows_how_a_body_is_framed)
{
	static const struct {
		const char *method;
		const char *head;
		int rc;
		enum http1_framing framing;
	} rows[] = {
		{ "GET", HEAD(""), 0, HTTP1_UNTIL_CLOSE },
		{ "GET", HEAD("Content-Length: 5\r\n"), 0, HTTP1_LENGTH },
		{ "GET", HEAD("Transfer-Encoding: Chunked\r\n"), 0, HTTP1_CHUNKED },
		{ "HEAD", HEAD("Content-Length: 5\r\n"), 0, HTTP1_EMPTY },
		{ "GET", "HTTP/1.1 204 No Content\r\n\r\n", 0, HTTP1_EMPTY },
		{ "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 0,
		  HTTP1_EMPTY },
		{ "GET", HEAD("Content-Length: 5\r\nContent-Length: 5\r\n"), 0,
		  HTTP1_LENGTH },
		{ "GET", HEAD("Content-Length: 5\r\nContent-Length: 6\r\n"), -EINVAL,
		  0 },
		{ "GET", HEAD("Content-Length: -5\r\n"), -EINVAL, 0 },
		{ "GET", HEAD("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
		  -EINVAL, 0 },
		{ "GET", HEAD("Transfer-Encoding: gzip\r\n"), -EINVAL, 0 },
	};

	arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct upstream_head head = parse(rows[i].head);
		struct http1_body body;

		ck_assert_msg(http1_body_init(&body, slice_of(rows[i].method), &head) ==
				      rows[i].rc,
			      "%s", rows[i].head);
		if (rows[i].rc == 0)
			ck_assert_msg(body.framing == rows[i].framing, "%s",
				      rows[i].head);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(http1_takes_a_body_whatever_the_pieces_and_sees_its_end)
{
	static const struct {
		const char *head;
		const char *bytes;
		const char *body;
		bool is_whole;
	} rows[] = {
		{ HEAD("Content-Length: 5\r\n"), "hello", "hello", true },
		{ HEAD("Content-Length: 5\r\n"), "hello, more", "hello", true },
		{ HEAD("Content-Length: 5\r\n"), "hell", "hell", false },
		{ HEAD("Content-Length: 0\r\n"), "", "", true },
		{ HEAD("Transfer-Encoding: chunked\r\n"),
		  "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: t\r\n\r\n", "hello", true },
		{ HEAD("Transfer-Encoding: chunked\r\n"), "3\r\nhel\r\n2\r\nlo\r\n",
		  "hello", false },
		{ HEAD("Transfer-Encoding: chunked\r\n"), "5\r\nhel", "hel", false },
		{ HEAD(""), "hello", "hello", true },
	};

	arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t piece = 1; piece < 50; piece++) {
			struct upstream_head head = parse(rows[i].head);
			size_t left = strlen(rows[i].bytes), n;
			const char *at = rows[i].bytes;
			struct http1_body body;
			struct buf have;
			char data[64];

			buf_init(&have, 64);
			ck_assert_int_eq(http1_body_init(&body, slice_of("GET"), &head),
					 0);
			for (; left > 0; left -= n, at += n) {
				size_t taken = n = left < piece ? left : piece;

				memcpy(data, at, n);
				ck_assert_int_eq(http1_body_take(&body, data, &taken),
						 0);
				buf_append(&have, slice_make(data, taken));
			}
			ck_assert_slice(buf_slice(&have), rows[i].body);
			ck_assert_int_eq(http1_body_is_whole(&body), rows[i].is_whole);
			buf_finish(&have);
		}
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(http1_refuses_broken_chunks)
{
	struct http1_body body = { .framing = HTTP1_CHUNKED };
	char data[] = "zz\r\nhello\r\n";
	size_t n = strlen(data);

	ck_assert_int_eq(http1_body_take(&body, data, &n), -EINVAL);
}
END_TEST

UNIT_MAIN("net/http1", http1_parses_a_head_and_leaves_what_follows,
	  http1_waits_for_the_whole_head_and_refuses_what_is_none,
	  http1_knows_how_a_body_is_framed,
	  http1_takes_a_body_whatever_the_pieces_and_sees_its_end,
	  http1_refuses_broken_chunks)
