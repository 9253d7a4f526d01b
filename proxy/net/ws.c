#include "proxy/net/ws.h"

#define FINAL 0x80u
#define RESERVED 0x70u
#define OPCODE 0x0fu
#define MASKED 0x80u
#define LENGTH 0x7fu
#define LENGTH_16 126
#define LENGTH_64 127
#define MASK_BYTES 4

void ws_reader_init(struct ws_reader *reader)
{
	*reader = (struct ws_reader){ .code = WS_CODE_NORMAL };
}

static enum ws_opcode opcode_of(const struct ws_reader *reader)
{
	return (enum ws_opcode)(reader->head[0] & OPCODE);
}

static bool is_control(enum ws_opcode opcode)
{
	return opcode >= WS_CLOSE;
}

static unsigned length_bytes(const struct ws_reader *reader)
{
	switch (reader->head[1] & LENGTH) {
	case LENGTH_16:
		return 2;
	case LENGTH_64:
		return 8;
	default:
		return 0;
	}
}

static enum ws_told fail(struct ws_reader *reader, enum ws_code code)
{
	reader->code = code;
	return WS_TOLD_CLOSE;
}

/* The first two bytes: whether a client may send such a frame now. */
static bool is_allowed(const struct ws_reader *reader)
{
	bool is_final = reader->head[0] & FINAL;

	if ((reader->head[0] & RESERVED) || !(reader->head[1] & MASKED))
		return false;
	switch (opcode_of(reader)) {
	case WS_CONTINUATION:
		return reader->is_inside;
	case WS_TEXT:
	case WS_BINARY:
		return !reader->is_inside;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return is_final && (reader->head[1] & LENGTH) <= WS_CONTROL_BYTES_MAX;
	}
	return false;
}

/* Says of the payload's length that it is told in as few bytes as it can be. */
static bool read_length(struct ws_reader *reader)
{
	unsigned n = length_bytes(reader);
	uint64_t length = 0;

	for (unsigned i = 0; i < n; i++)
		length = length << 8 | reader->head[2 + i];
	reader->remaining = n > 0 ? length : reader->head[1] & LENGTH;
	if (n == 2)
		return length >= LENGTH_16;
	return n == 0 || (length > UINT16_MAX && length >> 63 == 0);
}

/* The head is complete. */
static enum ws_told take_head(struct ws_reader *reader)
{
	enum ws_opcode opcode = opcode_of(reader);

	if (!read_length(reader))
		return fail(reader, WS_CODE_PROTOCOL_ERROR);
	reader->has_head = true;
	reader->at = 0;
	if (is_control(opcode)) {
		reader->payload_n = 0;
		return WS_TOLD_NOTHING;
	}
	if (opcode != WS_CONTINUATION)
		reader->message_bytes = 0;
	if (reader->remaining > WS_MESSAGE_BYTES_MAX - reader->message_bytes)
		return fail(reader, WS_CODE_TOO_BIG);
	reader->message_bytes += reader->remaining;
	reader->is_inside = !(reader->head[0] & FINAL);
	return WS_TOLD_NOTHING;
}

static enum ws_told read_head(struct ws_reader *reader, struct slice bytes, size_t *at)
{
	enum ws_told told = WS_TOLD_NOTHING;

	while (*at < bytes.len && !reader->has_head && told == WS_TOLD_NOTHING) {
		reader->head[reader->head_n++] = (unsigned char)bytes.data[(*at)++];
		if (reader->head_n == 2 && !is_allowed(reader))
			told = fail(reader, WS_CODE_PROTOCOL_ERROR);
		else if (reader->head_n >= 2 &&
			 reader->head_n == 2 + length_bytes(reader) + MASK_BYTES)
			told = take_head(reader);
	}
	return told;
}

/* Kept of control frames alone. */
static void read_payload(struct ws_reader *reader, struct slice bytes, size_t *at)
{
	const unsigned char *mask = reader->head + reader->head_n - MASK_BYTES;
	size_t n = bytes.len - *at;

	if (n > reader->remaining)
		n = reader->remaining;
	if (is_control(opcode_of(reader)))
		for (size_t i = 0; i < n; i++)
			reader->payload[reader->payload_n++] =
				(char)(bytes.data[*at + i] ^
				       mask[(reader->at + i) % MASK_BYTES]);
	*at += n;
	reader->at += n;
	reader->remaining -= n;
}

static bool may_be_sent(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

/* A Close is answered with what it says. */
static enum ws_told take_close(struct ws_reader *reader)
{
	unsigned code;

	if (reader->payload_n == 0)
		return fail(reader, WS_CODE_NONE);
	if (reader->payload_n == 1)
		return fail(reader, WS_CODE_PROTOCOL_ERROR);
	code = (unsigned)(unsigned char)reader->payload[0] << 8 |
	       (unsigned char)reader->payload[1];
	return fail(reader,
		    may_be_sent(code) ? (enum ws_code)code : WS_CODE_PROTOCOL_ERROR);
}

static enum ws_told end_frame(struct ws_reader *reader)
{
	enum ws_opcode opcode = opcode_of(reader);

	reader->has_head = false;
	reader->head_n = 0;
	if (opcode == WS_CLOSE)
		return take_close(reader);
	return opcode == WS_PING ? WS_TOLD_PING : WS_TOLD_NOTHING;
}

enum ws_told ws_read(struct ws_reader *reader, struct slice bytes, size_t *consumed)
{
	enum ws_told told = WS_TOLD_NOTHING;
	size_t at = 0;

	while (at < bytes.len && told == WS_TOLD_NOTHING) {
		told = read_head(reader, bytes, &at);
		if (!reader->has_head || told != WS_TOLD_NOTHING)
			continue;
		read_payload(reader, bytes, &at);
		if (reader->remaining == 0)
			told = end_frame(reader);
	}
	*consumed = at;
	return told;
}

int ws_write_head(struct buf *out, enum ws_opcode opcode, uint64_t payload_bytes)
{
	unsigned char head[WS_HEAD_BYTES_MAX] = { FINAL | opcode };
	unsigned n = 0;

	if (payload_bytes > UINT16_MAX)
		n = 8;
	else if (payload_bytes >= LENGTH_16)
		n = 2;
	head[1] = n == 8   ? LENGTH_64
		  : n == 2 ? LENGTH_16
			   : (unsigned char)payload_bytes;
	for (unsigned i = 0; i < n; i++)
		head[2 + i] = (unsigned char)(payload_bytes >> 8 * (n - 1 - i));
	return buf_append(out, slice_make((const char *)head, 2 + n));
}

int ws_write(struct buf *out, enum ws_opcode opcode, struct slice payload)
{
	size_t was = out->len;
	int rc = ws_write_head(out, opcode, payload.len);

	if (rc == 0)
		rc = buf_append(out, payload);
	if (rc != 0)
		out->len = was;
	return rc;
}

int ws_write_close(struct buf *out, enum ws_code code)
{
	const char bytes[2] = { (char)((unsigned)code >> 8), (char)((unsigned)code) };

	return ws_write(out, WS_CLOSE, slice_make(bytes, code == WS_CODE_NONE ? 0 : 2));
}
