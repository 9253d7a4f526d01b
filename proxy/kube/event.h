/*
 * Frames of a watch, made of the items of lists, and read: metav1.WatchEvent in
 * JSON (a line) and protobuf (behind its length; only the object in it has an
 * envelope, k8s.io/apimachinery runtime/serializer/protobuf, NewRawSerializer).
 */
#ifndef RINGSIDE_KUBE_EVENT_H
#define RINGSIDE_KUBE_EVENT_H

#include "proxy/kube/list.h"
#include "proxy/kube/meta.h"

struct event_item {
	enum watch_event_type type;
	struct slice object; /* as it stands in the list */
	/* Of the object; items of typed JSON lists and of protobuf say none. */
	const char *kind;
	const char *api_version;
	const char *version; /* replaces metadata.resourceVersion; NULL: it stays */
};

/*
 * Appends the frame; JSON or protobuf. 0, -EMSGSIZE, or -EINVAL: the object has no
 * metadata, or no kind is known. out is unchanged then.
 */
int event_write_item(struct buf *out, enum kube_encoding encoding,
		     const struct event_item *item);

/* Appends a BOOKMARK at that version. 0 or -EMSGSIZE. */
int event_write_bookmark(struct buf *out, enum kube_encoding encoding,
			 const struct event_item *of);

/*
 * What a whole frame is, and the bytes of its object, with the envelope that protobuf
 * has. -EINVAL: it is no event.
 */
int event_open(enum kube_encoding encoding, struct slice frame,
	       enum watch_event_type *type, struct slice *object);

/* "namespace/name": of a DNS label and a DNS subdomain, and room for other names. */
#define EVENT_OBJECT_BYTES 512

struct event_head {
	enum watch_event_type type;
	uint64_t version;                /* of the object; 0 of an ERROR */
	char object[EVENT_OBJECT_BYTES]; /* "namespace/name"; "" of an ERROR */
	bool has_label;
	char label[64]; /* its value; longer ones are no labels, and "" here */
};

/*
 * Reads one whole frame, its boundary included. label: the key whose value is
 * wanted. -EINVAL when it is no event, its version is no number, or its name is longer
 * than names are.
 */
int event_read(struct event_head *out, enum kube_encoding encoding, struct slice frame,
	       struct slice label, struct err *err);

#endif
