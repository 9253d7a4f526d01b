#include <errno.h>

#include "proxy/net/ws_messages.h"
#include "tests/unit/unit.h"

#define OUT_BYTES_MAX (WS_EVENT_BYTES_MAX + (1u << 20))

/* What is made of the bytes, which come in chunks of that size. */
static int take(enum kube_encoding encoding, struct slice bytes, size_t chunk,
		struct buf *out, bool *is_whole)
{
	struct ws_messages messages;
	int rc = 0;

	buf_clear(out);
	ws_messages_init(&messages, encoding);
	for (size_t at = 0; at < bytes.len && rc == 0; at += chunk) {
		struct slice part = slice_from(bytes, at);

		if (part.len > chunk)
			part.len = chunk;
		rc = ws_messages_take(&messages, part, out);
	}
	*is_whole = ws_messages_are_whole(&messages);
	ws_messages_finish(&messages);
	return rc;
}

START_TEST(ws_messages_are_one_for_each_event_however_the_bytes_are_cut)
{
	static const struct {
		enum kube_encoding encoding;
		struct slice frames;
		struct slice messages;
		bool is_whole;
	} rows[] = {
		{ KUBE_JSON, SLICE_LITERAL(""), SLICE_LITERAL(""), true },
		/* A line is a message, and its end belongs to it. */
		{ KUBE_JSON, SLICE_LITERAL("{\"a\":1}\n{}\n"),
		  SLICE_LITERAL("\x81\x08{\"a\":1}\n\x81\x03{}\n"), true },
		{ KUBE_JSON, SLICE_LITERAL("{}\n{\"a"), SLICE_LITERAL("\x81\x03{}\n"),
		  false },
		/* The length says what the message says anyway. */
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\3abc\0\0\0\0\0\0\0\1d"),
		  SLICE_LITERAL("\x82\x03"
				"abc\x82\0\x82\1d"),
		  true },
		{ KUBE_PROTOBUF, SLICE_LITERAL("\0\0\0\1d\0\0"),
		  SLICE_LITERAL("\x82\1d"), false },
		{ KUBE_CBOR, SLICE_LITERAL("\xa1\x61\x61\x01\xa0"),
		  SLICE_LITERAL("\x82\4\xa1\x61\x61\x01\x82\1\xa0"), true },
	};
	struct buf out;

	buf_init(&out, OUT_BYTES_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t chunk = 1; chunk < 32; chunk++) {
			bool is_whole;

			ck_assert_int_eq(take(rows[i].encoding, rows[i].frames, chunk,
					      &out, &is_whole),
					 0);
			ck_assert_msg(slice_eq(buf_slice(&out), rows[i].messages) &&
					      is_whole == rows[i].is_whole,
				      "row %zu by %zu", i, chunk);
		}
	buf_finish(&out);
}
END_TEST

START_TEST(ws_messages_bear_events_of_any_size_whole)
{
	static const size_t sizes[] = { 126, 127, 65536, 65537, 3u << 20 };
	struct buf out, line;

	buf_init(&out, OUT_BYTES_MAX);
	buf_init(&line, 4u << 20);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct slice made;
		bool is_whole;

		buf_clear(&line);
		while (line.len < sizes[i] - 1)
			ck_assert_int_eq(buf_append_text(&line, "x"), 0);
		ck_assert_int_eq(buf_append_text(&line, "\n"), 0);
		ck_assert_int_eq(
			take(KUBE_JSON, buf_slice(&line), 60000, &out, &is_whole), 0);
		made = buf_slice(&out);
		made = slice_from(made, made.len - line.len);
		ck_assert(slice_eq(made, buf_slice(&line)));
		ck_assert_uint_eq((unsigned char)out.data[0], 0x81);
		ck_assert_uint_eq((unsigned char)out.data[1],
				  sizes[i] > 65535 ? 127 : 126);
	}
	buf_finish(&line);
	buf_finish(&out);
}
END_TEST

START_TEST(ws_messages_hold_one_event_and_no_more_than_events_are)
{
	static char part[1 << 20];
	struct ws_messages messages;
	struct buf out;
	int rc = 0;

	memset(part, 'x', sizeof(part));
	buf_init(&out, OUT_BYTES_MAX);
	ws_messages_init(&messages, KUBE_JSON);
	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(ws_messages_take(&messages,
						  slice_make(part, sizeof(part)), &out),
				 0);
	ck_assert_int_eq(ws_messages_take(&messages, slice_of("\n"), &out), 0);
	/* It is let go once it has been made a message. */
	ck_assert_uint_eq(messages.frame.size, 0);
	for (int i = 0; i < 18 && rc == 0; i++)
		rc = ws_messages_take(&messages, slice_make(part, sizeof(part)), &out);
	ck_assert_int_eq(rc, -EMSGSIZE);
	ws_messages_finish(&messages);
	buf_finish(&out);
}
END_TEST

START_TEST(ws_messages_are_not_made_of_what_has_no_frames)
{
	struct buf out;
	bool is_whole;

	buf_init(&out, OUT_BYTES_MAX);
	ck_assert_int_eq(take(KUBE_PROTOBUF, SLICE_LITERAL("\xff\xff\xff\xff"), 4, &out,
			      &is_whole),
			 -EINVAL);
	ck_assert_int_eq(take(KUBE_CBOR, SLICE_LITERAL("\xff"), 4, &out, &is_whole),
			 -EINVAL);
	buf_finish(&out);
}
END_TEST

UNIT_MAIN("net/ws_messages",
	  ws_messages_are_one_for_each_event_however_the_bytes_are_cut,
	  ws_messages_bear_events_of_any_size_whole,
	  ws_messages_hold_one_event_and_no_more_than_events_are,
	  ws_messages_are_not_made_of_what_has_no_frames)
