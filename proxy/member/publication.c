#include "proxy/member/publication.h"

#include "proxy/base/log.h"
#include "proxy/kube/lease.h"
#include "proxy/ring/coordination.h"

static void publication_on_answer(void *arg, const struct api_answer *answer)
{
	struct publication *publication = arg;
	struct member_context *context = publication->context;

	publication->call = NULL;
	if (api_is_success(answer)) {
		context->values[MEMBER_EPOCHS]++;
		context->values[MEMBER_MOVES] += publication->moves;
		log_info("coordinator", "published an assignment",
			 log_int("epoch", (int64_t)publication->epoch),
			 log_int("moves", publication->moves));
		follower_observe(publication->follower, answer->json);
		publication->on_done(publication->arg);
		return;
	}
	member_refusal_note(context,
			    publication->is_create ? GRANT_ASSIGNMENT_CREATE
						   : GRANT_ASSIGNMENT_UPDATE,
			    answer);
	log_warn("coordinator", "could not publish; reading what stands there",
		 log_int("epoch", (int64_t)publication->epoch),
		 log_text("error", answer->err.text));
	if (answer->status != 409 && answer->status != 404)
		loop_timer_start(context->loop, &publication->pause,
				 answer->status == 403 ? context->conf.lease_renew_ms
						       : member_retry_ms(context));
	follower_read(publication->follower);
}

static int body_write(const struct publication *publication, struct buf *out,
		      const struct assignment *next)
{
	const struct member_context *context = publication->context;
	struct slice version = follower_version(publication->follower);
	int rc = buf_printf(
		out,
		"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{"
		"\"name\":\"%s\",\"namespace\":\"%s\",\"labels\":{\"%s\":\"%.*s\"}",
		context->assignment_name, context->conf.namespace, LEASE_LABEL_RING,
		SLICE_ARGS(context->spec->ring));

	if (rc == 0 && version.len > 0)
		rc = buf_printf(out, ",\"uid\":\"%.*s\",\"resourceVersion\":\"%.*s\"",
				SLICE_ARGS(follower_uid(publication->follower)),
				SLICE_ARGS(version));
	if (rc == 0)
		rc = buf_append_text(out, "},\"data\":");
	if (rc == 0)
		rc = assignment_write(out, next, context->spec);
	if (rc == 0)
		rc = buf_append_text(out, "}");
	return rc;
}

void publication_start(struct publication *publication, const struct assignment *now,
		       const struct assignment *next)
{
	struct member_context *context = publication->context;
	struct arena *arena = arena_create();
	bool is_create = follower_version(publication->follower).len == 0;
	struct api_request request = {
		.method = is_create ? "POST" : "PUT",
		.target = arena_printf(arena, "/api/v1/namespaces/%s/configmaps%s%s",
				       context->conf.namespace, is_create ? "" : "/",
				       is_create ? "" : context->assignment_name),
		.content_type = API_JSON,
		.timeout_ms = member_call_timeout_ms(context),
	};
	struct buf body;

	buf_init(&body, ASSIGNMENT_BYTES_MAX);
	if (body_write(publication, &body, next) < 0) {
		log_error("coordinator", "the assignment does not fit into a ConfigMap",
			  log_int("epoch", (int64_t)next->epoch));
		loop_timer_start(context->loop, &publication->pause,
				 context->conf.lease_renew_ms);
	} else {
		request.body = buf_slice(&body);
		publication->is_create = is_create;
		publication->epoch = next->epoch;
		publication->moves = coordination_moves(now, next);
		publication->call = api_start(context->api, &request,
					      publication_on_answer, publication);
	}
	buf_finish(&body);
	arena_destroy(arena);
}

bool publication_is_busy(const struct publication *publication)
{
	return publication->call || loop_timer_is_running(&publication->pause) ||
	       follower_is_reading(publication->follower);
}

static void publication_on_pause(void *arg)
{
	struct publication *publication = arg;

	publication->on_done(publication->arg);
}

void publication_init(struct publication *publication, struct member_context *context,
		      struct follower *follower, void (*on_done)(void *arg), void *arg)
{
	*publication = (struct publication){
		.context = context, .follower = follower, .on_done = on_done, .arg = arg
	};
	loop_timer_init(&publication->pause, publication_on_pause, publication);
}

void publication_finish(struct publication *publication)
{
	loop_timer_stop(&publication->pause);
	api_cancel(publication->call);
}
