#include <errno.h>
#include <stdio.h>

#include "proxy/net/ws.h"
#include "tests/unit/unit.h"

#define BYTES_MAX 256

/* A frame as a client sends it, in hex with blanks; the mask is 00000000 in most. */
static size_t unhex(const char *hex, char *out)
{
	size_t n = 0;
	unsigned byte;

	for (; *hex != '\0'; hex++) {
		if (*hex == ' ')
			continue;
		ck_assert_int_eq(sscanf(hex, "%2x", &byte), 1);
		out[n++] = (char)byte;
		hex++;
	}
	return n;
}

/* All that is told, as text: "ping:<payload> close:<code>", at that size of chunks. */
static void read_all(const char *hex, size_t chunk, char out[BYTES_MAX])
{
	struct ws_reader reader;
	char bytes[BYTES_MAX];
	size_t n = unhex(hex, bytes), at = 0, length = 0;

	ws_reader_init(&reader);
	out[0] = '\0';
	while (at < n) {
		struct slice rest = slice_make(bytes + at, n - at);
		enum ws_told told;
		size_t consumed;

		if (rest.len > chunk)
			rest.len = chunk;
		told = ws_read(&reader, rest, &consumed);
		ck_assert_uint_le(consumed, rest.len);
		ck_assert(told != WS_TOLD_NOTHING || consumed == rest.len);
		at += consumed;
		if (told == WS_TOLD_PING)
			length += (size_t)sprintf(out + length, "ping:%.*s ",
						  (int)reader.payload_n,
						  reader.payload);
		if (told == WS_TOLD_CLOSE) {
			sprintf(out + length, "close:%d at %zu", reader.code, at);
			return;
		}
	}
}

struct row {
	const char *frames;
	const char *told;
};

/* However the bytes are cut, the same is told. */
static void check_rows(const struct row *rows, size_t n)
{
	char told[BYTES_MAX];

	for (size_t i = 0; i < n; i++)
		for (size_t chunk = 1; chunk < BYTES_MAX; chunk++) {
			read_all(rows[i].frames, chunk, told);
			ck_assert_msg(strcmp(told, rows[i].told) == 0,
				      "%s by %zu: '%s', not '%s'", rows[i].frames,
				      chunk, told, rows[i].told);
		}
}

START_TEST(ws_tells_of_pings_and_of_the_close_and_passes_over_messages)
{
	static const struct row rows[] = {
		{ "", "" },
		/* "Hello", as RFC 6455, 5.7 has it: a message, a ping, a pong. */
		{ "81 85 37fa213d 7f9f4d5158", "" },
		{ "89 85 37fa213d 7f9f4d5158", "ping:Hello " },
		{ "8a 85 37fa213d 7f9f4d5158", "" },
		{ "89 80 00000000 89 81 00000000 41", "ping: ping:A " },
		/* A message in three parts, and a ping between them. */
		{ "01 81 00000000 41 00 80 00000000 89 81 00000000 42 "
		  "80 81 00000000 43 89 81 00000000 44",
		  "ping:B ping:D " },
		{ "82 fe 0080 00000000", "" },
		{ "88 80 00000000", "close:1005 at 6" },
		{ "88 82 00000000 03e8", "close:1000 at 8" },
		{ "88 84 00000000 03e9 4142", "close:1001 at 10" },
		{ "88 82 00000000 0fa0 89 80 00000000", "close:4000 at 8" },
		{ "89 81 00000000 41 88 82 00000000 03e8", "ping:A close:1000 at 15" },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}
END_TEST

START_TEST(ws_closes_for_what_no_client_may_send)
{
	static const struct row rows[] = {
		{ "81 05", "close:1002 at 2" }, /* no mask */
		{ "c1 80", "close:1002 at 2" }, /* an extension */
		{ "83 80", "close:1002 at 2" }, /* opcodes that are none */
		{ "8b 80", "close:1002 at 2" },
		{ "80 80", "close:1002 at 2" },                /* a part of nothing */
		{ "01 80 00000000 81 80", "close:1002 at 8" }, /* two at once */
		{ "09 80", "close:1002 at 2" },                /* a ping in parts */
		{ "89 fe", "close:1002 at 2" },               /* ... that is too long */
		{ "81 fe 007d 00000000", "close:1002 at 8" }, /* said too long */
		{ "81 ff 000000000000ffff 00000000", "close:1002 at 14" },
		{ "81 ff 8000000000000000 00000000", "close:1002 at 14" },
		{ "88 81 00000000 03", "close:1002 at 7" },   /* half a code */
		{ "88 82 00000000 03e7", "close:1002 at 8" }, /* codes that are none */
		{ "88 82 00000000 03ed", "close:1002 at 8" },
		{ "88 82 00000000 1388", "close:1002 at 8" },
		/* 32 MiB are taken, a byte more is not, be it in parts. */
		{ "82 ff 0000000002000000 00000000", "" },
		{ "82 ff 0000000002000001 00000000", "close:1009 at 14" },
		{ "02 81 00000000 41 80 ff 0000000002000000 00000000",
		  "close:1009 at 21" },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]));
}
END_TEST

START_TEST(ws_passes_over_a_long_message_without_holding_it)
{
	static char zeros[65536];
	static const struct slice head =
		SLICE_LITERAL("\x82\xff\0\0\0\0\0\x20\0\0abcd");
	static const struct slice ping = SLICE_LITERAL("\x89\x81\0\0\0\0!");
	struct ws_reader reader;
	size_t n;

	ws_reader_init(&reader);
	ck_assert_int_eq(ws_read(&reader, head, &n), WS_TOLD_NOTHING);
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(ws_read(&reader, slice_make(zeros, sizeof(zeros)), &n),
				 WS_TOLD_NOTHING);
	ck_assert_int_eq(ws_read(&reader, ping, &n), WS_TOLD_PING);
	ck_assert_slice(slice_make(reader.payload, reader.payload_n), "!");
}
END_TEST

START_TEST(ws_writes_heads_as_short_as_they_can_be)
{
	static const struct {
		uint64_t bytes;
		const char *head;
	} rows[] = {
		{ 0, "82 00" },
		{ 125, "82 7d" },
		{ 126, "82 7e 007e" },
		{ 65535, "82 7e ffff" },
		{ 65536, "82 7f 0000000000010000" },
		{ 0x123456789a, "82 7f 000000123456789a" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char head[BYTES_MAX];
		size_t n = unhex(rows[i].head, head);
		struct buf out;

		buf_init(&out, WS_HEAD_BYTES_MAX);
		ck_assert_int_eq(ws_write_head(&out, WS_BINARY, rows[i].bytes), 0);
		ck_assert_msg(slice_eq(buf_slice(&out), slice_make(head, n)), "%s",
			      rows[i].head);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(ws_writes_a_close_with_its_code_and_nothing_beyond_the_cap)
{
	struct buf out;

	buf_init(&out, 6);
	ck_assert_int_eq(ws_write_close(&out, WS_CODE_TOO_BIG), 0);
	ck_assert_slice(buf_slice(&out), "\x88\x02\x03\xf1");
	ck_assert_int_eq(ws_write(&out, WS_TEXT, slice_of("a")), -EMSGSIZE);
	ck_assert_slice(buf_slice(&out), "\x88\x02\x03\xf1");
	ck_assert_int_eq(ws_write_close(&out, WS_CODE_NONE), 0);
	ck_assert(slice_eq(buf_slice(&out), slice_make("\x88\x02\x03\xf1\x88\0", 6)));
	buf_finish(&out);
}
END_TEST

UNIT_MAIN("net/ws", ws_tells_of_pings_and_of_the_close_and_passes_over_messages,
	  ws_closes_for_what_no_client_may_send,
	  ws_passes_over_a_long_message_without_holding_it,
	  ws_writes_heads_as_short_as_they_can_be,
	  ws_writes_a_close_with_its_code_and_nothing_beyond_the_cap)
