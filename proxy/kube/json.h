/*
 * JSON as a tree in an arena, for documents whose size is bounded by whoever
 * hands them in: Leases, the assignment, discovery, pages of metadata, the
 * metadata of a body. Parsed with yajl; depth and the number of values are
 * bounded by us, numbers keep their text (yajl's integers overflow at 2^63).
 *
 * A tree lives in its arena and borrows nothing of the text that was parsed.
 */
#ifndef RINGSIDE_KUBE_JSON_H
#define RINGSIDE_KUBE_JSON_H

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"
#include "proxy/base/err.h"

#define JSON_DEPTH_MAX 64
#define JSON_NODES_MAX (1 << 20) /* of about 100 bytes each */

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json {
	enum json_type type;
	bool boolean;
	struct slice key;   /* within its object; decoded */
	struct slice text;  /* of a string (decoded) or a number (as written) */
	struct json *first; /* children of an array or object, in order */
	struct json *next;  /* sibling */
	size_t count;       /* of children */
};

/*
 * Parses one document; trailing bytes other than white space are an error.
 * keep (may be NULL): NULL-terminated names of the top-level keys to build;
 * what is under other top-level keys is checked for syntax and dropped, so a
 * large spec costs no memory. -EINVAL with the position; the text never quotes
 * the document.
 */
int json_parse(struct json **out, struct arena *arena, struct slice text,
	       const char *const *keep, struct err *err);

/*
 * The member of that name, NULL if absent or if object is NULL or no object. Of
 * duplicate keys the last counts, as for custom resources in kube-apiserver.
 */
const struct json *json_get(const struct json *object, const char *key);

/* Follows keys separated by dots: "metadata.labels". NULL if any is absent. */
const struct json *json_at(const struct json *object, const char *path);

/* The text of the string at that path, or the empty slice. */
struct slice json_text(const struct json *object, const char *path);

/* The whole number at that path, or fallback. */
int64_t json_int(const struct json *object, const char *path, int64_t fallback);

/*
 * Appends a JSON string with quotes and escapes; bytes that are no UTF-8 become
 * U+FFFD. 0, or -EMSGSIZE with the buffer unchanged.
 */
int json_write_string(struct buf *out, struct slice text);

#endif
