#include "proxy/member/follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/net/reflector.h"
#include "proxy/ring/agreement.h"

struct follower {
	struct member_context *context;
	const struct follower_events *events;
	void *arg;
	struct assignment *known; /* with its texts in the arena */
	struct arena *arena;
	uint64_t seen; /* highest resourceVersion seen */
	char version[24];
	char uid[64];
	bool is_stored;
	bool is_foreign;
	bool is_ready;
	bool is_listed; /* seen since on_list */
	struct api_call *call;
	struct loop_timer timer;
	struct reflector *reflector;
};

/* --- what others ask --- */

const struct assignment *follower_assignment(const struct follower *follower)
{
	return follower->known;
}

bool follower_is_stored(const struct follower *follower)
{
	return follower->is_stored;
}

bool follower_is_foreign(const struct follower *follower)
{
	return follower->is_foreign;
}

struct slice follower_version(const struct follower *follower)
{
	return slice_of(follower->version);
}

struct slice follower_uid(const struct follower *follower)
{
	return slice_of(follower->uid);
}

bool follower_is_reading(const struct follower *follower)
{
	return follower->call || loop_timer_is_running(&follower->timer);
}

/* --- a version of it --- */

static void follower_tell(const struct follower *follower, const char *message,
			  const char *reason)
{
	log_error("assignment", message,
		  log_text("configmap", follower->context->assignment_name),
		  log_text("version", follower->version),
		  log_int("known_epoch", (int64_t)follower->known->epoch),
		  log_text("reason", reason));
}

static void follower_adopt(struct follower *follower, struct arena *arena,
			   struct assignment *assignment)
{
	arena_destroy(follower->arena);
	follower->arena = arena;
	follower->known = assignment;
	follower->is_stored = true;
	follower->context->values[MEMBER_EPOCH] = (int64_t)assignment->epoch;
	log_info("assignment", "new assignment",
		 log_int("epoch", (int64_t)assignment->epoch),
		 log_int("shards", assignment->shards),
		 log_int("active", assignment->active_n));
}

/* Whether its data says that it is not ours to understand; garbage says nothing. */
static bool is_foreign_format(const struct json *data)
{
	uint64_t number;

	return slice_to_u64(json_text(data, "format"), &number) == 0 &&
	       number != ASSIGNMENT_FORMAT;
}

/* A version that was not seen before, and replaces nothing that is known. */
static void follower_refuse(struct follower *follower, const struct err *err)
{
	if (follower->is_foreign)
		follower_tell(follower,
			      "the assignment has a format of another version of "
			      "Ringside; we leave it alone",
			      err->text);
	else
		follower_tell(
			follower,
			"the assignment that was stored cannot be followed; we go "
			"on with what we know, and the coordinator writes that anew",
			err->text);
}

static void follower_take(struct follower *follower, const struct json *object)
{
	struct slice version = json_text(object, "metadata.resourceVersion");
	struct slice uid = json_text(object, "metadata.uid");

	(void)slice_to_u64(version, &follower->seen);
	follower->is_stored = false;
	follower->is_foreign = is_foreign_format(json_get(object, "data"));
	snprintf(follower->version, sizeof(follower->version), "%.*s",
		 SLICE_ARGS(version));
	snprintf(follower->uid, sizeof(follower->uid), "%.*s", SLICE_ARGS(uid));
}

/* Whether two assignments say the same, whoever wrote them. */
static bool is_same(const struct follower *follower, const struct assignment *read)
{
	const struct ring_spec *spec = follower->context->spec;
	struct buf a, b;
	bool is_same;

	if (read->epoch != follower->known->epoch)
		return false;
	buf_init(&a, ASSIGNMENT_BYTES_MAX);
	buf_init(&b, ASSIGNMENT_BYTES_MAX);
	is_same = assignment_write(&a, follower->known, spec) == 0 &&
		  assignment_write(&b, read, spec) == 0 &&
		  slice_eq(buf_slice(&a), buf_slice(&b));
	buf_finish(&a);
	buf_finish(&b);
	return is_same;
}

/* The verdict on a version of the ConfigMap; NEW: it was adopted. */
static enum version_verdict follower_judge(struct follower *follower,
					   const struct json *object, struct err *err)
{
	struct arena *arena = arena_create();
	struct assignment *read = arena_alloc(arena, sizeof(*read));
	struct assignment_version known = { follower->known->epoch, follower->seen };
	struct assignment_version found = { 0 };
	enum version_verdict verdict;

	(void)slice_to_u64(json_text(object, "metadata.resourceVersion"),
			   &found.version);
	if (assignment_parse(read, arena, follower->context->spec,
			     json_get(object, "data"), err) == 0) {
		found.epoch = read->epoch;
		err_set(err, 0, "its epoch %" PRIu64 " is over", read->epoch);
	}
	verdict = version_judge(&known, &found,
				found.epoch > 0 && is_same(follower, read));
	if (verdict != VERSION_STALE)
		follower_take(follower, object);
	if (verdict == VERSION_NEW)
		follower_adopt(follower, arena, read);
	else
		arena_destroy(arena);
	return verdict;
}

void follower_observe(struct follower *follower, const struct json *object)
{
	enum version_verdict verdict;
	struct err err;

	if (!slice_is(json_text(object, "metadata.name"),
		      follower->context->assignment_name))
		return;
	follower->is_listed = true;
	verdict = follower_judge(follower, object, &err);
	if (verdict == VERSION_STALE)
		return;
	if (verdict != VERSION_NEW)
		follower_refuse(follower, &err);
	if (follower->is_ready)
		follower->events->on_change(follower->arg);
}

static void follower_observe_gone(struct follower *follower)
{
	if (follower->version[0] == '\0')
		return;
	if (follower->known->epoch > 0)
		follower_tell(
			follower,
			"the assignment was deleted; we go on with what we know, and "
			"the coordinator writes that anew",
			"");
	follower->version[0] = '\0';
	follower->uid[0] = '\0';
	follower->is_stored = false;
	follower->is_foreign = false;
	if (follower->is_ready)
		follower->events->on_change(follower->arg);
}

/* --- the reflector's events --- */

static void follower_on_list(void *arg)
{
	struct follower *follower = arg;

	follower->is_listed = false;
}

static void follower_on_object(void *arg, const struct json *object)
{
	follower_observe(arg, object);
}

static void follower_on_gone(void *arg, const struct json *object)
{
	struct follower *follower = arg;
	uint64_t version;

	/* An answer to a write of ours may have overtaken the watch. */
	if (slice_to_u64(json_text(object, "metadata.resourceVersion"), &version) < 0 ||
	    version < follower->seen)
		return;
	follower_observe_gone(follower);
}

static void follower_on_synced(void *arg)
{
	struct follower *follower = arg;

	if (!follower->is_listed)
		follower_observe_gone(follower);
}

static void follower_on_failure(void *arg, const struct api_answer *answer)
{
	struct follower *follower = arg;

	member_refusal_note(follower->context, GRANT_ASSIGNMENT_WATCH, answer);
	log_info("assignment", "the watch of the assignment broke; it is tried again",
		 log_text("error", answer->err.text));
}

static const struct reflector_events reflector_events = {
	.on_list = follower_on_list,
	.on_object = follower_on_object,
	.on_gone = follower_on_gone,
	.on_synced = follower_on_synced,
	.on_failure = follower_on_failure,
};

static void follower_watch(struct follower *follower)
{
	struct member_context *context = follower->context;
	struct arena *arena = arena_create();
	struct reflector_source source = {
		.path = arena_printf(arena, "/api/v1/namespaces/%s/configmaps",
				     context->conf.namespace),
		.fields = arena_printf(arena, "metadata.name=%s",
				       context->assignment_name),
	};

	follower->reflector =
		reflector_create(context->api, &source, &reflector_events, follower);
	arena_destroy(arena);
}

/* --- consistent reads --- */

static void follower_on_read(void *arg, const struct api_answer *answer)
{
	struct follower *follower = arg;
	struct member_context *context = follower->context;

	follower->call = NULL;
	if (!api_is_success(answer) && answer->status != 404) {
		member_refusal_note(context, GRANT_ASSIGNMENT_GET, answer);
		log_warn("assignment", "could not read the assignment; trying again",
			 log_text("configmap", context->assignment_name),
			 log_text("error", answer->err.text));
		loop_timer_start(context->loop, &follower->timer,
				 member_retry_ms(context));
		return;
	}
	if (api_is_success(answer))
		follower_observe(follower, answer->json);
	else
		follower_observe_gone(follower);
	if (follower->is_ready) {
		follower->events->on_change(follower->arg);
		return;
	}
	follower->is_ready = true;
	follower_watch(follower);
	follower->events->on_ready(follower->arg);
}

static void follower_start_read(void *arg)
{
	struct follower *follower = arg;
	struct member_context *context = follower->context;
	struct arena *arena = arena_create();
	struct api_request request = {
		.method = "GET",
		.target = arena_printf(arena, "/api/v1/namespaces/%s/configmaps/%s",
				       context->conf.namespace,
				       context->assignment_name),
		.timeout_ms = member_call_timeout_ms(context),
	};

	follower->call = api_start(context->api, &request, follower_on_read, follower);
	arena_destroy(arena);
}

void follower_read(struct follower *follower)
{
	if (!follower->call) {
		loop_timer_stop(&follower->timer);
		follower_start_read(follower);
	}
}

/* --- life --- */

struct follower *follower_create(struct member_context *context,
				 const struct follower_events *events, void *arg)
{
	struct follower *follower = calloc(1, sizeof(*follower));

	if (!follower)
		abort();
	*follower =
		(struct follower){ .context = context, .events = events, .arg = arg };
	follower->arena = arena_create();
	follower->known = arena_alloc(follower->arena, sizeof(*follower->known));
	loop_timer_init(&follower->timer, follower_start_read, follower);
	follower_start_read(follower);
	return follower;
}

void follower_destroy(struct follower *follower)
{
	reflector_destroy(follower->reflector);
	api_cancel(follower->call);
	loop_timer_stop(&follower->timer);
	arena_destroy(follower->arena);
	free(follower);
}
