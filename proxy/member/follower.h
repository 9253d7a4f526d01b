/*
 * The assignment, followed: the newest content of the ConfigMap that was ever
 * seen. What is older, or not understood, changes nothing: a member goes on with
 * what it knows, and the coordinator writes that anew (design, section 5).
 */
#ifndef RINGSIDE_MEMBER_FOLLOWER_H
#define RINGSIDE_MEMBER_FOLLOWER_H

#include "proxy/member/context.h"
#include "proxy/ring/assignment.h"

/* An object of Kubernetes is 1.5 MiB at most. */
#define ASSIGNMENT_BYTES_MAX (1 << 20)

struct follower_events {
	/* A consistent read is done: what was published before our start is known. */
	void (*on_ready)(void *arg);
	/* The assignment, or what is stored of it, changed. */
	void (*on_change)(void *arg);
};

struct follower;

/* Reads, then watches. */
struct follower *follower_create(struct member_context *context,
				 const struct follower_events *events, void *arg);
void follower_destroy(struct follower *follower);

/* The newest known; epoch 0: none. Never NULL; borrowed until on_change. */
const struct assignment *follower_assignment(const struct follower *follower);

/* Whether the ConfigMap holds what is known, as far as we have seen. */
bool follower_is_stored(const struct follower *follower);

/*
 * Whether there is a ConfigMap that says it has a format other than ours: a newer
 * Ringside's, hands off.
 */
bool follower_is_foreign(const struct follower *follower);

/* Its newest resourceVersion and uid: the precondition of a write; "" if none. */
struct slice follower_version(const struct follower *follower);
struct slice follower_uid(const struct follower *follower);

/* An answer of the API server to a write of ours. */
void follower_observe(struct follower *follower, const struct json *object);

/* Reads it again, consistently; on_change comes when that is done. */
void follower_read(struct follower *follower);
bool follower_is_reading(const struct follower *follower);

#endif
