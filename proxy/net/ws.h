/*
 * The frames of WebSocket (RFC 6455), of version 13 and without extensions, as a
 * server sees them. Pure: bytes in, values out.
 *
 * Who watches has nothing to say. What a client sends is read for its pings and its
 * close; messages are passed over without being gathered, as long as they are shorter
 * than kube-apiserver's own bound. However the bytes are cut into chunks, the same is
 * told.
 */
#ifndef RINGSIDE_NET_WS_H
#define RINGSIDE_NET_WS_H

#include "proxy/base/buf.h"

/* golang.org/x/net/websocket, DefaultMaxPayloadBytes. */
#define WS_MESSAGE_BYTES_MAX (32u << 20)
#define WS_CONTROL_BYTES_MAX 125
/* The longest head of a frame that a server sends. */
#define WS_HEAD_BYTES_MAX 10

enum ws_opcode {
	WS_CONTINUATION = 0x0,
	WS_TEXT = 0x1,
	WS_BINARY = 0x2,
	WS_CLOSE = 0x8,
	WS_PING = 0x9,
	WS_PONG = 0xa,
};

/* RFC 6455, 7.4.1. */
enum ws_code {
	WS_CODE_NORMAL = 1000,
	WS_CODE_PROTOCOL_ERROR = 1002,
	WS_CODE_NONE = 1005, /* a Close that says none; never sent */
	WS_CODE_TOO_BIG = 1009,
};

enum ws_told {
	WS_TOLD_NOTHING, /* all bytes were read */
	WS_TOLD_PING,    /* answer with a Pong of the same payload */
	WS_TOLD_CLOSE,   /* answer with a Close of `code`; nothing more is to be read */
};

struct ws_reader {
	enum ws_code code; /* of WS_TOLD_CLOSE */
	/* Of WS_TOLD_PING. */
	char payload[WS_CONTROL_BYTES_MAX];
	size_t payload_n;

	/* Its own: the frame under way. */
	unsigned char head[14];
	unsigned head_n;
	bool has_head;
	uint64_t remaining; /* of its payload */
	uint64_t at;        /* bytes of it that were read */
	/* The message under way. */
	bool is_inside;
	uint64_t message_bytes;
};

/* Before the first byte: all zero. */
void ws_reader_init(struct ws_reader *reader);

/* Reads up to what is to be told, or all; *consumed says how many bytes. */
enum ws_told ws_read(struct ws_reader *reader, struct slice bytes, size_t *consumed);

/* Appends a frame that is a whole message, or a control frame. 0 or -EMSGSIZE. */
int ws_write(struct buf *out, enum ws_opcode opcode, struct slice payload);

/* The head of one alone: so many bytes of payload follow. */
int ws_write_head(struct buf *out, enum ws_opcode opcode, uint64_t payload_bytes);

int ws_write_close(struct buf *out, enum ws_code code);

#endif
