/*
 * Getting hold of our membership Lease, at start and after we were ended: reads
 * it until claim_judge lets us create it, take it or go on as the incarnation
 * that it bears, and writes it so. Part of the keeper, who holds it afterwards.
 */
#ifndef RINGSIDE_MEMBER_CLAIMER_H
#define RINGSIDE_MEMBER_CLAIMER_H

#include "proxy/member/lease_call.h"
#include "proxy/member/lock.h"

struct claimer_events {
	/*
	 * The Lease is ours, as stored. sent_ms: our clock, before it was written.
	 * is_adopted: as our predecessor's incarnation.
	 */
	void (*on_claimed)(void *arg, const struct lease *lease, int64_t sent_ms,
			   bool is_adopted);
	/* It is not yet; why, for a person: static text. */
	void (*on_waiting)(void *arg, const char *reason);
};

struct claimer {
	struct member_context *context;
	struct lock lock; /* held until finish */
	const struct claimer_events *events;
	void *arg;
	struct api_call *call;
	struct loop_timer timer;
	struct lease_copy seen; /* what stands there; empty when nothing does */
	bool has_claimed; /* in this process: what the lock file records is ours */
	bool has_read;    /* seen and since_ms mean something */
	int64_t since_ms;
	enum lease_verb verb; /* of the call */
	/* The identity of our last attempt: nobody else's, should it stand there. */
	char attempt[IDENTITY_BYTES_MAX + 1];
	char attempt_version[24]; /* what it was to replace; "" for nothing */
	char named[IDENTITY_BYTES_MAX + 1];
	uint64_t acknowledged; /* to be written; set by its owner */
	uint64_t told_epoch;   /* the highest epoch that the Lease told of */
	const char *told;      /* the reason that was logged last */
};

/* context and events outlive it. */
void claimer_init(struct claimer *claimer, struct member_context *context,
		  const struct claimer_events *events, void *arg);
/* Stops; a claim under way may still be stored. */
void claimer_finish(struct claimer *claimer);

/* Begins, the first time or again. named: as in claim_question; copied. */
void claimer_start(struct claimer *claimer, struct slice named);
void claimer_stop(struct claimer *claimer);

/* Whether a write is under way, which may be stored whatever we do. */
bool claimer_is_writing(const struct claimer *claimer);

/* The Lease was seen to change: reads it now if we wait. */
void claimer_poke(struct claimer *claimer);

#endif
