#include "proxy/member/context.h"

#include "proxy/base/log.h"
#include "proxy/ring/agreement.h"

#define CALL_TIMEOUT_MIN_MS 200
#define RETRY_MIN_MS 100

void member_context_init(struct member_context *context, const struct member_conf *conf)
{
	struct arena *arena = arena_create();
	struct slice ring = context->spec->ring;

	context->arena = arena;
	context->conf = *conf;
	context->conf.id = arena_text(arena, slice_of(conf->id));
	context->conf.namespace = arena_text(arena, slice_of(conf->namespace));
	context->conf.lock_file = arena_text(arena, slice_of(conf->lock_file));
	context->seat_name = arena_text(arena, ring);
	context->lease_name =
		arena_printf(arena, "%.*s.%s", SLICE_ARGS(ring), conf->id);
	context->assignment_name =
		arena_printf(arena, "%.*s-assignment", SLICE_ARGS(ring));
	context->settings = settings_of_spec(context->spec, arena);
}

void member_context_finish(struct member_context *context)
{
	arena_destroy(context->arena);
}

void member_context_reload(struct member_context *context,
			   const struct member_conf *conf)
{
	context->conf.on_stop = conf->on_stop;
	context->conf.controller_silence_ms = conf->controller_silence_ms;
	context->conf.shards = conf->shards;
	context->conf.generation = conf->generation;
	context->conf.handover_quiet_ms = conf->handover_quiet_ms;
	context->conf.handover_settle_ms = conf->handover_settle_ms;
	context->conf.handover_batch_ms = conf->handover_batch_ms;
	context->conf.handover_drain_timeout_ms = conf->handover_drain_timeout_ms;
	context->conf.label_concurrency = conf->label_concurrency;
	context->conf.label_rate = conf->label_rate;
	context->conf.label_audit_ms = conf->label_audit_ms;
}

int64_t member_lease_seconds(const struct member_context *context)
{
	return (context->conf.lease_duration_ms + 999) / 1000;
}

int64_t member_call_timeout_ms(const struct member_context *context)
{
	const struct member_conf *conf = &context->conf;
	int64_t timeout_ms = (conf->lease_duration_ms - conf->lease_margin_ms -
			      conf->lease_renew_ms) /
			     2;

	if (timeout_ms > API_TIMEOUT_MS)
		return API_TIMEOUT_MS;
	return timeout_ms < CALL_TIMEOUT_MIN_MS ? CALL_TIMEOUT_MIN_MS : timeout_ms;
}

int64_t member_retry_ms(const struct member_context *context)
{
	int64_t told_ms = context->wait_until_ms - loop_now_ms(context->loop);
	int64_t retry_ms = context->conf.lease_renew_ms / 5;

	if (retry_ms < RETRY_MIN_MS)
		retry_ms = RETRY_MIN_MS;
	return retry_ms < told_ms ? told_ms : retry_ms;
}

static const struct {
	const char *verbs;
	const char *resource;
} grants[] = {
	[GRANT_LEASE_GET] = { "get", "leases.coordination.k8s.io" },
	[GRANT_LEASE_WATCH] = { "list and watch", "leases.coordination.k8s.io" },
	[GRANT_LEASE_CREATE] = { "create", "leases.coordination.k8s.io" },
	[GRANT_LEASE_UPDATE] = { "update", "leases.coordination.k8s.io" },
	[GRANT_LEASE_PATCH] = { "patch", "leases.coordination.k8s.io" },
	[GRANT_LEASE_DELETE] = { "delete", "leases.coordination.k8s.io" },
	[GRANT_ASSIGNMENT_GET] = { "get", "configmaps" },
	[GRANT_ASSIGNMENT_WATCH] = { "list and watch", "configmaps" },
	[GRANT_ASSIGNMENT_CREATE] = { "create", "configmaps" },
	[GRANT_ASSIGNMENT_UPDATE] = { "update", "configmaps" },
};

static void note_flow_control(struct member_context *context,
			      const struct api_answer *answer)
{
	int64_t wait_ms = answer->retry_after_ms;

	if (answer->status != 429)
		return;
	if (wait_ms > context->conf.lease_renew_ms)
		wait_ms = context->conf.lease_renew_ms;
	context->wait_until_ms = loop_now_ms(context->loop) + wait_ms;
}

void member_refusal_note(struct member_context *context, enum member_grant grant,
			 const struct api_answer *answer)
{
	uint32_t bit = UINT32_C(1) << grant;

	note_flow_control(context, answer);
	if (answer->status != 403 || context->grants_told & bit)
		return;
	context->grants_told |= bit;
	log_error("member",
		  "the API server forbids what membership needs; add it to the "
		  "Role of this member",
		  log_text("verbs", grants[grant].verbs),
		  log_text("resource", grants[grant].resource),
		  log_text("namespace", context->conf.namespace),
		  log_text("answer", answer->err.text));
}
