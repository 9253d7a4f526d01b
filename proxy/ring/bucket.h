/*
 * Buckets: the immutable partitions of the objects. The label
 * bucket.ringside.dev/<ring> on an object says its bucket; placement computes
 * the bucket of an object that has no label yet.
 *
 * Default placement: XXH3_64bits("<group>/<resource>/<namespace>/<name>") mod B;
 * a part that placement leaves out is empty, its slashes stay; a label's value
 * stands in the place of the name, without a namespace. Pinned by golden
 * values: changing it would move every object.
 */
#ifndef RINGSIDE_RING_BUCKET_H
#define RINGSIDE_RING_BUCKET_H

#include "proxy/base/buf.h"

#define BUCKETS_MAX 1024
#define BUCKETS_DEFAULT 256
#define BUCKET_NONE (-1)
#define BUCKET_ALL (-2) /* of a write that may touch any bucket of the member */
#define BUCKET_LABEL_PREFIX "bucket.ringside.dev/"

/* What placement hashes besides group and resource. */
enum placement_key {
	PLACEMENT_NAMESPACE_NAME,
	PLACEMENT_NAMESPACE,
	PLACEMENT_NAME,
	PLACEMENT_LABEL, /* a label's value; without it as by default */
};

struct object_key {
	struct slice group;
	struct slice resource;
	struct slice namespace;
	struct slice name;
	struct slice label; /* of PLACEMENT_LABEL; "": it has none */
};

/* 0 .. buckets-1. */
int bucket_place(enum placement_key placement, int buckets,
		 const struct object_key *key);

/*
 * The bucket that a label's value names: canonical decimal (no sign, no leading
 * zero) below buckets; BUCKET_NONE for anything else, which is garbage.
 */
int bucket_of_label(struct slice value, int buckets);

/* A set of buckets: a value, compared and copied as such. */
struct bucket_set {
	uint64_t words[BUCKETS_MAX / 64];
};

void bucket_set_add(struct bucket_set *set, int bucket);
void bucket_set_remove(struct bucket_set *set, int bucket);
bool bucket_set_has(const struct bucket_set *set, int bucket);
int bucket_set_count(const struct bucket_set *set);
bool bucket_set_is_equal(const struct bucket_set *a, const struct bucket_set *b);
/* Whether every bucket of inner is in outer. */
bool bucket_set_is_within(const struct bucket_set *inner,
			  const struct bucket_set *outer);
bool bucket_set_is_empty(const struct bucket_set *set);
/* Those of both; of either; of a but not of b. */
struct bucket_set bucket_set_common(const struct bucket_set *a,
				    const struct bucket_set *b);
struct bucket_set bucket_set_joined(const struct bucket_set *a,
				    const struct bucket_set *b);
struct bucket_set bucket_set_without(const struct bucket_set *a,
				     const struct bucket_set *b);
/* Members, ascending, into out (room for BUCKETS_MAX); how many. */
int bucket_set_list(const struct bucket_set *set, uint16_t *out);
/* Its (n mod count)-th member, counted upwards; BUCKET_NONE of the empty set. */
int bucket_set_pick(const struct bucket_set *set, uint64_t n);
/* The buckets below `buckets` that set has not. */
struct bucket_set bucket_set_invert(const struct bucket_set *set, int buckets);

/* "0-84,170", as kubectl and /ring show it. 0 or -EMSGSIZE. */
int bucket_set_write(const struct bucket_set *set, struct buf *out);
/* The reverse: ascending, every bucket named once and below `buckets`. -EINVAL. */
int bucket_set_parse(struct bucket_set *out, struct slice text, int buckets);

#endif
