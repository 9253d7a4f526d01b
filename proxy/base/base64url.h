/*
 * base64 without padding, read in either alphabet (RFC 4648, 4 and 5): tokens of the
 * Kubernetes API come in both.
 */
#ifndef RINGSIDE_BASE_BASE64URL_H
#define RINGSIDE_BASE_BASE64URL_H

#include "proxy/base/slice.h"

/* How many bytes so many digits make, at most. */
#define BASE64URL_BYTES(digits) ((digits) / 4 * 3 + 3)

/*
 * Decodes into out, which has room for BASE64URL_BYTES(text.len); *n: how many. False
 * for what is none; out and *n are garbage then.
 */
bool base64url_decode(struct slice text, char *out, size_t *n);

#endif
