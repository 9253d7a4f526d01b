#include "proxy/kube/frame.h"

#include <errno.h>
#include <stdlib.h>

#include "proxy/base/buf.h"
#include "proxy/kube/status.h"
#include "tests/unit/kube/rows.h"

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define FRAMES_MAX 16

/* A stream and where its frames end; 0 ends the list. */
struct stream {
	const char *name;
	enum kube_encoding encoding;
	struct slice bytes;
	size_t ends[FRAMES_MAX];
};

static const struct stream streams[] = {
	{ "JSON",
	  KUBE_JSON,
	  BYTES("{\"a\":\"\\n\"}\n{}\n\n{\"b\":1}"),
	  { 11, 14, 15 } },
	{ "JSON where the encoding has no frames of its own",
	  KUBE_OTHER,
	  BYTES("x\ny"),
	  { 2 } },
	{ "protobuf",
	  KUBE_PROTOBUF,
	  BYTES("\0\0\0\x05hello\0\0\0\0\0\0\0\x01\n\0\0\0\x02x"),
	  { 9, 13, 18 } },
	{ "CBOR integers of every length",
	  KUBE_CBOR,
	  BYTES("\x00\x17\x18\x18\x19\x01\x02\x1a\x01\x02\x03\x04"
		"\x1b\x01\x02\x03\x04\x05\x06\x07\x08\x20\x39\xff\xff"),
	  { 1, 2, 4, 7, 12, 21, 22, 25 } },
	{ "CBOR simple values and floats",
	  KUBE_CBOR,
	  BYTES("\xf4\xf5\xf6\xf8\xff\xf9\x7c\x00\xfa\0\0\0\0\xfb\0\0\0\0\0\0\0\0"),
	  { 1, 2, 3, 5, 8, 13, 22 } },
	{ "CBOR strings",
	  KUBE_CBOR,
	  BYTES("\x40\x60\x43\xff\xa1\x9f\x62hi\x58\x02"
		"ab"),
	  { 1, 2, 6, 9, 13 } },
	{ "CBOR arrays and maps",
	  KUBE_CBOR,
	  BYTES("\x80\xa0\x82\x81\x00\x82\x01\x02\xa2\x61"
		"a\x80\x61"
		"b\xa1\x01\x02\x98\x01\x00"),
	  { 1, 2, 8, 17, 20 } },
	{ "CBOR indefinite lengths",
	  KUBE_CBOR,
	  BYTES("\x9f\xff\xbf\x61"
		"a\x9f\x01\x80\xff\xff\x5f\x41x\x40\xff\x7f\xff\x81\x9f\x9f\xff\xff"),
	  { 2, 10, 15, 17, 22 } },
	{ "CBOR tags belong to what follows",
	  KUBE_CBOR,
	  BYTES("\xd9\xd9\xf7\xa1\x61"
		"a\xc1\xc2\x41x\xc0\x00"),
	  { 10, 12 } },
};

/* Scans in chunks of that size and compares the ends of frames. */
static void check_stream(const struct stream *stream, size_t chunk)
{
	struct frame_scanner scanner;
	struct err err = { "" };
	size_t start = 0, frames = 0, last = 0;

	frame_init(&scanner, stream->encoding);
	ck_row(stream->name, frame_is_at_boundary(&scanner));
	while (start < stream->bytes.len) {
		size_t rest = stream->bytes.len - start;
		size_t len = chunk < rest ? chunk : rest;
		char *copy = malloc(len); /* so that reading beyond it is seen */
		size_t consumed = 0;

		memcpy(copy, stream->bytes.data + start, len);
		int rc = frame_scan(&scanner, slice_make(copy, len), &consumed, &err);

		free(copy);
		ck_assert_msg(rc >= 0, "%s: %s", stream->name, err.text);
		ck_row(stream->name, consumed > 0 && consumed <= len);
		ck_row(stream->name, rc == 1 || consumed == len);
		ck_row(stream->name, frame_is_at_boundary(&scanner) == (rc == 1));
		start += consumed;
		if (rc == 0)
			continue;
		ck_assert_msg(stream->ends[frames] == start,
			      "%s in chunks of %zu: frame %zu ends at %zu, not %zu",
			      stream->name, chunk, frames, start, stream->ends[frames]);
		frames++;
		last = start;
	}
	ck_row(stream->name, stream->ends[frames] == 0);
	ck_row(stream->name, frame_is_at_boundary(&scanner) == (last == start));
}

START_TEST(frame_scan_finds_the_same_boundaries_however_the_stream_is_cut)
{
	for (size_t i = 0; i < ROWS(streams); i++)
		for (size_t chunk = 1; chunk <= streams[i].bytes.len; chunk++)
			check_stream(&streams[i], chunk);
}
END_TEST

START_TEST(frame_scan_finds_the_end_of_our_own_events)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF,
							KUBE_CBOR };
	static const struct status status = { 503, "ServiceUnavailable",
					      "a sentence\nof two lines", 3 };

	for (size_t i = 0; i < ROWS(encodings); i++) {
		struct stream stream = { "event", encodings[i], { 0 }, { 0 } };
		struct buf bytes;

		buf_init(&bytes, 10000);
		for (size_t n = 0; n < 3; n++) {
			ck_assert_int_eq(
				status_write_event(&bytes, encodings[i], &status), 0);
			stream.ends[n] = bytes.len;
		}
		stream.bytes = buf_slice(&bytes);
		for (size_t chunk = 1; chunk <= bytes.len; chunk++)
			check_stream(&stream, chunk);
		buf_finish(&bytes);
	}
}
END_TEST

START_TEST(frame_scan_refuses_what_cannot_be_framed)
{
	static const struct {
		const char *name;
		enum kube_encoding encoding;
		struct slice bytes;
	} rows[] = {
		{ "protobuf above 256 MiB", KUBE_PROTOBUF, BYTES("\x10\0\0\x01") },
		{ "protobuf of 4 GiB", KUBE_PROTOBUF, BYTES("\xff\xff\xff\xff") },
		{ "text instead of protobuf", KUBE_PROTOBUF, BYTES("{\"type\"") },
		{ "bytes above 64 MiB", KUBE_CBOR, BYTES("\x5a\x04\0\0\x01") },
		{ "text of 2^64 - 1", KUBE_CBOR,
		  BYTES("\x7b\xff\xff\xff\xff\xff\xff\xff\xff") },
		{ "array of 2^64 - 1", KUBE_CBOR,
		  BYTES("\x9b\xff\xff\xff\xff\xff\xff\xff\xff") },
		{ "map of 2^63", KUBE_CBOR, BYTES("\xbb\x80\0\0\0\0\0\0\0") },
		{ "reserved information 28", KUBE_CBOR, BYTES("\x1c") },
		{ "reserved information 30", KUBE_CBOR, BYTES("\x9e") },
		{ "indefinite integer", KUBE_CBOR, BYTES("\x1f") },
		{ "indefinite tag", KUBE_CBOR, BYTES("\xdf") },
		{ "break outside", KUBE_CBOR, BYTES("\xff") },
		{ "break in an array of a length", KUBE_CBOR, BYTES("\x82\x01\xff") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct frame_scanner scanner;
		struct err err = { "" };
		size_t consumed = 77;
		int rc;

		frame_init(&scanner, rows[i].encoding);
		rc = frame_scan(&scanner, rows[i].bytes, &consumed, &err);
		ck_assert_msg(rc == -EINVAL, "%s: %d", rows[i].name, rc);
		ck_row(rows[i].name, consumed == 77);
		ck_row(rows[i].name, err.text[0] != '\0');
	}
}
END_TEST

START_TEST(frame_scan_accepts_lengths_up_to_the_limits)
{
	static const struct {
		const char *name;
		enum kube_encoding encoding;
		struct slice bytes;
	} rows[] = {
		{ "protobuf of 256 MiB", KUBE_PROTOBUF, BYTES("\x10\0\0\0") },
		{ "bytes of 64 MiB", KUBE_CBOR, BYTES("\x5a\x04\0\0\0") },
		{ "map of 64 Mi", KUBE_CBOR, BYTES("\xba\x04\0\0\0") },
		{ "a number that is no length", KUBE_CBOR,
		  BYTES("\x82\x1b\xff\xff\xff\xff\xff\xff\xff\xff") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct frame_scanner scanner;
		size_t consumed = 0;

		frame_init(&scanner, rows[i].encoding);
		ck_row(rows[i].name,
		       frame_scan(&scanner, rows[i].bytes, &consumed, NULL) == 0);
		ck_row(rows[i].name, consumed == rows[i].bytes.len);
	}
}
END_TEST

static int scan_nested(size_t depth, char opener)
{
	char bytes[FRAME_CBOR_DEPTH_MAX + 2];
	struct frame_scanner scanner;
	size_t consumed;

	memset(bytes, opener, depth);
	bytes[depth] = 0;
	frame_init(&scanner, KUBE_CBOR);
	return frame_scan(&scanner, slice_make(bytes, depth + 1), &consumed, NULL);
}

START_TEST(frame_scan_bounds_the_depth_of_cbor)
{
	ck_assert_int_eq(scan_nested(FRAME_CBOR_DEPTH_MAX, '\x81'), 1);
	ck_assert_int_eq(scan_nested(FRAME_CBOR_DEPTH_MAX + 1, '\x81'), -EINVAL);
	ck_assert_int_eq(scan_nested(FRAME_CBOR_DEPTH_MAX, '\x9f'), 0);
	ck_assert_int_eq(scan_nested(FRAME_CBOR_DEPTH_MAX + 1, '\x9f'), -EINVAL);
}
END_TEST

START_TEST(frame_scan_of_nothing_changes_nothing)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF,
							KUBE_CBOR };

	for (size_t i = 0; i < ROWS(encodings); i++) {
		struct frame_scanner scanner;
		size_t consumed = 77;

		frame_init(&scanner, encodings[i]);
		ck_assert_int_eq(
			frame_scan(&scanner, (struct slice){ 0 }, &consumed, NULL), 0);
		ck_assert_uint_eq(consumed, 0);
		ck_assert(frame_is_at_boundary(&scanner));
	}
}
END_TEST

UNIT_MAIN("kube/frame", frame_scan_finds_the_same_boundaries_however_the_stream_is_cut,
	  frame_scan_finds_the_end_of_our_own_events,
	  frame_scan_refuses_what_cannot_be_framed,
	  frame_scan_accepts_lengths_up_to_the_limits,
	  frame_scan_bounds_the_depth_of_cbor, frame_scan_of_nothing_changes_nothing)
