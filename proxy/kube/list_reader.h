/*
 * A list of the API server read as it comes, item by item, so that a list of any
 * size takes the memory of its largest item. JSON and protobuf. Items are handed
 * out as their bytes; whatever the chunks, they are the same.
 *
 * Of typed resources kind and metadata come before the items; of custom resources
 * in JSON they come after them.
 */
#ifndef RINGSIDE_KUBE_LIST_READER_H
#define RINGSIDE_KUBE_LIST_READER_H

#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/kube/encoding.h"
#include "proxy/kube/json_span.h"

/* etcd takes 1.5 MiB; JSON of protobuf may be some times as long. */
#define LIST_ITEM_BYTES_MAX (16u << 20)

struct list_reader {
	enum kube_encoding encoding;
	int place; /* of the encoding's own */
	/* What is gathered: an item, or a part of what is around them. */
	struct buf value;
	bool has_item;

	/* What is known of the list so far; "" before it has come. */
	char kind[128]; /* of the list: "DeploymentList" */
	char api_version[128];
	char version[24];      /* metadata.resourceVersion */
	struct buf next;       /* metadata.continue; empty on the last page */
	struct json_scan scan; /* JSON */
	char key[16];          /* of what is being read */

	/* Protobuf. */
	uint64_t number;   /* a varint that is being read */
	unsigned shift;    /* of its next seven bits */
	uint32_t tag;      /* of the field that is being read */
	uint64_t left;     /* bytes of the field that are to come */
	uint64_t raw_left; /* bytes of the list message that are to come */
};

/* JSON or protobuf. */
void list_reader_init(struct list_reader *reader, enum kube_encoding encoding);
void list_reader_finish(struct list_reader *reader);

/*
 * Reads up to the end of an item, or all of the bytes; *consumed says how many. 1:
 * an item, in list_reader_item until the next call; 0: more bytes are needed, or
 * the list is complete; -EINVAL: it is no list; -EMSGSIZE: an item is too large.
 */
int list_reader_next(struct list_reader *reader, struct slice bytes, size_t *consumed,
		     struct err *err);

struct slice list_reader_item(const struct list_reader *reader);

/* Whether the list has come to its end, well. */
bool list_reader_is_complete(const struct list_reader *reader);

/* --- for the two files of it --- */

int list_json_next(struct list_reader *reader, struct slice bytes, size_t *at,
		   struct err *err);
bool list_json_is_complete(const struct list_reader *reader);
int list_pb_next(struct list_reader *reader, struct slice bytes, size_t *at,
		 struct err *err);
bool list_pb_is_complete(const struct list_reader *reader);

/* Copies text with a NUL into one of the fields above. False: it is too long. */
bool list_reader_copy(char *to, size_t size, struct slice text);

#endif
