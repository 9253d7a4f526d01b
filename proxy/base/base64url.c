#include "proxy/base/base64url.h"

/* The value of a digit of either alphabet, or -1. */
static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-' || c == '+')
		return 62;
	return c == '_' || c == '/' ? 63 : -1;
}

bool base64url_decode(struct slice text, char *out, size_t *n)
{
	uint32_t bits = 0;
	unsigned bits_n = 0;

	*n = 0;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.data[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		bits_n += 6;
		if (bits_n >= 8) {
			bits_n -= 8;
			out[(*n)++] = (char)(bits >> bits_n);
		}
	}
	return bits_n < 6;
}
