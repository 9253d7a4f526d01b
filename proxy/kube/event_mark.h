/*
 * A frame of a watch whose object is told to be on its way out: it is given a
 * metadata.deletionTimestamp, unless it has one. What was there stays, byte by byte,
 * but for the lengths that protobuf writes before what has grown.
 */
#ifndef RINGSIDE_KUBE_EVENT_MARK_H
#define RINGSIDE_KUBE_EVENT_MARK_H

#include "proxy/base/buf.h"
#include "proxy/kube/encoding.h"

/*
 * Appends the frame, which is whole, so marked. JSON or protobuf; at_s: seconds since
 * 1970. 0, -EMSGSIZE, or -EINVAL: it has no object with metadata; out is unchanged
 * then.
 */
int event_write_marked(struct buf *out, enum kube_encoding encoding, struct slice frame,
		       int64_t at_s);

#endif
