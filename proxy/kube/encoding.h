/*
 * Content negotiation of the Kubernetes API: which encoding a client will be
 * answered in, and the names of the encodings.
 */
#ifndef RINGSIDE_KUBE_ENCODING_H
#define RINGSIDE_KUBE_ENCODING_H

#include "proxy/base/buf.h"

enum kube_encoding {
	KUBE_JSON,
	KUBE_PROTOBUF,
	KUBE_CBOR,
	KUBE_YAML,  /* request bodies only */
	KUBE_OTHER, /* a media type that is none of these */
};

/*
 * What we answer a client with: the first entry of its Accept header that is
 * JSON, protobuf or CBOR (parameters such as as=Table are ignored); JSON when
 * there is none, as every client reads JSON.
 */
enum kube_encoding encoding_of_accept(struct slice accept);

/*
 * Of a Content-Type: "application/json", "application/json;stream=watch",
 * "application/merge-patch+json", "application/strategic-merge-patch+json",
 * "application/json-patch+json", "application/apply-patch+yaml" (YAML),
 * "application/vnd.kubernetes.protobuf...", "application/cbor...",
 * "application/cbor-seq", "application/apply-patch+cbor". An empty one is JSON, the
 * API's default.
 */
enum kube_encoding encoding_of_content_type(struct slice content_type);

/* What a PATCH is, by its Content-Type. */
enum kube_patch {
	KUBE_PATCH_OTHER, /* a media type that is no patch */
	KUBE_PATCH_JSON,
	KUBE_PATCH_MERGE,
	KUBE_PATCH_STRATEGIC,
	KUBE_PATCH_APPLY, /* YAML or CBOR */
};

enum kube_patch encoding_patch_of(struct slice content_type);

/*
 * Appends the Accept for a LIST of the objects that a WATCH with this Accept is
 * about: "as=PartialObjectMetadata" becomes "as=PartialObjectMetadataList" (else
 * 406), "stream=watch" goes. -ENOTSUP when the objects may come as something that
 * no events are made of (as=Table, CBOR); -EMSGSIZE.
 */
int encoding_list_accept(struct buf *out, struct slice accept);

/*
 * The Content-Type of an answer, of an object or of a stream of watch events.
 * What we do not write (YAML, others) is answered in JSON.
 */
const char *encoding_content_type(enum kube_encoding encoding, bool is_watch);

#endif
