/*
 * What the locator knows for a while: the bucket of an object, by the name under
 * which it was fetched. Names are reused, so a fact is good for its uid only and
 * for known's age; the oldest makes room for the newest. Pure: time is handed in.
 */
#ifndef RINGSIDE_NET_KNOWN_H
#define RINGSIDE_NET_KNOWN_H

#include "proxy/ring/bucket.h"

struct known;

struct known *known_create(size_t entries_max, int64_t age_ms);
/* NULL is fine. */
void known_destroy(struct known *known);

/* The object of that key had this uid and bucket at at_ms. */
void known_put(struct known *known, struct slice key, struct slice uid, int bucket,
	       int64_t at_ms);

enum known_answer {
	KNOWN,
	KNOWN_NOT,    /* nothing (any more) */
	KNOWN_OLD,    /* it was, too long ago */
	KNOWN_REUSED, /* another object bears the name */
};

/* *bucket is set if it is KNOWN. uid: the one it must have; "": any. */
enum known_answer known_find(struct known *known, struct slice key, struct slice uid,
			     int64_t now_ms, int *bucket);

size_t known_count(const struct known *known);

#endif
