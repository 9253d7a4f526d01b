/*
 * Where things stand in a JSON text, for edits that leave every other byte as it
 * is. json_parse says whether a text is JSON and what it means; this finds the
 * bytes again. It never reads beyond the text, whatever that holds, but on what
 * json_parse refuses its answers mean nothing.
 */
#ifndef RINGSIDE_KUBE_JSON_SCAN_H
#define RINGSIDE_KUBE_JSON_SCAN_H

#include "proxy/base/slice.h"

/* A member of an object, as offsets into the text. */
struct json_member {
	size_t start; /* of the key's opening quote */
	size_t value; /* of the value's first byte */
	size_t end;   /* behind the value */
};

struct json_scan {
	struct slice text;
	size_t at;
	bool is_broken;
};

/* The offset of the first byte from `at` on that is no white space; may be the end. */
size_t json_scan_skip(struct slice text, size_t at);

/* Stands before the members of the object whose "{" is at `at`. */
void json_scan_open(struct json_scan *scan, struct slice text, size_t at);

/* The next member; false at the end, or when broken (see is_broken). */
bool json_scan_next(struct json_scan *scan, struct json_member *out);

/* The same of the array whose "[" is at `at`; an item has no key (start is value). */
void json_scan_open_list(struct json_scan *scan, struct slice text, size_t at);
bool json_scan_next_item(struct json_scan *scan, struct json_member *out);

/* Whether the member's key, its escapes decoded, is this text (of ASCII). */
bool json_scan_key_is(struct slice text, const struct json_member *member,
		      struct slice key);

/*
 * The last member of that name in the object at `at`, and how many there are: 0
 * when there is none, or the text is broken.
 */
size_t json_scan_find(struct slice text, size_t at, struct slice key,
		      struct json_member *out);

#endif
