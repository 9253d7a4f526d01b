#include "proxy/kube/status.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/kube/rows.h"

/*
 * The bytes below were served over HTTP to client-go v0.37.2: its typed client
 * (JSON, protobuf), metadata client (JSON, protobuf) and dynamic client (JSON,
 * CBOR) read them, as answers and as watch events, as the Status that was meant:
 * IsConflict, IsResourceExpired, SuggestsClientDelay.
 */
static const struct status conflict = { 409, "Conflict", "bucket \"7\" moves \xc3\xa9",
					0 };
static const struct status expired = { 410, "Expired", "gone", 0 };
static const struct status unavailable = { 503, "ServiceUnavailable", "not ready",
					   70000 };

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

static void check_written(const char *row, const struct buf *out, struct slice bytes)
{
	ck_assert_msg(out->len == bytes.len, "%s: %zu bytes, not %zu", row, out->len,
		      bytes.len);
	for (size_t i = 0; i < bytes.len; i++)
		ck_assert_msg(out->data[i] == bytes.data[i],
			      "%s: byte %zu is %02x, not %02x", row, i,
			      (unsigned char)out->data[i],
			      (unsigned char)bytes.data[i]);
}

START_TEST(status_write_writes_what_client_go_reads)
{
	static const struct {
		const char *name;
		enum kube_encoding encoding;
		const struct status *status;
		struct slice bytes;
	} rows[] = {
		{ "JSON", KUBE_JSON, &conflict,
		  BYTES("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
			"\"status\":\"Failure\",\"message\":\"bucket \\\"7\\\" moves "
			"\xc3\xa9\",\"reason\":\"Conflict\",\"code\":409}") },
		{ "JSON with a delay", KUBE_JSON, &unavailable,
		  BYTES("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
			"\"status\":\"Failure\",\"message\":\"not ready\","
			"\"reason\":\"ServiceUnavailable\","
			"\"details\":{\"retryAfterSeconds\":70000},\"code\":503}") },
		{ "protobuf", KUBE_PROTOBUF, &expired,
		  BYTES("\x6b\x38\x73\x00\x0a\x0c\x0a\x02\x76\x31\x12\x06\x53\x74\x61\x74"
			"\x75\x73\x12\x1d\x0a\x00\x12\x07\x46\x61\x69\x6c\x75\x72\x65\x1a"
			"\x04\x67\x6f\x6e\x65\x22\x07\x45\x78\x70\x69\x72\x65\x64\x30\x9a"
			"\x03") },
		{ "protobuf with a delay", KUBE_PROTOBUF, &unavailable,
		  BYTES("\x6b\x38\x73\x00\x0a\x0c\x0a\x02\x76\x31\x12\x06\x53\x74\x61\x74"
			"\x75\x73\x12\x33\x0a\x00\x12\x07\x46\x61\x69\x6c\x75\x72\x65\x1a"
			"\x09\x6e\x6f\x74\x20\x72\x65\x61\x64\x79\x22\x12\x53\x65\x72\x76"
			"\x69\x63\x65\x55\x6e\x61\x76\x61\x69\x6c\x61\x62\x6c\x65\x2a\x04"
			"\x28\xf0\xa2\x04\x30\xf7\x03") },
		{ "CBOR", KUBE_CBOR, &expired,
		  BYTES("\xd9\xd9\xf7\xa7\x44\x6b\x69\x6e\x64\x46\x53\x74\x61\x74\x75\x73"
			"\x4a\x61\x70\x69\x56\x65\x72\x73\x69\x6f\x6e\x42\x76\x31\x46\x73"
			"\x74\x61\x74\x75\x73\x47\x46\x61\x69\x6c\x75\x72\x65\x47\x6d\x65"
			"\x73\x73\x61\x67\x65\x44\x67\x6f\x6e\x65\x46\x72\x65\x61\x73\x6f"
			"\x6e\x47\x45\x78\x70\x69\x72\x65\x64\x48\x6d\x65\x74\x61\x64\x61"
			"\x74\x61\xa0\x44\x63\x6f\x64\x65\x19\x01\x9a") },
		{ "CBOR with a delay", KUBE_CBOR, &unavailable,
		  BYTES("\xd9\xd9\xf7\xa8\x44\x6b\x69\x6e\x64\x46\x53\x74\x61\x74\x75\x73"
			"\x4a\x61\x70\x69\x56\x65\x72\x73\x69\x6f\x6e\x42\x76\x31\x46\x73"
			"\x74\x61\x74\x75\x73\x47\x46\x61\x69\x6c\x75\x72\x65\x47\x6d\x65"
			"\x73\x73\x61\x67\x65\x49\x6e\x6f\x74\x20\x72\x65\x61\x64\x79\x46"
			"\x72\x65\x61\x73\x6f\x6e\x52\x53\x65\x72\x76\x69\x63\x65\x55\x6e"
			"\x61\x76\x61\x69\x6c\x61\x62\x6c\x65\x48\x6d\x65\x74\x61\x64\x61"
			"\x74\x61\xa0\x44\x63\x6f\x64\x65\x19\x01\xf7\x47\x64\x65\x74\x61"
			"\x69\x6c\x73\xa1\x51\x72\x65\x74\x72\x79\x41\x66\x74\x65\x72\x53"
			"\x65\x63\x6f\x6e\x64\x73\x1a\x00\x01\x11\x70") },
		{ "JSON where we read but do not write", KUBE_YAML, &expired,
		  BYTES("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},"
			"\"status\":\"Failure\",\"message\":\"gone\","
			"\"reason\":\"Expired\",\"code\":410}") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf out;

		buf_init(&out, 1000);
		ck_row(rows[i].name,
		       status_write(&out, rows[i].encoding, rows[i].status) == 0);
		check_written(rows[i].name, &out, rows[i].bytes);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(status_write_event_writes_one_frame_that_client_go_reads)
{
	static const struct {
		const char *name;
		enum kube_encoding encoding;
		struct slice bytes;
	} rows[] = {
		{ "JSON", KUBE_JSON,
		  BYTES("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\","
			"\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","
			"\"message\":\"gone\",\"reason\":\"Expired\",\"code\":410}}\n") },
		{ "protobuf: the event has no envelope, its object has", KUBE_PROTOBUF,
		  BYTES("\x00\x00\x00\x3c\x0a\x05\x45\x52\x52\x4f\x52\x12\x33\x0a\x31\x6b"
			"\x38\x73\x00\x0a\x0c\x0a\x02\x76\x31\x12\x06\x53\x74\x61\x74\x75"
			"\x73\x12\x1d\x0a\x00\x12\x07\x46\x61\x69\x6c\x75\x72\x65\x1a\x04"
			"\x67\x6f\x6e\x65\x22\x07\x45\x78\x70\x69\x72\x65\x64\x30\x9a\x03") },
		{ "CBOR", KUBE_CBOR,
		  BYTES("\xd9\xd9\xf7\xa2\x44\x74\x79\x70\x65\x45\x45\x52\x52\x4f\x52\x46"
			"\x6f\x62\x6a\x65\x63\x74\xd9\xd9\xf7\xa7\x44\x6b\x69\x6e\x64\x46"
			"\x53\x74\x61\x74\x75\x73\x4a\x61\x70\x69\x56\x65\x72\x73\x69\x6f"
			"\x6e\x42\x76\x31\x46\x73\x74\x61\x74\x75\x73\x47\x46\x61\x69\x6c"
			"\x75\x72\x65\x47\x6d\x65\x73\x73\x61\x67\x65\x44\x67\x6f\x6e\x65"
			"\x46\x72\x65\x61\x73\x6f\x6e\x47\x45\x78\x70\x69\x72\x65\x64\x48"
			"\x6d\x65\x74\x61\x64\x61\x74\x61\xa0\x44\x63\x6f\x64\x65\x19\x01"
			"\x9a") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct buf out;

		buf_init(&out, 1000);
		ck_row(rows[i].name,
		       status_write_event(&out, rows[i].encoding, &expired) == 0);
		check_written(rows[i].name, &out, rows[i].bytes);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(status_write_heads_cbor_texts_of_every_length)
{
	static const struct {
		size_t len;
		struct slice head;
	} rows[] = {
		{ 0, BYTES("\x40") },
		{ 23, BYTES("\x57") },
		{ 24, BYTES("\x58\x18") },
		{ 255, BYTES("\x58\xff") },
		{ 256, BYTES("\x59\x01\x00") },
		{ 65535, BYTES("\x59\xff\xff") },
		{ 65536, BYTES("\x5a\x00\x01\x00\x00") },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char *message = calloc(1, rows[i].len + 1);
		struct status status = { 500, "InternalError", message, 0 };
		struct slice before = SLICE_LITERAL("Gmessage");
		struct buf out;
		const char *at;

		memset(message, 'x', rows[i].len);
		buf_init(&out, 1 << 20);
		ck_assert_int_eq(status_write(&out, KUBE_CBOR, &status), 0);
		at = memmem(out.data, out.len, before.data, before.len);
		ck_assert_ptr_nonnull(at);
		at += before.len;
		ck_assert(slice_eq(slice_make(at, rows[i].head.len), rows[i].head));
		ck_assert(slice_eq(slice_make(at + rows[i].head.len, rows[i].len),
				   slice_of(message)));
		ck_assert_int_eq(at[rows[i].head.len + rows[i].len], 'F');
		buf_finish(&out);
		free(message);
	}
}
END_TEST

START_TEST(status_write_changes_nothing_when_there_is_no_room)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF,
							KUBE_CBOR };

	for (size_t i = 0; i < ROWS(encodings); i++) {
		struct buf whole;

		buf_init(&whole, 1000);
		ck_assert_int_eq(status_write_event(&whole, encodings[i], &unavailable),
				 0);
		for (size_t cap = 1; cap <= whole.len; cap++) {
			struct buf out;

			buf_init(&out, cap);
			buf_append_text(&out, "x");
			ck_assert_int_eq(
				status_write_event(&out, encodings[i], &unavailable),
				-EMSGSIZE);
			ck_assert_slice(buf_slice(&out), "x");
			buf_finish(&out);
		}
		buf_finish(&whole);
	}
}
END_TEST

START_TEST(status_phrase_names_the_codes_that_we_send)
{
	ck_assert_str_eq(status_phrase(200), "OK");
	ck_assert_str_eq(status_phrase(409), "Conflict");
	ck_assert_str_eq(status_phrase(410), "Gone");
	ck_assert_str_eq(status_phrase(503), "Service Unavailable");
	ck_assert_str_eq(status_phrase(799), "Unknown");
	ck_assert_str_eq(status_phrase(-1), "Unknown");
}
END_TEST

UNIT_MAIN("kube/status", status_write_writes_what_client_go_reads,
	  status_write_event_writes_one_frame_that_client_go_reads,
	  status_write_heads_cbor_texts_of_every_length,
	  status_write_changes_nothing_when_there_is_no_room,
	  status_phrase_names_the_codes_that_we_send)
