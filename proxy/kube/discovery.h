/*
 * Kind <-> resource, from the API server's discovery documents (APIGroup,
 * APIResourceList): ownerReferences name kinds, requests name resources.
 */
#ifndef RINGSIDE_KUBE_DISCOVERY_H
#define RINGSIDE_KUBE_DISCOVERY_H

#include "proxy/kube/json.h"

/* /apis/<group>: the preferred version. -EINVAL when it is no APIGroup. */
int discovery_preferred_version(struct slice *out, const struct json *group,
				struct err *err);

struct api_resource {
	struct slice kind;
	bool is_namespaced;
	bool has_watch;
	bool has_patch;
};

/* Finds a resource in an APIResourceList. -ENOENT when it is not served. */
int discovery_find(struct api_resource *out, const struct json *resources,
		   struct slice resource, struct err *err);

#endif
