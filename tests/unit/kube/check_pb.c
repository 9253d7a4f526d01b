#include "proxy/kube/pb.h"

#include <errno.h>

#include "tests/unit/kube/rows.h"

#define BYTES(text) slice_make(text, sizeof(text) - 1)

START_TEST(pb_next_reads_fields_of_every_wire_type)
{
	struct pb_reader reader = { .rest = BYTES("\x08\x96\x01"
						  "\x12\x02hi"
						  "\x1d\x01\x02\x03\x04"
						  "\x21\x01\x00\x00\x00\x00\x00\x00\x80"
						  "\x82\x01\x00") };
	struct pb_field field;

	ck_assert(pb_next(&reader, &field));
	ck_assert(field.number == 1 && field.wire == PB_VARINT && field.value == 150);
	ck_assert(pb_next(&reader, &field));
	ck_assert(field.number == 2 && field.wire == PB_BYTES);
	ck_assert_slice(field.bytes, "hi");
	ck_assert(pb_next(&reader, &field));
	ck_assert(field.number == 3 && field.wire == PB_FIXED32);
	ck_assert_uint_eq(field.value, 0x04030201);
	ck_assert(pb_next(&reader, &field));
	ck_assert(field.number == 4 && field.wire == PB_FIXED64);
	ck_assert_uint_eq(field.value, 0x8000000000000001u);
	ck_assert(pb_next(&reader, &field));
	ck_assert(field.number == 16 && field.wire == PB_BYTES && field.bytes.len == 0);
	ck_assert(!pb_next(&reader, &field));
	ck_assert(!reader.is_broken);
}
END_TEST

START_TEST(pb_next_stays_broken_once_the_input_made_no_sense)
{
	static const struct {
		const char *name;
		struct slice bytes;
	} rows[] = {
		{ "tag without value", { "\x08", 1 } },
		{ "varint that does not end", { "\x08\x80", 2 } },
		{ "varint of eleven bytes",
		  { "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12 } },
		{ "length beyond the end", { "\x12\x03hi", 4 } },
		{ "length near 2^64",
		  { "\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01hi", 13 } },
		{ "short fixed32", { "\x1d\x01\x02\x03", 4 } },
		{ "short fixed64", { "\x21\x01\x02\x03\x04", 5 } },
		{ "field zero", { "\x02\x00", 2 } },
		{ "group", { "\x0b\x0c", 2 } },
		{ "wire type 7", { "\x0f\x00\x00", 3 } },
		{ "field number above 2^29", { "\x82\x80\x80\x80\x10\x00", 6 } },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct pb_reader reader = { .rest = rows[i].bytes };
		struct pb_field field = { .number = 77 };

		ck_row(rows[i].name, !pb_next(&reader, &field));
		ck_row(rows[i].name, reader.is_broken);
		ck_row(rows[i].name, field.number == 77);
		reader.rest = BYTES("\x08\x01");
		ck_row(rows[i].name, !pb_next(&reader, &field));
	}
}
END_TEST

START_TEST(pb_write_writes_what_pb_next_reads)
{
	static const uint64_t values[] = {
		0, 1, 127, 128, 300, 1ull << 35, UINT64_MAX
	};
	struct pb_field field;
	struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < ROWS(values); i++)
		ck_assert_int_eq(pb_write_varint(&out, (uint32_t)i + 14, values[i]), 0);
	ck_assert_int_eq(pb_write_bytes(&out, 536870911, BYTES("a\0b")), 0);

	struct pb_reader reader = { .rest = buf_slice(&out) };

	for (size_t i = 0; i < ROWS(values); i++) {
		ck_assert(pb_next(&reader, &field));
		ck_assert_uint_eq(field.number, i + 14);
		ck_assert_uint_eq(field.value, values[i]);
	}
	ck_assert(pb_next(&reader, &field));
	ck_assert_uint_eq(field.number, 536870911);
	ck_assert(slice_eq(field.bytes, BYTES("a\0b")));
	ck_assert(!pb_next(&reader, &field) && !reader.is_broken);
	buf_finish(&out);
}
END_TEST

START_TEST(pb_write_changes_nothing_when_there_is_no_room)
{
	for (size_t cap = 1; cap <= 31; cap++) {
		struct buf out;

		buf_init(&out, cap);
		buf_append_text(&out, "x");
		ck_assert_int_eq(
			pb_write_envelope(&out, "v1", "Status", BYTES("0123456789")),
			cap < 31 ? -EMSGSIZE : 0);
		ck_assert(cap == 31 || out.len == 1);
		buf_finish(&out);
		buf_init(&out, cap);
		ck_assert_int_eq(pb_write_bytes(&out, 1, BYTES("0123456789")),
				 cap < 12 ? -EMSGSIZE : 0);
		ck_assert(cap >= 12 || out.len == 0);
		buf_finish(&out);
	}
}
END_TEST

START_TEST(pb_open_envelope_finds_what_pb_write_envelope_wrapped)
{
	struct slice api_version, kind, raw;
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(pb_write_envelope(&out, "apps/v1", "Deployment", BYTES("raw")),
			 0);
	ck_assert_int_eq(pb_open_envelope(buf_slice(&out), &api_version, &kind, &raw),
			 0);
	ck_assert_slice(api_version, "apps/v1");
	ck_assert_slice(kind, "Deployment");
	ck_assert_slice(raw, "raw");
	ck_assert_int_eq(pb_open_envelope(buf_slice(&out), NULL, NULL, NULL), 0);
	buf_finish(&out);
}
END_TEST

START_TEST(pb_open_envelope_refuses_what_is_no_envelope)
{
	static const struct {
		const char *name;
		struct slice bytes;
	} rows[] = {
		{ "empty", { NULL, 0 } },
		{ "magic cut short", { "k8s", 3 } },
		{ "magic alone", { "k8s\0", 4 } },
		{ "other magic", { "k8t\0\x12\x01x", 7 } },
		{ "JSON", { "{\"kind\":\"Pod\"}", 14 } },
		{ "raw is a number", { "k8s\0\x10\x01", 6 } },
		{ "type is a number", { "k8s\0\x08\x01", 6 } },
		{ "apiVersion is a number", { "k8s\0\x0a\x02\x08\x01", 8 } },
		{ "kind is a number", { "k8s\0\x0a\x02\x10\x01", 8 } },
		{ "type is broken", { "k8s\0\x0a\x01\x0a", 7 } },
		{ "raw cut short", { "k8s\0\x12\x05x", 7 } },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct slice raw = BYTES("unchanged");

		ck_row(rows[i].name,
		       pb_open_envelope(rows[i].bytes, NULL, NULL, &raw) == -EINVAL);
		ck_row_slice(rows[i].name, raw, "unchanged");
	}
}
END_TEST

UNIT_MAIN("kube/pb", pb_next_reads_fields_of_every_wire_type,
	  pb_next_stays_broken_once_the_input_made_no_sense,
	  pb_write_writes_what_pb_next_reads,
	  pb_write_changes_nothing_when_there_is_no_room,
	  pb_open_envelope_finds_what_pb_write_envelope_wrapped,
	  pb_open_envelope_refuses_what_is_no_envelope)
