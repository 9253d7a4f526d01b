/*
 * The assignment: which member, in which incarnation, owns which bucket. It is
 * the data of the ConfigMap <ring>-assignment, written by the coordinator alone
 * and only with its resourceVersion as precondition; a version older than one
 * already seen is ignored (design, section 5).
 *
 * As data of a ConfigMap it is text that a person can read:
 *
 *	format: "1"          buckets: "256"      placement: namespace,name
 *	resources: <hash>    shards: "3"         generation: "0"
 *	epoch: "17"          labelled: foos.samplecontroller.k8s.io,deployments.apps
 *	members: |           one active member a line, in order of seniority
 *	  a/3f2c91d0
 *	leaving: |           whoever is named below but not active; often absent
 *	owners: |            <buckets> <owner> <since> [<target>]
 *	  0-84 a/3f2c91d0 1  "-" is nobody; buckets that no line names are nobody's
 */
#ifndef RINGSIDE_RING_ASSIGNMENT_H
#define RINGSIDE_RING_ASSIGNMENT_H

#include "proxy/base/arena.h"
#include "proxy/base/err.h"
#include "proxy/kube/json.h"
#include "proxy/ring/spec.h"

#define ASSIGNMENT_FORMAT 1
#define ASSIGNMENT_MEMBERS_MAX 256
#define IDENTITY_BYTES_MAX 300
#define ASSIGNMENT_NOBODY "-" /* in place of an identity */

struct assigned_bucket {
	int owner;  /* index into members, -1: nobody */
	int target; /* the same; equal to owner when no handover is under way */
	uint64_t since;
};

struct assignment {
	int buckets;
	enum placement_key placement;
	struct slice resources; /* ring_spec.hash of those who agreed */
	int shards;
	uint64_t generation;
	uint64_t epoch;    /* 0: nothing was ever published */
	uint32_t labelled; /* bit i: resource i of the spec had its first pass */
	/* member/incarnation of everybody named below; the first active_n are active.
	 */
	struct slice members[ASSIGNMENT_MEMBERS_MAX];
	int members_n;
	int active_n;
	struct assigned_bucket bucket[BUCKETS_MAX];
};

/* "<member>/<incarnation>" of printable ASCII without spaces, bounded. */
bool identity_is_valid(struct slice identity);

/*
 * Reads the `data` object of the ConfigMap. Unknown keys are ignored: what a
 * member must understand raises the format. Every number and name is bounded.
 * -EINVAL names the key and line. Slices point into the arena. labelled names
 * that the spec does not have are ignored.
 */
int assignment_parse(struct assignment *out, struct arena *arena,
		     const struct ring_spec *spec, const struct json *data,
		     struct err *err);

/* Appends the `data` object as JSON. 0, or -EMSGSIZE with the buffer unchanged. */
int assignment_write(struct buf *out, const struct assignment *assignment,
		     const struct ring_spec *spec);

/* What this identity owns. */
struct bucket_set assignment_owned(const struct assignment *assignment,
				   struct slice identity);

/* Index of an identity in members, or -1. */
int assignment_member(const struct assignment *assignment, struct slice identity);

/* Whether any bucket is named for it, as owner or target. */
bool assignment_names(const struct assignment *assignment, struct slice identity);

#endif
