/*
 * A filter's call from plain values: a request line, a ring, and what the exchange
 * would have gathered. The ring is called foos; its main resource foos owns
 * deployments (visible) and secrets (hidden); it has 8 buckets, and its controllers
 * elect a leader by the Lease lock in the namespace ns.
 */
#ifndef RINGSIDE_UNIT_DESK_H
#define RINGSIDE_UNIT_DESK_H

#include "filters/filter.h"
#include "tests/unit/filters/desk_spec.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define FOOS "/apis/samplecontroller.k8s.io/v1/namespaces/ns/foos"
#define DEPLOYMENTS "/apis/apps/v1/namespaces/ns/deployments"
#define SECRETS "/api/v1/namespaces/ns/secrets"
#define L "bucket.ringside.dev/foos"

struct desk {
	struct arena *arena;
	struct ring_spec spec;
	struct ring ring;
	struct view view;
	struct kube_request request;
	struct object_meta body;
	struct filter_call call;
};

static inline struct bucket_set buckets(const char *text)
{
	struct bucket_set set;

	ck_assert_int_eq(bucket_set_parse(&set, slice_of(text), BUCKETS_MAX), 0);
	return set;
}

/* A request at an active member that owns buckets 0-2, from floor 100, at time 0. */
static inline void desk_open(struct desk *desk, const char *method, const char *target)
{
	struct filter_call *call = &desk->call;

	*desk = (struct desk){ .arena = arena_create() };
	desk_spec_init(&desk->spec, desk->arena);
	kube_request_parse(&desk->request, desk->arena, slice_of(method),
			   slice_of(target));
	desk->ring = (struct ring){ .state = RING_ACTIVE,
				    .spec = &desk->spec,
				    .owned = buckets("0-2"),
				    .right_until_ms = 1000 };
	desk->ring.shown[RESOURCE_MAIN] = desk->ring.owned;
	desk->view = (struct view){ .set = desk->ring.owned, .floor = 100 };
	call->request = &desk->request;
	call->spec = &desk->spec;
	call->ring = &desk->ring;
	call->view = &desk->view;
	call->arena = desk->arena;
	call->label = BUCKET_NONE;
	call->query = query_parse(desk->arena, desk->request.query);
	if (desk->request.verb != KUBE_VERB_NONE)
		call->resource = ring_spec_find(&desk->spec, desk->request.group,
						desk->request.resource);
}

static inline void desk_close(struct desk *desk)
{
	arena_destroy(desk->arena);
}

/* The query as it would leave. */
static inline const char *desk_query(struct desk *desk)
{
	struct buf out;
	const char *text;

	buf_init(&out, 1 << 20);
	ck_assert_int_eq(query_write(desk->call.query, &out), 0);
	text = arena_text(desk->arena, buf_slice(&out));
	buf_finish(&out);
	return text;
}

/* A parameter's first value as it would leave, or NULL. */
static inline const char *desk_parameter(struct desk *desk, const char *key)
{
	struct query *query = query_parse(desk->arena, slice_of(desk_query(desk)));
	struct slice value;

	return query_get(query, key, &value) ? arena_text(desk->arena, value) : NULL;
}

/* Whether all these fields of the reply are as told. */
static inline void desk_check_reply(const struct desk *desk, int code,
				    const char *reason, const char *says)
{
	ck_assert_int_eq(desk->call.reply.code, code);
	ck_assert_str_eq(desk->call.reply.reason, reason);
	ck_assert_msg(strstr(desk->call.reply.message, says), "'%s' does not say '%s'",
		      desk->call.reply.message, says);
}

#endif
