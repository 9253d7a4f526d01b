/*
 * The metadata of a Kubernetes object, as far as sharding needs it, from JSON or
 * from protobuf (the "k8s\0" envelope, runtime.Unknown, whose raw bytes hold the
 * object with metadata as field 1; k8s.io/apimachinery runtime/generated.proto
 * and meta/v1/generated.proto).
 *
 * It is evidence for the fence when it comes from the API server, and a claim
 * when it is a client's body.
 */
#ifndef RINGSIDE_KUBE_META_H
#define RINGSIDE_KUBE_META_H

#include "proxy/kube/encoding.h"
#include "proxy/kube/json.h"

/* metav1.OwnerReference. */
struct owner_reference {
	struct slice api_version;
	struct slice kind;
	struct slice name;
	struct slice uid;
	bool is_controller;
};

/* Which labels and annotations are wanted besides the fields that all have. */
struct meta_keys {
	struct slice label; /* the bucket label */
	struct slice owner; /* that names the owner; "": ownerReferences do */
	bool is_owner_annotation;
	struct slice place; /* the label that placement follows; "": it follows none */
};

struct object_meta {
	struct slice api_version;
	struct slice kind;
	struct slice name;
	struct slice generate_name;
	struct slice namespace;
	struct slice uid;
	struct slice resource_version;
	bool is_deleting; /* has a deletionTimestamp */
	bool has_label;   /* the label asked for is there */
	struct slice label;
	struct slice owner_name; /* of keys->owner; "" if it is not there, or empty */
	struct slice place;      /* of keys->place, likewise */
	const struct owner_reference *owners; /* in the arena */
	size_t owners_n;
};

/* Bounds: more owners than this is an error (-E2BIG). */
#define META_OWNERS_MAX 64

/*
 * Reads the metadata of one object. The slices point into the body or the arena.
 * -EINVAL when the body is not such an object; an object without metadata has empty
 * fields, and JSON's null counts as absent. -ENOTSUP for encodings that cannot be read
 * (CBOR, YAML that is not JSON).
 */
int meta_parse(struct object_meta *out, struct arena *arena,
	       enum kube_encoding encoding, struct slice body,
	       const struct meta_keys *keys, struct err *err);

/* The same from a parsed JSON object (an item of a list, a watch event). */
int meta_of_json(struct object_meta *out, struct arena *arena,
		 const struct json *object, const struct meta_keys *keys,
		 struct err *err);

/*
 * The ownerReference that says whom an object belongs to: the controller's,
 * else the only one whose kind is_ring says is the ring's. NULL if none.
 */
const struct owner_reference *meta_owner(const struct object_meta *meta,
					 bool (*is_ring)(void *arg,
							 struct slice api_version,
							 struct slice kind),
					 void *arg);

/* "apps/v1" -> "apps", "v1" -> "". */
struct slice meta_group_of(struct slice api_version);

#endif
