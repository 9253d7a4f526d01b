#include "proxy/kube/pb.h"

#include <errno.h>

static const struct slice magic = { "k8s\0", 4 };

/* As in Go's generated code: at most ten bytes, what is above 64 bits is lost. */
static bool read_varint(struct pb_reader *reader, uint64_t *out)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 10 && i < reader->rest.len; i++) {
		uint64_t byte = (unsigned char)reader->rest.data[i];

		value |= (byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			reader->rest = slice_from(reader->rest, i + 1);
			*out = value;
			return true;
		}
	}
	return false;
}

static bool read_fixed(struct pb_reader *reader, size_t bytes, uint64_t *out)
{
	uint64_t value = 0;

	if (reader->rest.len < bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)(unsigned char)reader->rest.data[i] << (8 * i);
	reader->rest = slice_from(reader->rest, bytes);
	*out = value;
	return true;
}

static bool read_bytes(struct pb_reader *reader, struct slice *out)
{
	uint64_t len;

	if (!read_varint(reader, &len) || len > reader->rest.len)
		return false;
	*out = slice_make(reader->rest.data, len);
	reader->rest = slice_from(reader->rest, len);
	return true;
}

/* Groups (wire types 3 and 4) are long dead; Kubernetes has none. */
static bool read_value(struct pb_reader *reader, struct pb_field *field)
{
	switch (field->wire) {
	case PB_VARINT:
		return read_varint(reader, &field->value);
	case PB_FIXED64:
		return read_fixed(reader, 8, &field->value);
	case PB_BYTES:
		return read_bytes(reader, &field->bytes);
	case PB_FIXED32:
		return read_fixed(reader, 4, &field->value);
	}
	return false;
}

bool pb_next(struct pb_reader *reader, struct pb_field *out)
{
	struct pb_field field = { 0 };
	uint64_t tag;

	if (reader->is_broken || reader->rest.len == 0)
		return false;
	reader->is_broken = true;
	if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag >> 32 != 0)
		return false;
	field.number = (uint32_t)(tag >> 3);
	field.wire = tag & 7;
	if (!read_value(reader, &field))
		return false;
	reader->is_broken = false;
	*out = field;
	return true;
}

static int write_varint(struct buf *out, uint64_t value)
{
	char bytes[10];
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[n++] = (char)(value | 0x80);
	bytes[n++] = (char)value;
	return buf_append(out, slice_make(bytes, n));
}

static int write_tag(struct buf *out, uint32_t number, enum pb_wire wire)
{
	return write_varint(out, (uint64_t)number << 3 | wire);
}

int pb_write_varint(struct buf *out, uint32_t number, uint64_t value)
{
	size_t start = out->len;
	int rc = write_tag(out, number, PB_VARINT);

	if (rc == 0)
		rc = write_varint(out, value);
	if (rc < 0)
		out->len = start;
	return rc;
}

int pb_write_bytes(struct buf *out, uint32_t number, struct slice bytes)
{
	size_t start = out->len;
	int rc = write_tag(out, number, PB_BYTES);

	if (rc == 0)
		rc = write_varint(out, bytes.len);
	if (rc == 0)
		rc = buf_append(out, bytes);
	if (rc < 0)
		out->len = start;
	return rc;
}

/* A message of texts in fields 1 and 2, such as runtime.TypeMeta. */
static bool read_type(struct slice bytes, struct slice *api_version, struct slice *kind)
{
	struct pb_reader reader = { .rest = bytes };
	struct pb_field field;

	while (pb_next(&reader, &field)) {
		if (field.number != 1 && field.number != 2)
			continue;
		if (field.wire != PB_BYTES)
			return false;
		*(field.number == 1 ? api_version : kind) = field.bytes;
	}
	return !reader.is_broken;
}

int pb_open_envelope(struct slice body, struct slice *api_version, struct slice *kind,
		     struct slice *raw)
{
	struct slice found_version = { 0 }, found_kind = { 0 }, found_raw = { 0 };
	struct pb_field field;

	if (body.len <= magic.len || !slice_eq(slice_make(body.data, magic.len), magic))
		return -EINVAL;

	struct pb_reader reader = { .rest = slice_from(body, magic.len) };

	while (pb_next(&reader, &field)) {
		if (field.number != 1 && field.number != 2)
			continue;
		if (field.wire != PB_BYTES)
			return -EINVAL;
		if (field.number == 2)
			found_raw = field.bytes;
		else if (!read_type(field.bytes, &found_version, &found_kind))
			return -EINVAL;
	}
	if (reader.is_broken)
		return -EINVAL;
	if (api_version)
		*api_version = found_version;
	if (kind)
		*kind = found_kind;
	if (raw)
		*raw = found_raw;
	return 0;
}

int pb_write_envelope(struct buf *out, const char *api_version, const char *kind,
		      struct slice raw)
{
	size_t start = out->len;
	struct buf type;
	int rc;

	buf_init(&type, strlen(api_version) + strlen(kind) + 32);
	rc = pb_write_bytes(&type, 1, slice_of(api_version));
	if (rc == 0)
		rc = pb_write_bytes(&type, 2, slice_of(kind));
	if (rc == 0)
		rc = buf_append(out, magic);
	if (rc == 0)
		rc = pb_write_bytes(out, 1, buf_slice(&type));
	if (rc == 0)
		rc = pb_write_bytes(out, 2, raw);
	if (rc < 0)
		out->len = start;
	buf_finish(&type);
	return rc;
}
