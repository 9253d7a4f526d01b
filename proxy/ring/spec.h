/*
 * What a ring is about: its name, its buckets and placement, and which
 * resources it shards. All members must agree on it, so it has a hash that
 * members show each other. Made once from the YAML; immutable.
 */
#ifndef RINGSIDE_RING_SPEC_H
#define RINGSIDE_RING_SPEC_H

#include "proxy/base/arena.h"
#include "proxy/kube/meta.h"
#include "proxy/ring/bucket.h"

#define SPEC_RESOURCES_MAX 32
#define SPEC_LOCKS_MAX 8

enum resource_role { RESOURCE_MAIN, RESOURCE_OWNED, RESOURCE_ROLES_N };
enum unowned_policy { UNOWNED_VISIBLE, UNOWNED_HIDDEN };
/* What a write to an object of another member is answered with. */
enum refuse_policy { REFUSE_CONFLICT, REFUSE_NOT_FOUND };

/* What the controller is told when an object leaves, and exists elsewhere. */
enum release_manner {
	RELEASE_DELETED,    /* DELETED, as the API server tells it of a selector */
	RELEASE_MARKED,     /* the same, with a deletionTimestamp */
	RELEASE_SUPPRESSED, /* nothing */
};

/* A sharded resource. */
struct ring_resource {
	struct slice group;
	struct slice resource;
	enum resource_role role;
	enum unowned_policy unowned; /* of an owned resource */
	enum refuse_policy refuse;
	int owner; /* index of the resource it is listed under; -1: main */
	int index; /* its own place in the spec */
	/*
	 * Between this member and its controller alone: no answer of another member
	 * depends on it, so members need not agree on it, and the hash leaves it out.
	 */
	enum release_manner on_release;
	bool lacks_diff; /* it does not see by a new list what has left (nodiff) */
	/*
	 * What is read of its objects. `owner` (with is_owner_annotation) is set where
	 * an owned object names its owner by a label or annotation, as "name" or
	 * "namespace/name"; ring_spec_seal fills in the rest.
	 */
	struct meta_keys keys;
};

/*
 * A Lease of coordination.k8s.io by which the controller elects a leader. The
 * controller of each member has its own, stored under the alias; the real one is
 * held for the ring.
 */
struct ring_lock {
	struct slice namespace; /* "": the member's, until ring_spec_set_member */
	struct slice name;
	struct slice alias; /* "<name>.<member>" */
};

#define RING_LOCK_LABEL "ringside.dev/lock-of" /* its value: the ring */

struct ring_spec {
	struct slice ring;
	struct slice label; /* "bucket.ringside.dev/<ring>" */
	int buckets;
	enum placement_key placement;
	struct slice placement_label; /* of PLACEMENT_LABEL */
	struct ring_resource resources[SPEC_RESOURCES_MAX];
	int resources_n;
	struct ring_lock locks[SPEC_LOCKS_MAX];
	int locks_n;
	/*
	 * 16 hex digits over resources and their rules, and locks, in whatever order,
	 * and the label that placement follows; not buckets, placement.
	 */
	char hash[17];
};

/* Fills label, keys and hash once everything else stands. */
void ring_spec_seal(struct ring_spec *spec, struct arena *arena);

/* Says who reads it: completes the locks. */
void ring_spec_set_member(struct ring_spec *spec, struct arena *arena,
			  struct slice namespace, struct slice member);

/* Whether locks are of this kind. */
bool ring_lock_is_kind(struct slice group, struct slice resource);

/* The lock of that name, or NULL. */
const struct ring_lock *ring_spec_find_lock(const struct ring_spec *spec,
					    struct slice namespace, struct slice name);

/* The sharded resource, or NULL. Versions do not matter. */
const struct ring_resource *ring_spec_find(const struct ring_spec *spec,
					   struct slice group, struct slice resource);

/* The bucket that placement gives to a new object of a main resource. */
int ring_spec_place(const struct ring_spec *spec, const struct ring_resource *resource,
		    const struct object_meta *meta);

/* "foos.samplecontroller.k8s.io", "pods": as kubectl names it. */
char *ring_resource_name(const struct ring_resource *resource, struct arena *arena);

/*
 * The selector that narrows a resource to a view (design, section 4): main (and
 * owned, hidden) `L in (O)`, or `L,L notin (not O)` when O is the larger half;
 * owned and visible `L notin (not O)`; empty O: `L,!L` or `!L`. A view of all
 * buckets is `L in (all)` still for main ones, so that garbage labels stay
 * invisible until they are mended; nothing ("") for owned and visible ones. 0 or
 * -EMSGSIZE.
 */
int ring_selector_write(struct buf *out, const struct ring_spec *spec,
			const struct ring_resource *resource,
			const struct bucket_set *view);

/* Matches what has no bucket label, or garbage: `L notin (0,..,B-1)`. */
int ring_selector_write_unplaced(struct buf *out, const struct ring_spec *spec);

#endif
