#include "proxy/net/ws.h"
#include "proxy/net/ws_messages.h"
#include "tests/fuzz/fuzz.h"

#define OUT_BYTES_MAX (1u << 20)

/* A number for what is told of a client's bytes, and after how many. */
static size_t told_of(struct slice input, size_t chunk)
{
	struct ws_reader reader;
	size_t at = 0, sum = 0, consumed;

	ws_reader_init(&reader);
	while (at < input.len) {
		struct slice rest = slice_from(input, at);
		enum ws_told told;

		if (rest.len > chunk)
			rest.len = chunk;
		told = ws_read(&reader, rest, &consumed);
		FUZZ_ASSERT(consumed > 0 && consumed <= rest.len);
		FUZZ_ASSERT(told != WS_TOLD_NOTHING || consumed == rest.len);
		FUZZ_ASSERT(reader.payload_n <= WS_CONTROL_BYTES_MAX);
		FUZZ_ASSERT(reader.message_bytes <= WS_MESSAGE_BYTES_MAX);
		at += consumed;
		if (told != WS_TOLD_NOTHING)
			sum = sum * 31 + at;
		for (size_t i = 0; told == WS_TOLD_PING && i < reader.payload_n; i++)
			sum = sum * 31 + (unsigned char)reader.payload[i];
		if (told == WS_TOLD_CLOSE)
			return sum * 31 + reader.code;
	}
	return sum;
}

/* What a watch's frames become; false: they are none. */
static bool messages_of(enum kube_encoding encoding, struct slice input, size_t chunk,
			struct buf *out)
{
	struct ws_messages messages;
	int rc = 0;

	buf_clear(out);
	ws_messages_init(&messages, encoding);
	for (size_t at = 0; at < input.len && rc == 0; at += chunk) {
		struct slice part = slice_from(input, at);

		if (part.len > chunk)
			part.len = chunk;
		rc = ws_messages_take(&messages, part, out);
	}
	ws_messages_finish(&messages);
	return rc == 0;
}

/* However the bytes are cut, the same is told, and the messages are the same. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF,
							KUBE_CBOR };
	enum kube_encoding encoding = encodings[fuzz_choice(&input, 3)];
	size_t told = told_of(input, input.len + 1);
	struct buf whole, pieces;
	bool is_framed;

	(void)arena;
	buf_init(&whole, OUT_BYTES_MAX);
	buf_init(&pieces, OUT_BYTES_MAX);
	is_framed = messages_of(encoding, input, input.len + 1, &whole);
	for (size_t chunk = 1; chunk < 8; chunk++) {
		FUZZ_ASSERT(told_of(input, chunk) == told);
		FUZZ_ASSERT(messages_of(encoding, input, chunk, &pieces) == is_framed);
		FUZZ_ASSERT(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
	}
	buf_finish(&whole);
	buf_finish(&pieces);
}
