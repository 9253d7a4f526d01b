/*
 * Who owns which bucket, for messages: what an assignment says, kept apart from it
 * and shared by the rings that were made under it.
 */
#ifndef RINGSIDE_RING_OWNERS_H
#define RINGSIDE_RING_OWNERS_H

#include "proxy/ring/assignment.h"

struct owners;

/* With one reference. */
struct owners *owners_create(const struct assignment *assignment);
/* NULL is fine: nothing is known. */
struct owners *owners_ref(struct owners *owners);
void owners_unref(struct owners *owners);

/* Identities; "" for nobody. target is owner where no handover is under way. */
struct bucket_owner {
	struct slice owner, target;
};

struct bucket_owner owners_of(const struct owners *owners, int bucket);

#endif
