/*
 * The query part of a URL, read as Go's net/url reads it (pairs at "&"; a pair
 * with a broken percent-encoding or a ";" is dropped; "+" is a space; of
 * repeated keys the first counts for Kubernetes' scalar options), and edited so
 * that pairs that were not touched keep their bytes and order.
 */
#ifndef RINGSIDE_KUBE_QUERY_H
#define RINGSIDE_KUBE_QUERY_H

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"

struct query;

/* Borrows text until the arena ends. Never fails; see query_is_certain. */
struct query *query_parse(struct arena *arena, struct slice text);

/* False when a pair was broken: servers may differ in how they read it. */
bool query_is_certain(const struct query *query);

/* Whether the key is there at all, its first value decoded into *value. */
bool query_get(const struct query *query, const char *key, struct slice *value);

/* As Kubernetes converts booleans: there, and neither "0" nor "false". */
bool query_get_bool(const struct query *query, const char *key);

/* Replaces all pairs of the key by one at the first one's place, or appends. */
void query_set(struct query *query, const char *key, struct slice value);

/* Removes all pairs of the key. */
void query_remove(struct query *query, const char *key);

/* Appends the text, without "?". 0 or -EMSGSIZE. */
int query_write(const struct query *query, struct buf *out);

/* Appends value percent-encoded for a query value. 0 or -EMSGSIZE. */
int query_escape(struct buf *out, struct slice value);

#endif
