#include "proxy/kube/percent.h"

/* The value of a hex digit, or -1. */
static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that "%xx" at the start of text stands for, or -1. */
static int escaped(struct slice text)
{
	int high = text.len < 3 ? -1 : hex(text.data[1]);
	int low = text.len < 3 ? -1 : hex(text.data[2]);

	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool percent_decode(struct arena *arena, struct slice text, enum percent_part part,
		    struct slice *out)
{
	char *decoded = arena_alloc(arena, text.len + 1);
	char *to = decoded;
	bool is_valid = true;

	while (text.len > 0) {
		int byte = text.data[0] == '%' ? escaped(text) : -1;

		is_valid &= byte >= 0 || text.data[0] != '%';
		if (byte >= 0)
			*to++ = (char)byte;
		else if (text.data[0] == '+' && part == PERCENT_QUERY)
			*to++ = ' ';
		else
			*to++ = text.data[0];
		text = slice_from(text, byte >= 0 ? 3 : 1);
	}
	*out = slice_make(decoded, (size_t)(to - decoded));
	return is_valid;
}
