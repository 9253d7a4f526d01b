/*
 * Whom an owned object says it belongs to: as its resource's rule in the ring has
 * it, by an ownerReference to a kind of the ring, or by a label or annotation that
 * names an object of the owning resource ("name", or "namespace/name").
 */
#ifndef RINGSIDE_NET_OWNER_H
#define RINGSIDE_NET_OWNER_H

#include "proxy/kube/meta.h"
#include "proxy/net/catalog.h"

/* An object by name. */
struct locate_question {
	const struct ring_resource *resource;
	struct slice namespace;
	struct slice name;
	struct slice uid; /* that it must have, as far as that is known; else "" */
	bool takes_aged;  /* of that uid, what has been known for longer will do */
};

/* An object as it was seen, or as a body claims it. */
struct owned {
	const struct ring_resource *resource;
	struct slice namespace;
	const struct object_meta *meta;
	bool takes_aged; /* of its owner, as in the question */
};

/* False: it belongs to nobody of the ring. *out borrows from the metadata. */
bool owner_find(struct locate_question *out, const struct catalog *catalog,
		const struct ring_spec *spec, const struct owned *owned);

/*
 * Whether owner_find is to be trusted: kinds are known to a complete catalog
 * only. An object that names no owner at all belongs to nobody in any case.
 */
bool owner_is_certain(const struct catalog *catalog, const struct owned *owned);

#endif
