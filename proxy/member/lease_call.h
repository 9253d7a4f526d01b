/*
 * Calls about one Lease of the ring, and what their answers mean. Thin: no
 * decision is taken here but that of reading the answer.
 */
#ifndef RINGSIDE_MEMBER_LEASE_CALL_H
#define RINGSIDE_MEMBER_LEASE_CALL_H

#include "proxy/kube/lease.h"
#include "proxy/member/context.h"

enum lease_verb {
	LEASE_GET,    /* a consistent read */
	LEASE_CREATE, /* its precondition: there is none of that name */
	LEASE_UPDATE, /* its precondition: uid and resourceVersion */
	LEASE_PATCH,  /* the same; what we do not know of stays as it is */
	LEASE_DELETE, /* the same */
};

enum lease_outcome {
	LEASE_OK,
	LEASE_ABSENT,   /* read: there is none */
	LEASE_CONFLICT, /* written: the precondition did not hold */
	LEASE_FAILED,   /* nothing is known; a write may have been stored */
};

typedef void lease_on_answer(void *arg, const struct api_answer *answer);

/*
 * The Lease's name alone matters to a read; without a namespace it is the ring's. Texts
 * are copied.
 */
struct api_call *lease_call(const struct member_context *context, enum lease_verb verb,
			    const struct lease *lease, lease_on_answer *on_answer,
			    void *arg);

/*
 * What the answer says. *out (may be NULL) is the Lease as stored, for LEASE_OK
 * but of a delete; borrowed from the answer. err says what failed.
 */
enum lease_outcome lease_call_outcome(struct member_context *context,
				      enum lease_verb verb,
				      const struct api_answer *answer,
				      struct lease *out, struct err *err);

/* Whether it was stored after the other; false where that cannot be told. */
bool lease_is_newer(const struct lease *lease, const struct lease *than);

/* A Lease that is kept: all texts copied. Starts zeroed. */
struct lease_copy {
	struct lease lease;
	struct arena *arena;
};

void lease_copy_set(struct lease_copy *copy, const struct lease *lease);
void lease_copy_clear(struct lease_copy *copy);

#endif
