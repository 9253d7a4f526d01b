/*
 * What the parts of membership share: the way to the API server, the ring's
 * names, our copy of the configuration, the counters. Made once by membership,
 * which owns it and outlives every part.
 */
#ifndef RINGSIDE_MEMBER_CONTEXT_H
#define RINGSIDE_MEMBER_CONTEXT_H

#include "proxy/member/conf.h"
#include "proxy/member/counts.h"
#include "proxy/net/api.h"
#include "proxy/ring/spec.h"

/* What our Role must allow; a bit each, so that each is told once. */
enum member_grant {
	GRANT_LEASE_GET,
	GRANT_LEASE_WATCH,
	GRANT_LEASE_CREATE,
	GRANT_LEASE_UPDATE,
	GRANT_LEASE_PATCH,
	GRANT_LEASE_DELETE,
	GRANT_ASSIGNMENT_GET,
	GRANT_ASSIGNMENT_WATCH,
	GRANT_ASSIGNMENT_CREATE,
	GRANT_ASSIGNMENT_UPDATE,
};

struct member_context {
	struct loop *loop;
	const struct api *api;
	const struct ring_spec *spec;
	struct member_conf conf; /* a reload changes it; texts are in the arena */
	struct arena *arena;
	const char *lease_name; /* "<ring>.<member>" */
	const char *seat_name;  /* "<ring>": the coordinator's Lease */
	const char *assignment_name;
	const char *settings; /* settings_of_spec */
	int64_t values[MEMBER_METRICS_N];
	uint32_t grants_told;  /* bit of enum member_grant */
	int64_t wait_until_ms; /* our clock: flow control told us to wait */
};

/* Copies the configuration and makes the names. */
void member_context_init(struct member_context *context,
			 const struct member_conf *conf);
void member_context_finish(struct member_context *context);

/* What a reload may change. */
void member_context_reload(struct member_context *context,
			   const struct member_conf *conf);

/* leaseDurationSeconds; a duration of other than whole seconds is rounded up. */
int64_t member_lease_seconds(const struct member_context *context);

/*
 * For our own calls: short enough that a renewal that hangs can be tried again
 * before the right ends.
 */
int64_t member_call_timeout_ms(const struct member_context *context);

/* How soon a failed call is tried again: not before the API server said. */
int64_t member_retry_ms(const struct member_context *context);

/*
 * What an answer says about calls to come. RBAC: logs, once, what the Role lacks.
 * Flow control (429, Retry-After): we wait, but never longer than a renewal may.
 */
void member_refusal_note(struct member_context *context, enum member_grant grant,
			 const struct api_answer *answer);

#endif
