/*
 * What h2o lets pass and HTTP does not: a method, target or field that would break
 * the line it is sent upstream in, and a body whose length is said twice. Whoever
 * reads such a request in another way than we do sees another request, one that
 * the fence has not seen (request smuggling). So they are refused. Pure.
 */
#ifndef RINGSIDE_NET_STRICT_H
#define RINGSIDE_NET_STRICT_H

#include "proxy/net/upstream.h"

/* A token (RFC 9110, 5.6.2). */
bool strict_is_token(struct slice text);

/* Fit to stand in a request line: no space, no control character, not empty. */
bool strict_is_target(struct slice text);

/* Whether each name is a token and no value has a control character but tabs. */
bool strict_are_fields(const struct header *fields, size_t n);

/*
 * Whether a head of HTTP/1.x, as it came, says the length of its body once: one
 * length, or several that are the same, or "chunked", which HTTP/1.0 does not know
 * (RFC 9112, 6.1 to 6.3). The head ends at its empty line; more may follow.
 */
bool strict_is_framing(struct slice head, bool is_1_0);

#endif
