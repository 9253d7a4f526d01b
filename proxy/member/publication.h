/*
 * Publishing an assignment: one write of the ConfigMap at a time, with the
 * version that was seen last as precondition. What came of a write that was
 * refused, or whose answer was lost, is read before anything else is planned.
 */
#ifndef RINGSIDE_MEMBER_PUBLICATION_H
#define RINGSIDE_MEMBER_PUBLICATION_H

#include "proxy/member/follower.h"

struct publication {
	struct member_context *context;
	struct follower *follower;
	void (*on_done)(void *arg);
	void *arg;
	struct api_call *call;
	bool is_create;
	struct loop_timer pause; /* after a failure */
	uint64_t epoch; /* of the last attempt, which may be stored late; or 0 */
	int moves;
};

/* on_done: it may be planned again. */
void publication_init(struct publication *publication, struct member_context *context,
		      struct follower *follower, void (*on_done)(void *arg), void *arg);
/* A write under way may still be stored. */
void publication_finish(struct publication *publication);

/* Whether something is under way that decides what is to be planned. */
bool publication_is_busy(const struct publication *publication);

/* now: what the follower knows. Texts are copied. */
void publication_start(struct publication *publication, const struct assignment *now,
		       const struct assignment *next);

#endif
