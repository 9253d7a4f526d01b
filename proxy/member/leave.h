/*
 * Leaving by our own hand, in order: no new write passes; objects leave the views, as
 * in any handover, for a controller that lives on; writes in flight are answered; the
 * Lease is released and the coordinator's given up; done. Writes
 * that stay unanswered keep the Lease from being released: then it runs out by
 * itself, as after a crash, and nobody else writes before that. Who keeps its buckets
 * renews the Lease instead, so that whoever comes back has the most time. The last one
 * to leave gives up the real locks, so that who waits for them need wait no longer.
 */
#ifndef RINGSIDE_MEMBER_LEAVE_H
#define RINGSIDE_MEMBER_LEAVE_H

#include "proxy/member/election.h"
#include "proxy/member/keeper.h"
#include "proxy/member/membership.h"
#include "proxy/member/stakes.h"

struct leave {
	struct member_context *context;
	struct keeper *keeper;
	const struct election *election;
	struct stakes *stakes;
	const struct inflight *inflight;
	bool (*is_named)(void *arg);     /* whether buckets are named for us */
	bool (*is_withdrawn)(void *arg); /* whether objects have left the views */
	bool (*is_last)(void *arg);      /* whether no other member may still write */
	void *arg;                       /* of these */
	struct membership_parting parting;
	struct loop_timer timer;
	int64_t drained_ms; /* our clock: writes are waited for until then */
	int64_t over_ms;    /* and all else */
	bool has_begun;
	bool is_releasing; /* or renewing, of who keeps */
	bool is_released;
	bool keeps_locks; /* the real ones: others of the ring hold them on */
};

/* What it works with outlives it. */
void leave_init(struct leave *leave, struct member_context *context);
void leave_finish(struct leave *leave);

/* Begins; the fields up to inflight are set. on_left comes from the loop, once. */
void leave_start(struct leave *leave, const struct membership_parting *parting);

#endif
