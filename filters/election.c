/*
 * election: every replica wins "its" leader election. The Lease that the controller
 * elects a leader by (`locks` in the file) is stored as "<name>.<member>", so that
 * nobody contends for it, and looks like <name> to the controller: the request gets
 * the other name here, its answer on the way back (net/renamer). The real Lease is
 * held by the ring (ring/stake).
 *
 * While this member may not write, renewals of its lock fail: the controller stops
 * itself the way it was built to. It stands first, as what it renames is no sharded
 * resource, and the other filters have nothing to say about it.
 */
#include <errno.h>

#include "filters/filter.h"
#include "proxy/kube/label_body.h"

static bool is_renamed_verb(enum kube_verb verb)
{
	switch (verb) {
	case KUBE_VERB_GET:
	case KUBE_VERB_LIST:
	case KUBE_VERB_WATCH:
	case KUBE_VERB_CREATE:
	case KUBE_VERB_UPDATE:
	case KUBE_VERB_PATCH:
	case KUBE_VERB_DELETE:
		return true;
	default:
		return false;
	}
}

static bool is_write(enum kube_verb verb)
{
	return verb == KUBE_VERB_CREATE || verb == KUBE_VERB_UPDATE ||
	       verb == KUBE_VERB_PATCH;
}

/* The lock that the request names; of a create, its body does. */
static const struct ring_lock *lock_of(const struct filter_call *call)
{
	const struct kube_request *request = call->request;
	struct slice name = request->name;

	if (!is_renamed_verb(request->verb) || request->subresource.len > 0 ||
	    !ring_lock_is_kind(request->group, request->resource))
		return NULL;
	if (request->verb == KUBE_VERB_CREATE && call->body)
		name = call->body->name;
	return ring_spec_find_lock(call->spec, request->namespace, name);
}

/* A create of a Lease beside a lock: it may be the lock's. */
static bool may_create(const struct filter_call *call)
{
	const struct kube_request *request = call->request;

	if (request->verb != KUBE_VERB_CREATE || request->subresource.len > 0 ||
	    !ring_lock_is_kind(request->group, request->resource))
		return false;
	for (int i = 0; i < call->spec->locks_n; i++)
		if (slice_eq(call->spec->locks[i].namespace, request->namespace))
			return true;
	return false;
}

static bool is_json_patch(const struct filter_call *call)
{
	return call->request->verb == KUBE_VERB_PATCH &&
	       encoding_patch_of(call->content_type) == KUBE_PATCH_JSON;
}

static unsigned election_wants(const struct filter_call *call)
{
	const struct ring_lock *lock = lock_of(call);

	if (may_create(call) ||
	    (lock && is_write(call->request->verb) && !is_json_patch(call)))
		return FILTER_NEEDS_BODY;
	return FILTER_NEEDS_NOTHING;
}

/* --- the request under the other name --- */

static enum filter_verdict refuse(struct filter_call *call, int code,
				  const char *reason, const char *message)
{
	call->reply = (struct status){ code, reason, message, 0 };
	return FILTER_REPLY;
}

static enum filter_verdict refuse_unreadable(struct filter_call *call)
{
	enum kube_encoding encoding = encoding_of_content_type(call->content_type);

	if (encoding == KUBE_JSON || encoding == KUBE_PROTOBUF)
		return refuse(call, 400, "BadRequest",
			      "the body cannot be read, and may be about a lock");
	return refuse(call, 415, "UnsupportedMediaType",
		      "about locks ringside reads JSON (as YAML, too) and protobuf");
}

static void rename_path(struct filter_call *call, const struct ring_lock *lock)
{
	const struct kube_request *request = call->request;

	call->path = slice_of(
		arena_printf(call->arena, "/apis/%.*s/%.*s%s/namespaces/%.*s/%.*s/%.*s",
			     SLICE_ARGS(request->group), SLICE_ARGS(request->version),
			     request->is_deprecated_watch ? "/watch" : "",
			     SLICE_ARGS(request->namespace),
			     SLICE_ARGS(request->resource), SLICE_ARGS(lock->alias)));
}

/* One term of a field selector, with the other name if it demands the lock's. */
static struct slice rename_term(struct filter_call *call, struct slice term,
				const struct ring_lock *lock)
{
	static const char *const forms[] = { "metadata.name==", "metadata.name=" };

	for (int i = 0; i < 2; i++)
		if (slice_starts_with(term, forms[i]) &&
		    slice_eq(slice_from(term, strlen(forms[i])), lock->name))
			return slice_of(arena_printf(call->arena, "%s%.*s", forms[i],
						     SLICE_ARGS(lock->alias)));
	return term;
}

static void rename_selector(struct filter_call *call, const struct ring_lock *lock)
{
	struct slice rest = { 0 }, term;
	const char *selector = "";

	(void)query_get(call->query, "fieldSelector", &rest);
	while (slice_split(&rest, ',', &term))
		selector = arena_printf(
			call->arena, "%s%s%.*s", selector, selector[0] ? "," : "",
			SLICE_ARGS(rename_term(call, slice_trim(term), lock)));
	query_set(call->query, "fieldSelector", slice_of(selector));
	call->path = call->request->path;
}

static int rename_object(struct filter_call *call, const struct ring_lock *lock,
			 struct err *err)
{
	const struct rename rename = { .from = lock->name, .to = lock->alias };
	struct buf out;
	int rc;

	buf_init(&out, call->bytes.len + lock->alias.len + 64);
	rc = rename_body(&out, encoding_of_content_type(call->content_type),
			 call->bytes, &rename, err);
	if (rc == 0)
		call->edited = arena_copy(call->arena, buf_slice(&out));
	buf_finish(&out);
	return rc;
}

/* By the label the coordinator finds what a member left behind. */
static int mark_object(struct filter_call *call, struct err *err)
{
	const struct label_edit edit = {
		.body = call->edited,
		.encoding = encoding_of_content_type(call->content_type),
		.form = LABEL_IN_OBJECT,
		.key = SLICE_LITERAL(RING_LOCK_LABEL),
		.value = call->spec->ring,
	};

	if (call->request->verb == KUBE_VERB_PATCH &&
	    encoding_patch_of(call->content_type) != KUBE_PATCH_APPLY)
		return 0;
	return label_body_edit(&call->edited, call->arena, &edit, err);
}

static enum filter_verdict rename_write(struct filter_call *call,
					const struct ring_lock *lock)
{
	struct err err;
	int rc;

	if (call->is_body_unreadable)
		return refuse_unreadable(call);
	rc = rename_object(call, lock, &err);
	if (rc == 0)
		rc = mark_object(call, &err);
	if (rc < 0)
		return refuse(call, 400, "BadRequest",
			      arena_printf(call->arena,
					   "ringside cannot rename the lock: %s",
					   err.text));
	call->is_edited = true;
	return FILTER_PASS;
}

static enum filter_verdict election_on_request(struct filter_call *call)
{
	const struct ring_lock *lock = lock_of(call);
	enum kube_verb verb = call->request->verb;

	if (!lock && may_create(call) && call->is_body_unreadable)
		return refuse_unreadable(call);
	if (!lock)
		return FILTER_PASS;
	call->lock = lock;
	call->strips_encoding = true;
	if (verb == KUBE_VERB_CREATE)
		call->path = call->request->path;
	else if (call->request->is_named_by_selector)
		rename_selector(call, lock);
	else
		rename_path(call, lock);
	if (is_write(verb) && !is_json_patch(call))
		return rename_write(call, lock);
	return FILTER_PASS;
}

static enum filter_verdict election_on_send(struct filter_call *call)
{
	const struct ring *ring = call->ring;

	if (!call->lock || !is_write(call->request->verb) ||
	    ring_may_lead(ring, call->now_ms))
		return FILTER_PASS;
	return refuse(call, 503, "ServiceUnavailable",
		      arena_printf(call->arena,
				   "member %s of ring %.*s may not lead now: %s",
				   ring->member ? ring->member : "",
				   SLICE_ARGS(call->spec->ring),
				   ring->reason && ring->reason[0]
					   ? ring->reason
					   : ring_state_name(ring->state)));
}

const struct filter filter_election = {
	.name = "election",
	.wants = election_wants,
	.on_request = election_on_request,
	.on_send = election_on_send,
};
