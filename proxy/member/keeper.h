/*
 * The keeper: our own Lease, and with it our right to write. It claims the Lease
 * (claimer), renews it, says when the right ends, and notices when the Lease was
 * taken from us; then it waits until our writes are over and joins again as a
 * new incarnation (design, section 5, "Leases and rights").
 *
 * One write is under way at a time, always with the resourceVersion that the
 * last one gave as precondition. Whoever needs the Lease written now (a barrier,
 * an acknowledgement, the release) asks; a write that was sent before does not
 * count for him.
 *
 *	CLAIMING -> HOLDING <-> CHECKING -> DRAINING -> CLAIMING
 *	                 HOLDING, CHECKING -> LEFT
 */
#ifndef RINGSIDE_MEMBER_KEEPER_H
#define RINGSIDE_MEMBER_KEEPER_H

#include "proxy/member/claimer.h"
#include "proxy/ring/inflight.h"

enum keeper_state {
	KEEPER_CLAIMING,
	KEEPER_HOLDING,  /* ours, as far as we know; the right may have run out */
	KEEPER_CHECKING, /* a renewal was refused: reading what stands there */
	KEEPER_DRAINING, /* taken from us: until our writes are answered or over */
	KEEPER_LEFT,
};

struct keeper_events {
	/* The state, the identity or the end of the right changed. */
	void (*on_change)(void *arg);
	/* The Lease as the API server has it, after each of our writes and reads. */
	void (*on_stored)(void *arg, const struct lease *lease);
	/* Our Lease was just written: others may write theirs on this tick. */
	void (*on_tick)(void *arg);
};

struct keeper;

/* inflight: our writes, for as long as it lives. */
struct keeper *keeper_create(struct member_context *context,
			     const struct inflight *inflight,
			     const struct keeper_events *events, void *arg);

/* Begins to claim. named: as in claim_question. Once. */
void keeper_start(struct keeper *keeper, struct slice named);
/* Stops; what stands on the Lease stays. */
void keeper_destroy(struct keeper *keeper);

enum keeper_state keeper_state(const struct keeper *keeper);

/* "" unless HOLDING or CHECKING. Borrowed until on_change. */
struct slice keeper_identity(const struct keeper *keeper);

/* Whether the lock file tells that a process of this member ran here before. */
bool keeper_had_former(const struct keeper *keeper);

/* Whether our Lease is ours and the lock file says so: a successor can adopt it. */
bool keeper_holds_lock(const struct keeper *keeper);

/* When the right ends or ended, by our clock; 0: there is none. */
int64_t keeper_right_until_ms(const struct keeper *keeper);
bool keeper_has_right(const struct keeper *keeper);

/* Since when every renewal has gone through; INT64_MAX: the last one did not. */
int64_t keeper_contact_ms(const struct keeper *keeper);

/* Why the Lease is not ours: static text. */
const char *keeper_reason(const struct keeper *keeper);

/* The highest epoch that our Lease told of in former lives. */
uint64_t keeper_told_epoch(const struct keeper *keeper);

/* Our Lease was seen to change, not by an answer to us. */
void keeper_poke(struct keeper *keeper, const struct lease *lease);

/*
 * What was to be released up to this epoch is released: written with the next
 * renewal, and at once if somebody awaits it or nothing was acknowledged before.
 */
void keeper_acknowledge(struct keeper *keeper, uint64_t epoch, bool is_awaited);

/*
 * Whether the controller beside us is silent: written at once. Who is so is given no
 * buckets, and those that it has go to others.
 */
void keeper_set_unattended(struct keeper *keeper, bool is_unattended);

/*
 * From when on writes of a former process, whose incarnation we adopted, are over;
 * 0: there was none.
 */
int64_t keeper_former_over_ms(const struct keeper *keeper);

/* Writes the Lease; done(version) from the loop, 0 when it failed. */
void keeper_write_barrier(struct keeper *keeper,
			  void (*done)(void *arg, uint64_t version), void *arg);

/*
 * Writes the released state as soon as is safe for an incarnation that we
 * adopted (its former process's writes may still be under way), then deletes the
 * Lease if `deletes`. Tried until it succeeds or keeper_destroy; on_left comes
 * once, from the loop, unless destroyed before.
 */
void keeper_release(struct keeper *keeper, bool deletes, void (*on_left)(void *arg),
		    void *arg);

#endif
