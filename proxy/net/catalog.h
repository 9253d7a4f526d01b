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

/* on_known (may be NULL) comes whenever another resource has become known. */
struct catalog *catalog_create(const struct api *api, const struct ring_spec *spec,
			       void (*on_known)(void *arg), void *arg);
void catalog_destroy(struct catalog *catalog);

const struct catalog_entry *catalog_entry(const struct catalog *catalog, int index);

/* The sharded resource of that kind, known ones only; NULL: not the ring's. */
const struct ring_resource *catalog_of_kind(const struct catalog *catalog,
					    struct slice group, struct slice kind);

/*
 * Whether every resource is known. Until then "whose kind is this?" has no
 * certain answer, and nothing is decided that depends on it.
 */
bool catalog_is_complete(const struct catalog *catalog);

/* "/apis/apps/v1/namespaces/<ns>/deployments[/<name>]", each part escaped. */
int catalog_path(const struct catalog *catalog, const struct ring_resource *resource,
		 struct slice namespace, struct slice name, struct buf *out);

#endif
