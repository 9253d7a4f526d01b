#include "config/base64.h"

#include <errno.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

/* Four characters on their way to three bytes. */
struct group {
	uint32_t bits;
	int characters;
	int padding; /* how many of them are '=' */
};

static int add_character(struct group *group, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	if (c == '=' && group->characters >= 2)
		group->padding++;
	else if (!at || group->padding > 0)
		return -EINVAL;
	group->bits = group->bits << 6 | (at ? (uint32_t)(at - alphabet) : 0);
	group->characters++;
	return 0;
}

/* Writes what a full group holds; how many bytes, or -EINVAL. */
static int write_group(const struct group *group, char *out)
{
	int n = 3 - group->padding;

	if (group->bits & ((UINT32_C(1) << 8 * group->padding) - 1))
		return -EINVAL;
	for (int i = 0; i < n; i++)
		out[i] = (char)(group->bits >> (16 - 8 * i));
	return n;
}

int base64_decode(struct slice *out, struct arena *arena, struct slice text)
{
	char *bytes = arena_alloc(arena, text.len / 4 * 3 + 1);
	struct group group = { 0 };
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		int n;

		if (text.data[i] == '\n' || text.data[i] == '\r')
			continue;
		if (group.padding > 0 && group.characters == 0)
			return -EINVAL;
		if (add_character(&group, text.data[i]) < 0)
			return -EINVAL;
		if (group.characters < 4)
			continue;
		if ((n = write_group(&group, bytes + len)) < 0)
			return n;
		len += (size_t)n;
		group = (struct group){ .padding = group.padding };
	}
	if (group.characters > 0)
		return -EINVAL;
	*out = slice_make(bytes, len);
	return 0;
}

char *base64_encode(struct arena *arena, struct slice bytes)
{
	char *text = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
	char *at = text;

	for (size_t i = 0; i < bytes.len; i += 3) {
		uint32_t bits = 0;

		for (size_t k = i; k < i + 3; k++)
			bits = bits << 8 |
			       (k < bytes.len ? (unsigned char)bytes.data[k] : 0);
		for (size_t k = 0; k < 4; k++)
			*at++ = i + k > bytes.len ? '='
						  : alphabet[bits >> (18 - 6 * k) & 63];
	}
	return text;
}
