/*
 * What a coordinator does to the Leases of others: seals the silent, reads the
 * doubtful, deletes the spent (proxy/ring/coordination says who is which). One
 * call a Lease at a time; what comes of it goes into the roster.
 */
#ifndef RINGSIDE_MEMBER_ERRANDS_H
#define RINGSIDE_MEMBER_ERRANDS_H

#include "proxy/member/peers.h"
#include "proxy/ring/coordination.h"

struct errands;

/* on_change: something is certain that was not. */
struct errands *errands_create(struct member_context *context, struct peers *peers,
			       void (*on_change)(void *arg), void *arg);
/* Calls under way may still have their effect. */
void errands_destroy(struct errands *errands);

/* Starts what is to be done and not under way. */
void errands_run(struct errands *errands, const struct coordination *c);

/*
 * Fills in c->replaced: what reads have shown. c->known must be set. Borrowed
 * until the next return to the loop.
 */
void errands_report(struct errands *errands, struct coordination *c);

#endif
