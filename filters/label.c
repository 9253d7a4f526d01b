/*
 * label: what the ring's own controller writes bears its bucket label from birth,
 * and no write of it drops or changes the label (design, section 4). The bucket is
 * that of the owner that the body names; else that of the object as it is; else,
 * of a new main object, its placement or another bucket of this member's. What
 * the body itself claims counts for nothing.
 *
 * It stands behind narrow, as it looks at writes only, and before fence, which
 * judges the bucket that was written here by the ring that is current then.
 */
#include <errno.h>

#include "filters/filter.h"
#include "proxy/kube/label_body.h"

static enum kube_patch patch_of(const struct filter_call *call)
{
	return call->request->verb == KUBE_VERB_PATCH
		       ? encoding_patch_of(call->content_type)
		       : KUBE_PATCH_OTHER;
}

/* Subresources leave the labels alone, and a deletion has none. */
static bool is_labelled(const struct filter_call *call)
{
	const struct kube_request *request = call->request;

	if (!call->resource || request->subresource.len > 0 ||
	    kube_request_is_unserved(request))
		return false;
	return request->verb == KUBE_VERB_CREATE || request->verb == KUBE_VERB_UPDATE ||
	       (request->verb == KUBE_VERB_PATCH && patch_of(call) != KUBE_PATCH_OTHER);
}

static unsigned label_wants(const struct filter_call *call)
{
	unsigned needs = FILTER_NEEDS_BODY;

	if (!is_labelled(call))
		return FILTER_NEEDS_NOTHING;
	if (call->resource->role == RESOURCE_OWNED && patch_of(call) != KUBE_PATCH_JSON)
		needs |= FILTER_NEEDS_OWNER;
	if (call->request->verb != KUBE_VERB_CREATE)
		needs |= FILTER_NEEDS_OBJECT;
	if (patch_of(call) == KUBE_PATCH_MERGE)
		needs |= FILTER_NEEDS_LABELS;
	return needs;
}

/* --- which bucket --- */

static bool needs_name(const struct filter_call *call)
{
	switch (call->spec->placement) {
	case PLACEMENT_NAMESPACE:
		return false;
	case PLACEMENT_LABEL:
		return call->body->place.len == 0;
	case PLACEMENT_NAMESPACE_NAME:
	case PLACEMENT_NAME:
		break;
	}
	return true;
}

/* The default placement where it is ours, else another of this member's. */
static int bucket_of_new_main(const struct filter_call *call)
{
	const struct kube_request *request = call->request;
	bool is_namespace = call->resource->group.len == 0 &&
			    slice_is(call->resource->resource, "namespaces");
	struct object_meta meta = *call->body;
	int bucket;

	/* RequestInfo says that a namespace is in itself. */
	meta.namespace = is_namespace ? slice_of(NULL) : request->namespace;
	if (request->name.len > 0)
		meta.name = request->name;
	/* generateName: nobody knows the name yet, and any bucket will do. */
	if (meta.name.len == 0 && needs_name(call))
		return bucket_set_pick(&call->ring->owned, call->random);
	bucket = ring_spec_place(call->spec, call->resource, &meta);
	return bucket_set_has(&call->ring->owned, bucket)
		       ? bucket
		       : bucket_set_pick(&call->ring->owned, (uint64_t)bucket);
}

/*
 * An apply that is not forced must not meet a conflict about a field that its
 * client does not know of: whoever set the label manages it (KEP-555).
 */
static bool keeps_label(const struct filter_call *call)
{
	return call->object.known == PLACED_AT && patch_of(call) == KUBE_PATCH_APPLY &&
	       !query_get_bool(call->query, "force");
}

static int bucket_of(const struct filter_call *call)
{
	bool is_new = call->request->verb == KUBE_VERB_CREATE ||
		      (call->object.known == PLACED_ABSENT && call->body);

	if (call->owner.known == PLACED_AT && !keeps_label(call))
		return call->owner.bucket;
	if (call->object.known == PLACED_AT)
		return call->object.bucket;
	if (call->resource->role == RESOURCE_MAIN && is_new)
		return bucket_of_new_main(call);
	return BUCKET_NONE;
}

/* --- writing it --- */

static enum label_form form_of(const struct filter_call *call)
{
	switch (patch_of(call)) {
	case KUBE_PATCH_JSON:
		return LABEL_IN_JSON_PATCH;
	case KUBE_PATCH_MERGE:
		return LABEL_IN_MERGE_PATCH;
	case KUBE_PATCH_STRATEGIC:
		return LABEL_IN_STRATEGIC_PATCH;
	case KUBE_PATCH_APPLY:
	case KUBE_PATCH_OTHER:
		break;
	}
	return LABEL_IN_OBJECT;
}

static enum filter_verdict label_refuse(struct filter_call *call, const char *why)
{
	call->reply = (struct status){
		400, "BadRequest",
		arena_printf(call->arena, "ringside cannot set the bucket label: %s",
			     why),
		0
	};
	return FILTER_REPLY;
}

static enum filter_verdict label_refuse_unreadable(struct filter_call *call)
{
	enum kube_encoding encoding = encoding_of_content_type(call->content_type);

	if (encoding == KUBE_JSON || encoding == KUBE_PROTOBUF)
		return label_refuse(call, "the body cannot be read");
	call->reply = (struct status){
		.code = 415,
		.reason = "UnsupportedMediaType",
		.message = "ringside cannot set the bucket label: about sharded "
			   "resources it reads JSON (as YAML, too) and protobuf",
	};
	return FILTER_REPLY;
}

static enum filter_verdict label_write(struct filter_call *call, int bucket)
{
	struct label_edit edit = {
		.body = call->bytes,
		.encoding = encoding_of_content_type(call->content_type),
		.form = form_of(call),
		.key = call->spec->label,
		.is_forced = call->owner.known == PLACED_AT,
		.keys = call->label_keys,
		.keys_n = call->label_keys_n,
	};
	struct err err;

	if (bucket >= 0)
		edit.value = slice_of(arena_printf(call->arena, "%d", bucket));
	if (label_body_edit(&call->edited, call->arena, &edit, &err) < 0)
		return label_refuse(call, arena_text(call->arena, slice_of(err.text)));
	call->is_edited = call->edited.data != call->bytes.data;
	call->label = bucket;
	return FILTER_PASS;
}

static enum filter_verdict label_on_request(struct filter_call *call)
{
	int bucket;

	call->label = BUCKET_NONE;
	if (!is_labelled(call))
		return FILTER_PASS;
	if (call->is_body_unreadable)
		return label_refuse_unreadable(call);
	bucket = bucket_of(call);
	/* Of a main object the fence says why; what is nobody's has no bucket. */
	if (bucket < 0 && call->resource->role == RESOURCE_MAIN)
		return FILTER_PASS;
	return label_write(call, bucket);
}

const struct filter filter_label = {
	.name = "label",
	.wants = label_wants,
	.on_request = label_on_request,
};
