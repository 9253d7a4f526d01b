/*
 * Where values stand in JSON text, found without building anything: for events of
 * a watch and items of a list, whose bytes are passed on as they are and of which
 * one member or two must be read. Strings, brackets and commas are understood, and
 * nothing is checked beyond that: the API server wrote it, and who reads it next
 * parses it.
 */
#ifndef RINGSIDE_KUBE_JSON_SPAN_H
#define RINGSIDE_KUBE_JSON_SPAN_H

#include "proxy/base/slice.h"

/* One value that is being passed over, in as many chunks as it comes. Zeroed. */
struct json_scan {
	unsigned depth;
	bool is_in_string;
	bool is_escaped;
};

/*
 * How many of the bytes belong to the value that begins, or goes on, with them;
 * *is_end: it ends there.
 */
size_t json_scan(struct json_scan *scan, struct slice bytes, bool *is_end);

/*
 * The bytes of the member of that name (a plain one, without escapes) at the top
 * level of an object; of several the last. False: there is none, or no object.
 */
bool json_span(struct slice object, const char *key, struct slice *value);

/* The same, of a string without escapes: what stands between the quotes. */
bool json_span_text(struct slice object, const char *key, struct slice *text);

static inline bool json_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

#endif
