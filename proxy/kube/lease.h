/*
 * coordination.k8s.io/v1 Lease, read from and written as JSON. Ringside's own
 * Leases (a member's, the coordinator's) carry what peers need to know in
 * annotations; Leases written by others are input from outside and bounded.
 */
#ifndef RINGSIDE_KUBE_LEASE_H
#define RINGSIDE_KUBE_LEASE_H

#include "proxy/kube/json.h"

struct lease {
	struct slice name;
	struct slice namespace;
	struct slice uid;
	struct slice resource_version;
	struct slice holder; /* spec.holderIdentity */
	int64_t duration_s;
	struct slice acquire_time; /* MicroTime texts, never compared */
	struct slice renew_time;
	int64_t transitions;
	struct slice ring;  /* label ringside.dev/ring */
	struct slice state; /* annotation ringside.dev/state: "", "ended", "released" */
	struct slice settings;   /* annotation ringside.dev/settings: hash of what must
				    agree */
	struct slice controller; /* annotation ringside.dev/controller: "", "silent" */
	struct slice acknowledged; /* annotation ringside.dev/acknowledged: an epoch */
};

#define LEASE_LABEL_RING "ringside.dev/ring"
#define LEASE_ANNOTATION_STATE "ringside.dev/state"
#define LEASE_ANNOTATION_SETTINGS "ringside.dev/settings"
#define LEASE_ANNOTATION_CONTROLLER "ringside.dev/controller"
#define LEASE_ANNOTATION_ACKNOWLEDGED "ringside.dev/acknowledged"

/*
 * Slices point into the tree; what is absent is empty or 0. -EINVAL names the
 * field that is missing (the name), of a wrong type or too long: names and
 * labels as Kubernetes bounds them, a holder 300 bytes.
 */
int lease_of_json(struct lease *out, const struct json *object, struct err *err);

/*
 * Appends the object. What is empty is left out; without uid and resourceVersion
 * it is fit for a create. 0, or -EMSGSIZE with out unchanged.
 */
int lease_write(struct buf *out, const struct lease *lease);

#endif
