/*
 * The protobuf wire format, read and written without a schema compiler: we need
 * five messages of Kubernetes' and their fields are pinned by the API's
 * compatibility rules.
 */
#ifndef RINGSIDE_KUBE_PB_H
#define RINGSIDE_KUBE_PB_H

#include "proxy/base/buf.h"

/* A reader over the fields of one message; borrows its bytes. */
struct pb_reader {
	struct slice rest;
	bool is_broken; /* stays true once the input made no sense */
};

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_field {
	uint32_t number;
	enum pb_wire wire;
	uint64_t value;     /* of a varint or fixed field */
	struct slice bytes; /* of PB_BYTES */
};

/* The next field; false at the end or when broken (see is_broken). */
bool pb_next(struct pb_reader *reader, struct pb_field *out);

/* Appends one field. 0 or -EMSGSIZE. */
int pb_write_varint(struct buf *out, uint32_t number, uint64_t value);
int pb_write_bytes(struct buf *out, uint32_t number, struct slice bytes);

/*
 * The object inside Kubernetes' envelope: checks the magic "k8s\0" and reads
 * runtime.Unknown. Outputs may be NULL. -EINVAL if it is no such envelope.
 */
int pb_open_envelope(struct slice body, struct slice *api_version, struct slice *kind,
		     struct slice *raw);

/* Appends magic and runtime.Unknown around raw. 0 or -EMSGSIZE. */
int pb_write_envelope(struct buf *out, const char *api_version, const char *kind,
		      struct slice raw);

#endif
