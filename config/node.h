/*
 * A YAML file as a small tree that knows where everything stands, so that
 * whoever finds something wrong can say file:line:column.
 *
 * Scalars are texts: what a text means (a number, a duration) is decided by who
 * reads it, never by YAML's guesses (`no` is not false here). Depth, size and
 * number of nodes are bounded; aliases, tags, second documents and repeated keys
 * are refused. JSON is read too, as YAML contains it.
 *
 * No error of this module quotes a value: kubeconfigs hold secrets.
 */
#ifndef RINGSIDE_CONFIG_NODE_H
#define RINGSIDE_CONFIG_NODE_H

#include "proxy/base/arena.h"
#include "proxy/base/err.h"

/* 32 resources, each under `owns` of the one before, are 66 deep. */
#define NODE_DEPTH_MAX 80
#define NODE_COUNT_MAX 100000
#define NODE_KEYS_MAX 256 /* of one mapping */

struct place {
	const char *file;
	int line; /* from 1 */
	int column;
};

enum node_type { NODE_SCALAR, NODE_LIST, NODE_MAPPING };

struct node {
	enum node_type type;
	struct place place;
	struct slice text; /* of a scalar; a NUL follows, none is inside */
	bool is_null;      /* nothing, ~ or null, unquoted */
	struct slice key;  /* in a mapping; likewise */
	struct place key_place;
	struct node *first; /* of a list or mapping */
	struct node *next;  /* in the same list or mapping */
};

/*
 * Parses text; file (borrowed by all places) is its name for messages. The tree
 * lives in the arena. An empty text is one null node. -EINVAL.
 */
int node_parse(struct node **out, struct arena *arena, const char *file,
	       struct slice text, struct err *err);

/* The value under key, or NULL when there is none or node is no mapping. */
const struct node *node_get(const struct node *node, const char *key);

/* "a mapping", "a list", "text", "nothing". */
const char *node_type_name(const struct node *node);

/*
 * 0 when the node is of the type; else -EINVAL "owns: expected a list, found
 * text". Null passes for an empty list or mapping: `owns:` with all its entries
 * commented out.
 */
int node_expect(const struct node *node, enum node_type type, struct err *err);

/* Sets "file:line:column: <message>" and returns -EINVAL. */
int place_error(const struct place *place, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
