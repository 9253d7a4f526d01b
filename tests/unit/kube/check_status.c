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
		  BYTES("k8s\x00\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x1d\x0a"
			"\x00\x12\x07"
			"Failure\x1a\x04gone\"\x07"
			"Expired0"
			"\x9a\x03") },
		{ "protobuf with a delay", KUBE_PROTOBUF, &unavailable,
		  BYTES("k8s\x00\x0a\x0c\x0a\x02v1\x12\x06Status\x12"
			"3\x0a"
			"\x00\x12\x07"
			"Failure\x1a\x09not ready\"\x12Service"
			"Unavailable*\x04(\xf0\xa2\x04"
			"0\xf7\x03") },
		{ "CBOR", KUBE_CBOR, &expired,
		  BYTES("\xd9\xd9\xf7\xa7"
			"DkindFStatusJapiVersionBv1Fstatus"
			"GFailureGmessageDgoneFreasonGExpiredHmetadata\xa0"
			"Dcode\x19\x01\x9a") },
		{ "CBOR with a delay", KUBE_CBOR, &unavailable,
		  BYTES("\xd9\xd9\xf7\xa8"
			"DkindFStatusJapiVersionBv1Fstatus"
			"GFailureGmessageInot readyFreasonRServiceUnavailable"
			"Hmetadata\xa0"
			"Dcode\x19\x01\xf7Gdetails\xa1QretryA"
			"fterSeconds\x1a\x00\x01\x11p") },
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
			"\"message\":\"gone\",\"reason\":\"Expired\","
			"\"code\":410}}\n") },
		{ "protobuf: the event has no envelope, its object has", KUBE_PROTOBUF,
		  BYTES("\x00\x00\x00<\x0a\x05"
			"ERROR\x12"
			"3\x0a"
			"1k8s\x00"
			"\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x1d\x0a\x00\x12"
			"\x07"
			"Failure\x1a\x04gone\"\x07"
			"Expired0\x9a\x03") },
		{ "CBOR", KUBE_CBOR,
		  BYTES("\xd9\xd9\xf7\xa2"
			"DtypeEERRORFobject\xd9\xd9\xf7"
			"\xa7"
			"DkindFStatusJapiVersionBv1FstatusGFailureGmes"
			"sageDgoneFreasonGExpiredHmetadata\xa0"
			"Dcode\x19"
			"\x01\x9a") },
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

START_TEST(status_write_event_heads_protobuf_with_all_four_bytes_of_its_length)
{
	size_t len = 0x01020304;
	char *message = calloc(1, len + 1);
	struct status status = { 500, "InternalError", message, 0 };
	uint32_t head = 0;
	struct buf out;

	memset(message, 'x', len);
	buf_init(&out, 1 << 26);
	ck_assert_int_eq(status_write_event(&out, KUBE_PROTOBUF, &status), 0);
	for (size_t i = 0; i < 4; i++)
		head = head << 8 | (unsigned char)out.data[i];
	ck_assert_uint_eq(head, out.len - 4);
	ck_assert_uint_gt(head, len);
	buf_finish(&out);
	free(message);
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
	  status_write_event_heads_protobuf_with_all_four_bytes_of_its_length,
	  status_write_changes_nothing_when_there_is_no_room,
	  status_phrase_names_the_codes_that_we_send)
