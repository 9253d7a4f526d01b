/*
 * The frames of a watch as WebSocket's messages, one for each event, as kube-apiserver
 * sends them (k8s.io/apiserver, endpoints/handlers/watch.go): JSON in text messages,
 * protobuf without its length and CBOR in binary ones. Pure.
 *
 * A message's length stands before it, and clients there are that take a part of a
 * message for a whole one (golang.org/x/net/websocket): so an event is gathered until
 * it is whole. Memory: one event. However the bytes are cut, the messages are the same.
 */
#ifndef RINGSIDE_NET_WS_MESSAGES_H
#define RINGSIDE_NET_WS_MESSAGES_H

#include "proxy/kube/frame.h"
#include "proxy/net/ws.h"

/* Of one event: more than etcd takes of an object, in any encoding. */
#define WS_EVENT_BYTES_MAX ((16u << 20) + (64u << 10))

struct ws_messages {
	struct frame_scanner scanner;
	struct buf frame; /* the event under way, as far as it has come */
};

void ws_messages_init(struct ws_messages *messages, enum kube_encoding encoding);
void ws_messages_finish(struct ws_messages *messages);

/*
 * Appends what became whole to out. 0; -EINVAL: these are no frames; -EMSGSIZE: an
 * event is larger than events are, or out is full. Not to be used then any more.
 */
int ws_messages_take(struct ws_messages *messages, struct slice bytes, struct buf *out);

/* Between two events. */
bool ws_messages_are_whole(const struct ws_messages *messages);

#endif
