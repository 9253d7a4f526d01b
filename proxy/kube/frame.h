/*
 * The boundaries of the frames of a watch stream, in each encoding that
 * kube-apiserver streams: JSON objects ended by a newline, protobuf messages
 * behind a 4-byte big-endian length, CBOR data items one after another (RFC
 * 8742). It finds boundaries and nothing else; bytes are relayed as they came.
 * A length beyond reason (protobuf 256 MiB, CBOR 64 MiB) ends the framing.
 * However the stream is cut into chunks, the boundaries are the same.
 */
#ifndef RINGSIDE_KUBE_FRAME_H
#define RINGSIDE_KUBE_FRAME_H

#include "proxy/base/err.h"
#include "proxy/kube/encoding.h"

#define FRAME_CBOR_DEPTH_MAX 64

struct frame_scanner {
	enum kube_encoding encoding;
	bool is_inside; /* a frame has begun and not ended */
	/* protobuf: length bytes seen, bytes of the frame still to come. */
	unsigned head_bytes;
	uint64_t remaining;
	/* CBOR: items still to come on each level; UINT64_MAX is "until break". */
	uint64_t items[FRAME_CBOR_DEPTH_MAX];
	unsigned depth;
	unsigned argument_bytes; /* of the head being read */
	uint8_t initial;         /* its first byte */
};

void frame_init(struct frame_scanner *scanner, enum kube_encoding encoding);

/*
 * Reads bytes up to the end of the current frame, or all of them: *consumed
 * says how many. Returns 1 when a frame ended there, 0 when more bytes are
 * needed, -EINVAL when the stream cannot be framed (err says why).
 */
int frame_scan(struct frame_scanner *scanner, struct slice bytes, size_t *consumed,
	       struct err *err);

/* Between two frames: the stream may end here. */
bool frame_is_at_boundary(const struct frame_scanner *scanner);

#endif
