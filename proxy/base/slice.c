#include "proxy/base/slice.h"

#include <assert.h>
#include <errno.h>
#include <strings.h>

bool slice_is_nocase(struct slice a, const char *text)
{
	return a.len == strlen(text) &&
	       (a.len == 0 || strncasecmp(a.data, text, a.len) == 0);
}

bool slice_starts_with(struct slice s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && (n == 0 || memcmp(s.data, prefix, n) == 0);
}

ptrdiff_t slice_find(struct slice s, char c)
{
	const char *at = s.len ? memchr(s.data, c, s.len) : NULL;

	return at ? at - s.data : -1;
}

struct slice slice_from(struct slice s, size_t from)
{
	assert(from <= s.len && "a slice has nothing behind its end");
	return from ? slice_make(s.data + from, s.len - from) : s;
}

bool slice_split(struct slice *rest, char separator, struct slice *part)
{
	ptrdiff_t at = slice_find(*rest, separator);

	if (rest->len == 0)
		return false;
	if (at < 0) {
		*part = *rest;
		*rest = slice_from(*rest, rest->len);
		return true;
	}
	*part = slice_make(rest->data, (size_t)at);
	*rest = slice_from(*rest, (size_t)at + 1);
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice slice_trim(struct slice s)
{
	while (s.len && is_blank(s.data[0]))
		s = slice_from(s, 1);
	while (s.len && is_blank(s.data[s.len - 1]))
		s.len--;
	return s;
}

int slice_to_u64(struct slice s, uint64_t *out)
{
	uint64_t value = 0;
	bool is_too_large = false;

	if (s.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9')
			return -EINVAL;
		is_too_large |= __builtin_mul_overflow(value, 10, &value);
		is_too_large |= __builtin_add_overflow(value, s.data[i] - '0', &value);
	}
	if (is_too_large)
		return -ERANGE;
	*out = value;
	return 0;
}
