/*
 * Membership: this member's part in the ring. It keeps our Lease (keeper), times
 * everybody's (the roster), follows the assignment, coordinates when it holds
 * the coordinator's Lease, and publishes what follows for the request path as a
 * `struct ring` (design, section 5).
 */
#ifndef RINGSIDE_MEMBER_MEMBERSHIP_H
#define RINGSIDE_MEMBER_MEMBERSHIP_H

#include "proxy/base/metric.h"
#include "proxy/member/conf.h"
#include "proxy/member/stakes.h"
#include "proxy/member/turn.h"
#include "proxy/net/locate.h"
#include "proxy/ring/assignment.h"
#include "proxy/ring/ring.h"
#include "proxy/ring/roster.h"

struct membership_env {
	struct loop *loop;
	const struct api *api;
	const struct ring_spec *spec;
	const struct catalog *catalog;
	struct locator *locator;
	const struct member_conf *conf; /* id and namespace resolved */
	const char *const *namespaces;
	struct ring_holder *ring;
	struct metrics *metrics;
	struct turn_views views;
};

struct membership;

/*
 * Begins at once. What env points to outlives it; conf is copied. Its counters are
 * read by env->metrics, which prints no more once it is destroyed.
 */
struct membership *membership_create(const struct membership_env *env);
void membership_destroy(struct membership *membership);

/* A resource of the catalog became known. */
void membership_on_catalog(struct membership *membership);

/* Whether a process of this member ran here before us; known once we are a member. */
bool membership_had_former(const struct membership *membership);

/* What views.follow says may have changed. */
void membership_on_views(struct membership *membership);

/* The file was read again: shards, generation and other reloadable values. */
void membership_reload(struct membership *membership, const struct member_conf *conf);

/* How a member parts from its ring. */
struct membership_parting {
	bool keeps;         /* its buckets, for the process that comes after this one */
	int64_t timeout_ms; /* how long writes may stay unanswered */
	void (*on_left)(void *arg);
	void *arg;
};

/*
 * Leaves by our own hand: publishes RING_LEAVING (no new write passes), gives up
 * the coordinator's Lease, waits until writes in flight are answered, writes the
 * released state on our Lease, and deletes it unless buckets are named for us
 * (then the coordinator does, once they are not). If writes stay unanswered for
 * `timeout_ms`, the Lease is left to run out: they may still be delivered. Who keeps
 * its buckets renews its Lease instead, and goes on to until destroyed.
 * on_left comes once, also when the API server cannot be reached.
 */
void membership_leave(struct membership *membership,
		      const struct membership_parting *parting);

/* Whether the lock file is ours: who starts here next can go on as we. */
bool membership_holds_lock(const struct membership *membership);

/*
 * Writes our Lease now and says with which resourceVersion it was stored: a
 * point in the API server's order that is above every position given out
 * before (design, section 6). version 0: it failed. done comes from the loop.
 */
void membership_write_barrier(struct membership *membership,
			      void (*done)(void *arg, uint64_t version), void *arg);

/* For /ring; borrowed until the next return to the loop. */
struct membership_report {
	const char *identity;
	const char *coordinator; /* "" when not known */
	const struct assignment *assignment;
	const struct peer *peers[ROSTER_PEERS_MAX];
	int peers_n;
	struct stake_report locks[SPEC_LOCKS_MAX];
	int locks_n;
	const char *complaint; /* about our controller; "" for none */
	int64_t now_ms;
};

void membership_report(const struct membership *membership,
		       struct membership_report *out);

#endif
