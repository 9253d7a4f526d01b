/*
 * What follows for the request path from all that membership knows: one value,
 * computed anew whenever something changed. Pure but for the clock and catalog
 * that it is handed.
 */
#ifndef RINGSIDE_MEMBER_OUTLOOK_H
#define RINGSIDE_MEMBER_OUTLOOK_H

#include "proxy/member/keeper.h"
#include "proxy/ring/agreement.h"
#include "proxy/ring/changeover.h"
#include "proxy/ring/ring.h"

struct outlook {
	const struct ring_spec *spec;
	const struct assignment *known;
	bool is_foreign; /* the ConfigMap has another format */
	bool is_leaving;
	bool keeps;      /* leaving: for whoever comes back, and so the views stay */
	bool was_member; /* has held its Lease before */
	struct slice identity; /* on our Lease; "" while it is not ours */
	const char *keeper_reason;
	int64_t right_until_ms;
	int64_t locks_until_ms; /* as stakes_until_ms */
	bool locks_are_foreign, locks_were_held;
	int64_t now_ms;
	const struct changeover *changeover; /* stepped with outlook_identity */
	uint32_t catalogued; /* bit i: resource i is known to the API server */
};

/* The identity under which buckets can be ours; "" while something is against it. */
struct slice outlook_identity(const struct outlook *outlook);

/* Whether LISTs and WATCHes can be answered. */
bool outlook_is_serving(const struct outlook *outlook);

/*
 * Whether this member could serve, but for the real locks: until then it leaves them
 * to whoever has them.
 */
bool outlook_wants_locks(const struct outlook *outlook);

struct ring outlook_ring(const struct outlook *outlook);

/* Whether they say the same to the request path. */
bool outlook_is_equal(const struct ring *a, const struct ring *b);

#endif
