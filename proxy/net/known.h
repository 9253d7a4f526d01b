/*
 * What the locator knows for a while: the bucket of an object, by the name under
 * which it was seen. Names are reused: by its name alone a fact is good for known's
 * age, by its uid too for longer. The oldest makes room for the newest. Pure: time is
 * handed in.
 */
#ifndef RINGSIDE_NET_KNOWN_H
#define RINGSIDE_NET_KNOWN_H

#include "proxy/ring/bucket.h"

/* Names that are longer belong to no object. */
#define KNOWN_NAME_BYTES_MAX 1024

struct known;

/*
 * The key of an object of the resource with that index: "<index>/<namespace>/<name>",
 * on the heap; NULL: no object can have these names.
 */
char *known_key(int index, struct slice namespace, struct slice name);

/* kept_ms >= age_ms: how long a fact is good for who names the uid. */
struct known *known_create(size_t entries_max, int64_t age_ms, int64_t kept_ms);
/* NULL is fine. */
void known_destroy(struct known *known);

/* The object of that key had this uid and bucket at at_ms; what is younger stays. */
void known_put(struct known *known, struct slice key, struct slice uid, int bucket,
	       int64_t at_ms);

enum known_answer {
	KNOWN,
	KNOWN_AGED,   /* for longer than the age, of this very uid */
	KNOWN_NOT,    /* nothing (any more) */
	KNOWN_OLD,    /* it was, too long ago for a name alone */
	KNOWN_REUSED, /* another object bears the name */
};

/* *bucket is set if it is KNOWN or AGED. uid: the one it must have; "": any. */
enum known_answer known_find(struct known *known, struct slice key, struct slice uid,
			     int64_t now_ms, int *bucket);

size_t known_count(const struct known *known);

#endif
