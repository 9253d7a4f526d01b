#include "proxy/member/lease_call.h"

#include <assert.h>
#include <errno.h>

#define LEASE_BYTES_MAX (64 * 1024)

static const struct {
	const char *method;
	enum member_grant grant;
	bool names_object;
} verbs[] = {
	[LEASE_GET] = { "GET", GRANT_LEASE_GET, true },
	[LEASE_CREATE] = { "POST", GRANT_LEASE_CREATE, false },
	[LEASE_UPDATE] = { "PUT", GRANT_LEASE_UPDATE, true },
	[LEASE_PATCH] = { "PATCH", GRANT_LEASE_PATCH, true },
	[LEASE_DELETE] = { "DELETE", GRANT_LEASE_DELETE, true },
};

/* uid: "" where only the version is known. */
static int delete_options_write(struct buf *out, const struct lease *lease)
{
	int rc = buf_append_text(out,
				 "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
				 "\"preconditions\":{");

	if (rc == 0 && lease->uid.len > 0)
		rc = buf_printf(out, "\"uid\":\"%.*s\",", SLICE_ARGS(lease->uid));
	if (rc == 0)
		rc = buf_printf(out, "\"resourceVersion\":\"%.*s\"}}",
				SLICE_ARGS(lease->resource_version));
	return rc;
}

/* A text as JSON behind its key; of "" null, which takes the field away. */
static int field_write(struct buf *out, const char *key, struct slice text)
{
	int rc = buf_printf(out, "\"%s\":", key);

	if (rc < 0)
		return rc;
	return text.len > 0 ? json_write_string(out, text)
			    : buf_append_text(out, "null");
}

/* Who holds it, and since when; the precondition. */
static int patch_write(struct buf *out, const struct lease *lease)
{
	const struct {
		const char *before, *key;
		struct slice text;
	} fields[] = {
		{ "{\"metadata\":{", "name", lease->name },
		{ ",", "uid", lease->uid },
		{ ",", "resourceVersion", lease->resource_version },
		{ "},\"spec\":{", "holderIdentity", lease->holder },
		{ ",", "acquireTime", lease->acquire_time },
		{ ",", "renewTime", lease->renew_time },
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(fields) / sizeof(fields[0]); i++) {
		rc = buf_append_text(out, fields[i].before);
		if (rc == 0)
			rc = field_write(out, fields[i].key, fields[i].text);
	}
	return rc < 0 ? rc
		      : buf_printf(out,
				   ",\"leaseDurationSeconds\":%lld,"
				   "\"leaseTransitions\":%lld}}",
				   (long long)lease->duration_s,
				   (long long)lease->transitions);
}

static int body_write(struct buf *out, enum lease_verb verb, const struct lease *lease)
{
	struct lease fresh = *lease;

	switch (verb) {
	case LEASE_GET:
		return 0;
	case LEASE_CREATE:
		fresh.uid = fresh.resource_version = slice_of(NULL);
		return lease_write(out, &fresh);
	case LEASE_UPDATE:
		return lease_write(out, lease);
	case LEASE_PATCH:
		return patch_write(out, lease);
	case LEASE_DELETE:
		return delete_options_write(out, lease);
	}
	return 0;
}

struct api_call *lease_call(const struct member_context *context, enum lease_verb verb,
			    const struct lease *lease, lease_on_answer *on_answer,
			    void *arg)
{
	struct arena *arena = arena_create();
	struct api_request request = {
		.method = verbs[verb].method,
		.timeout_ms = member_call_timeout_ms(context),
	};
	struct slice namespace = lease->namespace.len > 0
					 ? lease->namespace
					 : slice_of(context->conf.namespace);
	struct api_call *call;
	struct buf body;
	int rc;

	buf_init(&body, LEASE_BYTES_MAX);
	rc = body_write(&body, verb, lease);
	assert(rc == 0 && "every text of a Lease was bounded when it was read");
	(void)rc;
	request.target = arena_printf(
		arena, "/apis/coordination.k8s.io/v1/namespaces/%.*s/leases%s%.*s",
		SLICE_ARGS(namespace), verbs[verb].names_object ? "/" : "",
		verbs[verb].names_object ? (int)lease->name.len : 0, lease->name.data);
	if (body.len > 0) {
		request.content_type = verb == LEASE_PATCH ? API_MERGE_PATCH : API_JSON;
		request.body = buf_slice(&body);
	}
	call = api_start(context->api, &request, on_answer, arg);
	buf_finish(&body);
	arena_destroy(arena);
	return call;
}

enum lease_outcome lease_call_outcome(struct member_context *context,
				      enum lease_verb verb,
				      const struct api_answer *answer,
				      struct lease *out, struct err *err)
{
	if (api_is_success(answer)) {
		if (!out || verb == LEASE_DELETE ||
		    lease_of_json(out, answer->json, err) == 0)
			return LEASE_OK;
		return LEASE_FAILED;
	}
	*err = answer->err;
	member_refusal_note(context, verbs[verb].grant, answer);
	if (answer->status == 404 && verb == LEASE_GET)
		return LEASE_ABSENT;
	if (answer->status == 404 || answer->status == 409)
		return LEASE_CONFLICT;
	return LEASE_FAILED;
}

bool lease_is_newer(const struct lease *lease, const struct lease *than)
{
	uint64_t version, former;

	return slice_to_u64(lease->resource_version, &version) == 0 &&
	       slice_to_u64(than->resource_version, &former) == 0 && version > former;
}

void lease_copy_set(struct lease_copy *copy, const struct lease *lease)
{
	struct arena *arena = arena_create();
	struct lease kept = *lease;
	struct slice *const texts[] = {
		&kept.name,
		&kept.namespace,
		&kept.uid,
		&kept.holder,
		&kept.resource_version,
		&kept.acquire_time,
		&kept.renew_time,
		&kept.ring,
		&kept.state,
		&kept.settings,
		&kept.controller,
		&kept.acknowledged,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		*texts[i] = arena_copy(arena, *texts[i]);
	arena_destroy(copy->arena);
	*copy = (struct lease_copy){ .lease = kept, .arena = arena };
}

void lease_copy_clear(struct lease_copy *copy)
{
	arena_destroy(copy->arena);
	*copy = (struct lease_copy){ 0 };
}
