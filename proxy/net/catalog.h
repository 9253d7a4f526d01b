/*
 * The catalog: for each sharded resource of the ring its kind, its preferred
 * version and whether it is namespaced, from API discovery. Asked again with
 * backoff until every one is known (a CRD may not be there yet).
 */
#ifndef RINGSIDE_NET_CATALOG_H
#define RINGSIDE_NET_CATALOG_H

#include "proxy/net/api.h"
#include "proxy/ring/spec.h"

struct catalog_entry {
	bool is_known;
	bool is_namespaced;
	char *kind;
	char *version;
};

struct catalog;

/*
 * Asks at once. on_known (may be NULL) comes from the loop whenever another
 * resource has become known. api and spec outlive the catalog.
 */
struct catalog *catalog_create(const struct api *api, const struct ring_spec *spec,
			       void (*on_known)(void *arg), void *arg);

/* Not from inside on_known. NULL is fine. */
void catalog_destroy(struct catalog *catalog);

/* Of the resource with that index in the spec; texts live as long as the catalog. */
const struct catalog_entry *catalog_entry(const struct catalog *catalog, int index);

/* The sharded resource of that kind, known ones only; NULL: not the ring's. */
const struct ring_resource *catalog_of_kind(const struct catalog *catalog,
					    struct slice group, struct slice kind);

/*
 * Whether every resource is known. Until then "whose kind is this?" has no
 * certain answer, and nothing is decided that depends on it.
 */
bool catalog_is_complete(const struct catalog *catalog);

/*
 * Appends "/apis/apps/v1/namespaces/<ns>/deployments[/<name>]", each part escaped.
 * An empty namespace is left out (a LIST of all of them, or a resource that has
 * none). -ENOENT while the resource is not known; -EINVAL for a namespace or name
 * that no object can have ("..", "a/b"), with out unchanged; -EMSGSIZE.
 */
int catalog_path(const struct catalog *catalog, const struct ring_resource *resource,
		 struct slice namespace, struct slice name, struct buf *out);

#endif
