/*
 * Looks for signs of life of the controller beside us (proxy/ring/vitals), from time to
 * time, and tells on our Lease when there are none.
 */
#ifndef RINGSIDE_MEMBER_PULSE_H
#define RINGSIDE_MEMBER_PULSE_H

#include "proxy/member/keeper.h"
#include "proxy/ring/ring.h"

struct pulse {
	struct member_context *context;
	struct keeper *keeper;
	const struct ring_holder *ring;
	struct vitals_state state;
	int64_t since_ms;  /* we serve; INT64_MAX: we do not */
	int64_t looked_ms; /* when we looked last */
	struct loop_timer timer;
};

/* Begins; the first three fields are set, and outlive it. */
void pulse_init(struct pulse *pulse);
void pulse_finish(struct pulse *pulse);

/* What is wrong with the controller: static text, "" for nothing. */
const char *pulse_complaint(const struct pulse *pulse);

#endif
