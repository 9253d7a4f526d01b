/*
 * Gives an object another name in the bytes that tell of it: bodies of requests and
 * answers, frames of a watch. Every byte that need not change stays as it was.
 *
 * Looked at, in JSON and protobuf: metadata.name of the object, of the items of a
 * list, of the object in a watch event; in a Status details.name, and the name where
 * the message has it as a word; the cells of a Table (JSON alone) and the objects in
 * its rows. Only values that are `from` change; all else is another object's.
 */
#ifndef RINGSIDE_KUBE_RENAME_H
#define RINGSIDE_KUBE_RENAME_H

#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/kube/encoding.h"

struct rename {
	struct slice from;
	struct slice to;     /* both are names: DNS subdomains */
	bool keeps_messages; /* of a Status */
};

/*
 * Appends the body, or frame (its boundary included), with the other name. JSON (as
 * YAML, too) and protobuf. -EINVAL: it is none; -ENOTSUP: another encoding;
 * -EMSGSIZE: out is full. What out holds then means nothing.
 */
int rename_body(struct buf *out, enum kube_encoding encoding, struct slice body,
		const struct rename *rename, struct err *err);
int rename_frame(struct buf *out, enum kube_encoding encoding, struct slice frame,
		 const struct rename *rename, struct err *err);

/* --- between the files of the module --- */

/* Appends the text; where `from` stands in it as a word of its own, `to`. */
int rename_text(struct buf *out, struct slice text, const struct rename *rename);
int rename_json(struct buf *out, struct slice text, const struct rename *rename);
int rename_pb_body(struct buf *out, struct slice body, const struct rename *rename);
int rename_pb_frame(struct buf *out, struct slice frame, const struct rename *rename);

#endif
