#include "proxy/net/ws_messages.h"

#include <errno.h>

/* The memory of a frame that was larger is let go. */
#define FRAME_BYTES_KEPT (64u << 10)
#define PROTOBUF_HEAD_BYTES 4

void ws_messages_init(struct ws_messages *messages, enum kube_encoding encoding)
{
	frame_init(&messages->scanner, encoding);
	buf_init(&messages->frame, WS_EVENT_BYTES_MAX);
}

void ws_messages_finish(struct ws_messages *messages)
{
	buf_finish(&messages->frame);
}

bool ws_messages_are_whole(const struct ws_messages *messages)
{
	return frame_is_at_boundary(&messages->scanner);
}

/* One event, whole. */
static int write_event(const struct ws_messages *messages, struct slice frame,
		       struct buf *out)
{
	switch (messages->scanner.encoding) {
	case KUBE_PROTOBUF:
		return ws_write(out, WS_BINARY, slice_from(frame, PROTOBUF_HEAD_BYTES));
	case KUBE_CBOR:
		return ws_write(out, WS_BINARY, frame);
	case KUBE_JSON:
	case KUBE_YAML:
	case KUBE_OTHER:
		break;
	}
	return ws_write(out, WS_TEXT, frame);
}

static int end_frame(struct ws_messages *messages, struct slice last, struct buf *out)
{
	struct buf *frame = &messages->frame;
	int rc;

	if (frame->len == 0)
		return write_event(messages, last, out);
	rc = buf_append(frame, last);
	if (rc == 0)
		rc = write_event(messages, buf_slice(frame), out);
	if (frame->size > FRAME_BYTES_KEPT)
		buf_finish(frame);
	buf_clear(frame);
	return rc;
}

int ws_messages_take(struct ws_messages *messages, struct slice bytes, struct buf *out)
{
	struct err err;
	size_t n;
	int rc = 0;

	while (bytes.len > 0 && rc >= 0) {
		rc = frame_scan(&messages->scanner, bytes, &n, &err);
		if (rc < 0)
			return rc;
		if (rc == 1)
			rc = end_frame(messages, slice_make(bytes.data, n), out);
		else
			rc = buf_append(&messages->frame, slice_make(bytes.data, n));
		bytes = slice_from(bytes, n);
	}
	return rc;
}
