/*
 * Base64 (RFC 4648, section 4) as kubeconfigs carry certificates and keys.
 * Strict: padded, nothing but line breaks beside the alphabet (Go's decoder
 * skips those too), no bits left over.
 */
#ifndef RINGSIDE_CONFIG_BASE64_H
#define RINGSIDE_CONFIG_BASE64_H

#include "proxy/base/arena.h"

/* The bytes, in the arena, with a NUL behind them. 0 or -EINVAL. */
int base64_decode(struct slice *out, struct arena *arena, struct slice text);

/* In one line, in the arena. */
char *base64_encode(struct arena *arena, struct slice bytes);

#endif
