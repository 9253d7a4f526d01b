/*
 * Borrowed bytes: a pointer and a length, never owned, never NUL-terminated.
 * A slice lives as long as what it points into; whoever hands one out says how
 * long that is. The empty slice may have a NULL pointer.
 */
#ifndef RINGSIDE_BASE_SLICE_H
#define RINGSIDE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *data;
	size_t len;
};

/* For printf: printf("%.*s", SLICE_ARGS(s)). */
#define SLICE_ARGS(s) (int)(s).len, (s).data ? (s).data : ""
#define SLICE_LITERAL(text) ((struct slice){ text, sizeof(text) - 1 })

static inline struct slice slice_make(const char *data, size_t len)
{
	return (struct slice){ data, len };
}

/* Of a NUL-terminated string; NULL gives the empty slice. */
static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice_of(text));
}

/* ASCII case does not matter. */
bool slice_is_nocase(struct slice a, const char *text);

bool slice_starts_with(struct slice s, const char *prefix);

/* Position of the first byte c, or -1. */
ptrdiff_t slice_find(struct slice s, char c);

/* From position `from` (at most s.len) to the end. */
struct slice slice_from(struct slice s, size_t from);

/*
 * Takes the part before the first separator out of *rest and moves *rest
 * behind it. False once nothing is left. "a//b" gives "a", "", "b"; "" gives
 * nothing.
 */
bool slice_split(struct slice *rest, char separator, struct slice *part);

/* Without leading and trailing spaces and tabs. */
struct slice slice_trim(struct slice s);

/* The whole slice as a decimal number: 0, or -EINVAL / -ERANGE. */
int slice_to_u64(struct slice s, uint64_t *out);

#endif
