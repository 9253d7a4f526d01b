#include <stdio.h>

#include "proxy/net/strict.h"
#include "tests/unit/unit.h"

START_TEST(strict_knows_tokens_and_targets)
{
	static const struct {
		struct slice text;
		bool is_token, is_target;
	} rows[] = {
		{ SLICE_LITERAL("GET"), true, true },
		{ SLICE_LITERAL("x!#$%&'*+-.^_`|~9"), true, true },
		{ SLICE_LITERAL(""), false, false },
		{ SLICE_LITERAL("GET /"), false, false },
		{ SLICE_LITERAL("/a\t"), false, false },
		{ SLICE_LITERAL("/a%20b/../\xc3\xa9?x=\"<>"), false, true },
		{ SLICE_LITERAL("/a\r\nX: y"), false, false },
		{ SLICE_LITERAL("a\0b"), false, false },
		{ SLICE_LITERAL("a\x7f"), false, false },
		{ SLICE_LITERAL("a:b"), false, true },
		{ SLICE_LITERAL("a(b)"), false, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(strict_is_token(rows[i].text) == rows[i].is_token,
			      "'%.*s'", SLICE_ARGS(rows[i].text));
		ck_assert_msg(strict_is_target(rows[i].text) == rows[i].is_target,
			      "'%.*s'", SLICE_ARGS(rows[i].text));
	}
}
END_TEST

START_TEST(strict_refuses_fields_that_break_their_line)
{
	static const struct {
		struct header field;
		bool is_field;
	} rows[] = {
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("1") }, true },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("") }, true },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("\t\x80\xff \"") }, true },
		{ { SLICE_LITERAL(""), SLICE_LITERAL("1") }, false },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("1\r\nB: 2") }, false },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("1\n") }, false },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("\r") }, false },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("\0") }, false },
		{ { SLICE_LITERAL("A"), SLICE_LITERAL("\x7f") }, false },
		{ { SLICE_LITERAL("A\n"), SLICE_LITERAL("1") }, false },
		{ { SLICE_LITERAL("Content-Length "), SLICE_LITERAL("1") }, false },
		{ { SLICE_LITERAL("A:B"), SLICE_LITERAL("1") }, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct header both[2] = { { SLICE_LITERAL("X"), SLICE_LITERAL("y") },
					  rows[i].field };

		ck_assert_msg(strict_are_fields(both, 2) == rows[i].is_field, "row %zu",
			      i);
	}
}
END_TEST

START_TEST(strict_wants_the_length_of_a_body_said_once)
{
	static const struct {
		const char *fields;
		bool is_clear, is_clear_in_1_0;
	} rows[] = {
		{ "", true, true },
		{ "Content-Length: 5\r\n", true, true },
		{ "Content-Length: 5\r\nA: b\r\ncontent-length:5 \r\n", true, true },
		{ "Content-Length: 5\r\nContent-Length: 6\r\n", false, false },
		{ "Content-Length: 5\nContent-Length: 6\n", false, false },
		{ "Content-Length: 5\r\nContent-Length: 05\r\n", false, false },
		{ "Transfer-Encoding: Chunked\r\n", true, false },
		{ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", false,
		  false },
		{ "Transfer-Encoding: gzip, chunked\r\n", false, false },
		{ "Transfer-Encoding: \r\n", false, false },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", false, false },
		{ "Content-Length: 5\r\ntransfer-encoding: chunked\r\n", false, false },
		{ "X: Content-Length: 1\r\nContent-Length: 5\r\n", true, true },
		/* What follows the head is none of it. */
		{ "Content-Length: 5\r\n\r\nContent-Length: 6\r\n", true, true },
	};
	static const char *const lines[] = { "POST / HTTP/1.1\r\n",
					     "\r\n\nPOST / HTTP/1.1\n" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < 2; k++) {
			char head[256];
			struct slice text;

			sprintf(head, "%s%s\r\n", lines[k], rows[i].fields);
			text = slice_of(head);
			ck_assert_msg(strict_is_framing(text, false) ==
					      rows[i].is_clear,
				      "%s", head);
			ck_assert_msg(strict_is_framing(text, true) ==
					      rows[i].is_clear_in_1_0,
				      "%s", head);
		}
	}
}
END_TEST

UNIT_MAIN("net/strict", strict_knows_tokens_and_targets,
	  strict_refuses_fields_that_break_their_line,
	  strict_wants_the_length_of_a_body_said_once)
