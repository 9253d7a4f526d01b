/*
 * fence: a write leaves only for a bucket that this member owns, while its right
 * to write stands, judged by the current ring at the last moment (design, section
 * 7). Whose bucket it is follows from evidence: the object as the API server has
 * it; for what is created, the owner that its body names, or placement.
 */
#include <assert.h>
#include <inttypes.h>

#include "filters/filter.h"

static bool is_fenced(const struct filter_call *call)
{
	return call->resource && kube_verb_is_mutating(call->request->verb) &&
	       !kube_request_is_unserved(call->request);
}

static bool is_apply(struct slice content_type)
{
	struct slice rest = content_type, type = { 0 };

	(void)slice_split(&rest, ';', &type);
	type = slice_trim(type);
	return slice_is_nocase(type, "application/apply-patch+yaml") ||
	       slice_is_nocase(type, "application/apply-patch+cbor");
}

/* A named object that is not there: some resources are created by a PUT, too. */
static bool may_create(const struct filter_call *call)
{
	const struct kube_request *request = call->request;

	return request->subresource.len == 0 &&
	       (request->verb == KUBE_VERB_UPDATE ||
		(request->verb == KUBE_VERB_PATCH && is_apply(call->content_type)));
}

/* Its body may say which object it is about: fewer look-ups. */
static bool names_uid(const struct filter_call *call)
{
	return call->request->verb == KUBE_VERB_UPDATE &&
	       slice_is(call->request->subresource, "status");
}

static unsigned fence_wants(const struct filter_call *call)
{
	bool is_owned = call->resource && call->resource->role == RESOURCE_OWNED;
	unsigned owner = is_owned ? FILTER_NEEDS_BODY | FILTER_NEEDS_OWNER : 0;

	if (!is_fenced(call) || call->request->verb == KUBE_VERB_DELETECOLLECTION)
		return FILTER_NEEDS_NOTHING;
	if (call->request->name.len == 0)
		return FILTER_NEEDS_BODY | owner;
	if (names_uid(call))
		return FILTER_NEEDS_OBJECT | FILTER_NEEDS_BODY;
	return FILTER_NEEDS_OBJECT | (may_create(call) ? owner : 0);
}

/* --- refusing --- */

/*
 * That an object is not there is an end of it for its client: right where it leaves
 * the client's cache as well, wrong where it stays or where it was to be made.
 */
static bool is_not_found(const struct filter_call *call, enum fence_refusal refusal)
{
	return call->resource->refuse == REFUSE_NOT_FOUND && refusal == FENCE_FOREIGN &&
	       call->object.known == PLACED_AT;
}

/* 409 Conflict: what every framework tries again. why lives in the arena. */
static enum filter_verdict fence_refuse(struct filter_call *call,
					enum fence_refusal refusal, const char *why)
{
	const char *member = call->ring->member ? call->ring->member : "";
	bool is_gone = is_not_found(call, refusal);

	call->refusal = refusal;
	call->reply = (struct status){
		is_gone ? 404 : 409, is_gone ? "NotFound" : "Conflict",
		arena_printf(call->arena,
			     "%s (ring %.*s, member %s, epoch %" PRIu64 ")", why,
			     SLICE_ARGS(call->spec->ring), member, call->ring->epoch),
		0
	};
	return FILTER_REPLY;
}

/* Names whose bucket it is. */
static enum filter_verdict refuse_foreign(struct filter_call *call, int bucket)
{
	struct bucket_owner who = owners_of(call->ring->owners, bucket);
	const char *why = arena_printf(call->arena,
				       "bucket %d is owned by another member", bucket);

	if (who.owner.len > 0 && slice_eq(who.owner, who.target))
		why = arena_printf(call->arena,
				   "bucket %d is owned by another member, %.*s", bucket,
				   SLICE_ARGS(who.owner));
	else if (who.owner.len > 0)
		why = arena_printf(call->arena,
				   "bucket %d is on its way from %.*s to %.*s", bucket,
				   SLICE_ARGS(who.owner), SLICE_ARGS(who.target));
	if (call->ring->state == RING_STANDBY)
		why = arena_printf(call->arena, "%s; this one is a standby", why);
	return fence_refuse(call, FENCE_FOREIGN, why);
}

static const char *right_obstacle(const struct ring *ring)
{
	switch (ring->state) {
	case RING_NOT_READY:
		return ring->reason ? ring->reason : "it is not ready";
	case RING_STANDBY:
		return "it is a standby and owns no bucket";
	case RING_LEAVING:
		return "it is shutting down";
	case RING_WAITING:
		return "a replica that runs without Ringside holds the controller's "
		       "lock";
	case RING_ACTIVE:
	case RING_RIGHT_LOST:
		break;
	}
	return "its Lease was not renewed in time, its right to write is over";
}

static enum filter_verdict refuse_without_right(struct filter_call *call, int bucket)
{
	const char *what =
		bucket < 0 ? "" : arena_printf(call->arena, "bucket %d: ", bucket);

	return fence_refuse(call, FENCE_NO_RIGHT,
			    arena_printf(call->arena,
					 "%sthis member may not write now: %s", what,
					 right_obstacle(call->ring)));
}

/* The body was needed to know the owner. */
static enum filter_verdict refuse_unreadable(struct filter_call *call)
{
	static const struct status broken = {
		.code = 400,
		.reason = "BadRequest",
		.message = "the owner of the object is not known: "
			   "ringside could not read the body",
	};
	static const struct status foreign = {
		.code = 415,
		.reason = "UnsupportedMediaType",
		.message = "the owner of the object is not known: "
			   "ringside reads JSON and protobuf",
	};
	enum kube_encoding encoding = encoding_of_content_type(call->content_type);
	bool is_ours = encoding == KUBE_JSON || encoding == KUBE_PROTOBUF;

	call->reply = is_ours ? broken : foreign;
	return FILTER_REPLY;
}

/* --- deciding --- */

static enum filter_verdict fence_permit(struct filter_call *call, int bucket)
{
	bool is_standby = call->ring->state == RING_STANDBY;

	if (!ring_has_right(call->ring, call->now_ms) && !(is_standby && bucket >= 0))
		return refuse_without_right(call, bucket);
	if (bucket >= 0 && !ring_may_write(call->ring, bucket, call->now_ms))
		return refuse_foreign(call, bucket);
	call->bucket = bucket;
	call->is_counted = call->request->verb != KUBE_VERB_CONNECT;
	return FILTER_PASS;
}

/* The deletion reaches what it was narrowed to, which must be ours still. */
static enum filter_verdict fence_collection(struct filter_call *call)
{
	assert(call->view && "the exchange waits for a view");
	if (ring_has_right(call->ring, call->now_ms) &&
	    !bucket_set_is_within(&call->view->set, &call->ring->owned))
		return fence_refuse(call, FENCE_FOREIGN,
				    "the buckets of this member have just changed");
	return fence_permit(call, BUCKET_ALL);
}

/* Born with the label that filter_label has written into its body. */
static enum filter_verdict fence_new_main(struct filter_call *call)
{
	if (call->label < 0 && ring_has_right(call->ring, call->now_ms))
		return fence_refuse(call, FENCE_NO_RIGHT,
				    "this member owned no bucket when it came");
	return fence_permit(call, call->label);
}

/*
 * With a name that the API server makes up, nothing but the maker's own knowledge
 * keeps a second one from being made. What it knows of a bucket that has just come is
 * old until its main objects are shown, which is last, and has gaps while a watch of
 * it has not come back.
 */
static bool is_made_blindly(const struct filter_call *call)
{
	return call->request->name.len == 0 && call->body &&
	       call->body->name.len == 0 &&
	       (call->is_blind ||
		!bucket_set_has(&call->ring->shown[RESOURCE_MAIN], call->owner.bucket));
}

static enum filter_verdict fence_new_of(struct filter_call *call)
{
	enum filter_verdict verdict = fence_permit(call, call->owner.bucket);

	if (verdict == FILTER_REPLY || !is_made_blindly(call))
		return verdict;
	call->is_counted = false;
	return fence_refuse(call, FENCE_BLIND,
			    arena_printf(call->arena,
					 "bucket %d: it may exist already; watches of "
					 "this member have not caught up",
					 call->owner.bucket));
}

static enum filter_verdict fence_new_owned(struct filter_call *call)
{
	switch (call->owner.known) {
	case PLACED_AT:
		return fence_new_of(call);
	case PLACED_FOREIGN:
		return fence_permit(call, BUCKET_NONE);
	case PLACED_NOWHERE:
		return fence_refuse(call, FENCE_UNLABELLED,
				    "its owner has no bucket label yet");
	case PLACED_ABSENT:
		return fence_refuse(call, FENCE_UNKNOWN, "its owner does not exist");
	case PLACED_UNKNOWN:
		break;
	}
	return call->is_body_unreadable
		       ? refuse_unreadable(call)
		       : fence_refuse(call, FENCE_UNKNOWN,
				      "the bucket of its owner is not known");
}

static enum filter_verdict fence_new(struct filter_call *call)
{
	return call->resource->role == RESOURCE_OWNED ? fence_new_owned(call)
						      : fence_new_main(call);
}

/* The body gives an owner of the ring to what belongs to nobody yet. */
static bool adopts(const struct filter_call *call)
{
	return call->owner.known == PLACED_AT || call->owner.known == PLACED_NOWHERE;
}

static enum filter_verdict fence_object(struct filter_call *call)
{
	switch (call->object.known) {
	case PLACED_AT:
		return fence_permit(call, call->object.bucket);
	case PLACED_FOREIGN:
		return adopts(call) ? fence_new_owned(call)
				    : fence_permit(call, BUCKET_NONE);
	case PLACED_NOWHERE:
		return fence_refuse(call, FENCE_UNLABELLED,
				    "the object has no bucket label yet");
	case PLACED_ABSENT:
		return may_create(call) ? fence_new(call)
					: fence_permit(call, BUCKET_NONE);
	case PLACED_UNKNOWN:
		break;
	}
	return fence_refuse(call, FENCE_UNKNOWN,
			    "the bucket of the object is not known");
}

static enum filter_verdict fence_on_send(struct filter_call *call)
{
	call->bucket = BUCKET_NONE;
	call->is_counted = false;
	call->refusal = FENCE_PASSED;
	if (!is_fenced(call))
		return FILTER_PASS;
	if (call->request->verb == KUBE_VERB_DELETECOLLECTION)
		return fence_collection(call);
	return call->request->name.len > 0 ? fence_object(call) : fence_new(call);
}

const struct filter filter_fence = {
	.name = "fence",
	.wants = fence_wants,
	.on_send = fence_on_send,
};
