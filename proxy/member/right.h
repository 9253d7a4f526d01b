/*
 * The right to write: it follows from when our newest stored renewal was sent,
 * by our clock, and ends by itself, `margin` before the Lease runs out for those
 * who watch it. With it goes the contact: since when every renewal has gone
 * through, as silence of others proves nothing while we cannot hear.
 */
#ifndef RINGSIDE_MEMBER_RIGHT_H
#define RINGSIDE_MEMBER_RIGHT_H

#include "proxy/member/context.h"

struct right {
	struct member_context *context;
	void (*on_change)(void *arg); /* it came, was extended, or went */
	void *arg;
	struct loop_timer timer;
	int64_t sent_ms; /* of the newest stored renewal; 0: none of this incarnation */
	int64_t contact_ms; /* INT64_MAX: the last renewal failed */
	bool is_held;       /* as told last */
};

void right_init(struct right *right, struct member_context *context,
		void (*on_change)(void *arg), void *arg);
void right_finish(struct right *right);

/* A renewal that was sent at sent_ms was stored. */
void right_extend(struct right *right, int64_t sent_ms);
/* A renewal failed: the right goes on, the contact does not. */
void right_lose_contact(struct right *right);
/* The Lease is not ours any more: at once. */
void right_end(struct right *right);

/* When it ends, by our clock; 0: there is none. */
int64_t right_until_ms(const struct right *right);
/* When the Lease has run out for everybody, and all that was sent under it. */
int64_t right_over_ms(const struct right *right);
bool right_is_held(const struct right *right);

#endif
