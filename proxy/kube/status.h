/*
 * metav1.Status: how the Kubernetes API tells failure. Written in the client's
 * encoding, as an answer of its own or as the ERROR event of a watch, so that
 * every client library reads our refusals as it reads the API server's.
 */
#ifndef RINGSIDE_KUBE_STATUS_H
#define RINGSIDE_KUBE_STATUS_H

#include "proxy/base/buf.h"
#include "proxy/kube/encoding.h"

struct status {
	int code;            /* HTTP status code */
	const char *reason;  /* metav1.StatusReason: "Conflict", "Expired" */
	const char *message; /* a sentence for a person */
	int retry_after_s;   /* details.retryAfterSeconds; 0 is none */
};

/*
 * Appends the Status object; in JSON where the encoding is one that we do not
 * write, as encoding_content_type says. 0, or -EMSGSIZE with out unchanged.
 */
int status_write(struct buf *out, enum kube_encoding encoding,
		 const struct status *status);

/*
 * Appends one whole frame of a watch stream: {"type":"ERROR","object":<Status>}.
 * 0, or -EMSGSIZE with out unchanged.
 */
int status_write_event(struct buf *out, enum kube_encoding encoding,
		       const struct status *status);

/* "Conflict" for 409 and so on: the text of an HTTP status code; else "Unknown". */
const char *status_phrase(int code);

#endif
