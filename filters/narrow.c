/*
 * narrow: LIST, WATCH and DELETE of a collection see this member's shard alone.
 * The client's labelSelector is joined with ours, and a position from before the
 * view is moved up to its floor or refused (proxy/ring/view.h). What cannot be
 * narrowed with certainty is refused, never forwarded.
 */
#include <assert.h>

#include "filters/filter.h"
#include "proxy/kube/selector.h"

/* Our own part of a selector: every bucket there can be, and the label twice. */
#define SELECTOR_BYTES_MAX (16 * 1024)

static enum filter_verdict narrow_refuse(struct filter_call *call, const char *message)
{
	call->reply = (struct status){ 400, "BadRequest", message, 0 };
	return FILTER_REPLY;
}

static bool has_segment(struct slice path, struct slice name)
{
	struct slice segment;

	while (slice_split(&path, '/', &segment))
		if (slice_eq(segment, name))
			return true;
	return false;
}

/*
 * Whether an ambiguous request could be about a sharded resource in a reading
 * other than ours: in "/namespaces//foos" kube-apiserver sees all foos, and we a
 * namespace foos. Behind a proxy subresource the path is not the API's.
 */
static bool is_at_stake(const struct filter_call *call)
{
	const struct kube_request *request = call->request;

	if (call->resource)
		return true;
	if (request->verb == KUBE_VERB_CONNECT)
		return false;
	if (slice_find(request->path, '%') >= 0)
		return true;
	for (int i = 0; i < call->spec->resources_n; i++)
		if (has_segment(request->path, call->spec->resources[i].resource))
			return true;
	return call->spec->locks_n > 0 &&
	       has_segment(request->path, SLICE_LITERAL("leases"));
}

static struct slice get(const struct filter_call *call, const char *key)
{
	struct slice value = { 0 };

	(void)query_get(call->query, key, &value);
	return value;
}

/* The client's selector, of which the first one counts, and ours. */
static enum filter_verdict narrow_select(struct filter_call *call)
{
	struct slice theirs = get(call, "labelSelector");
	size_t start;
	struct buf selector;
	int rc = 0;

	if (!selector_is_joinable(theirs))
		return narrow_refuse(call, "labelSelector: not a selector that "
					   "ringside can narrow to its shard");
	buf_init(&selector, theirs.len + SELECTOR_BYTES_MAX);
	if (theirs.len > 0)
		rc = buf_printf(&selector, "%.*s,", SLICE_ARGS(theirs));
	start = selector.len;
	if (rc == 0)
		rc = ring_selector_write(&selector, call->spec, call->resource,
					 &call->view->set);
	/* Nothing of ours: the whole of a resource that shows unlabelled objects. */
	if (rc == 0 && selector.len > start)
		query_set(call->query, "labelSelector",
			  arena_copy(call->arena, buf_slice(&selector)));
	buf_finish(&selector);
	assert(rc == 0 && "room for every bucket was made");
	return FILTER_PASS;
}

static void narrow_apply(struct filter_call *call, const struct view_answer *answer)
{
	uint64_t limit; /* one that is no number is left for the API server to refuse */

	if (answer->sets_version && answer->version[0] == '\0')
		query_remove(call->query, "resourceVersion");
	else if (answer->sets_version)
		query_set(call->query, "resourceVersion",
			  arena_copy(call->arena, slice_of(answer->version)));
	if (answer->sets_match && answer->match)
		query_set(call->query, "resourceVersionMatch", slice_of(answer->match));
	else if (answer->sets_match)
		query_remove(call->query, "resourceVersionMatch");
	if (answer->drops_limit && slice_to_u64(get(call, "limit"), &limit) == 0)
		query_remove(call->query, "limit");
}

static enum filter_verdict narrow_position(struct filter_call *call)
{
	struct view_question question = {
		.is_watch = call->request->verb == KUBE_VERB_WATCH,
		.match = get(call, "resourceVersionMatch"),
		.token = get(call, "continue"),
		.sends_initial_events =
			query_get_bool(call->query, "sendInitialEvents"),
	};
	struct view_answer answer;

	question.has_version =
		query_get(call->query, "resourceVersion", &question.version);
	switch (view_ask(call->view, &question, &answer)) {
	case VIEW_PASS:
	case VIEW_MOVE: /* proxy/session sends what has changed first */
		break;
	case VIEW_REWRITE:
		narrow_apply(call, &answer);
		break;
	case VIEW_EXPIRED:
		call->reply = (struct status){
			410, "Expired",
			"the position is from before the buckets of this member "
			"changed; list again",
			0
		};
		return FILTER_REPLY;
	}
	return FILTER_PASS;
}

static bool is_about_many(enum kube_verb verb)
{
	return verb == KUBE_VERB_LIST || verb == KUBE_VERB_WATCH ||
	       verb == KUBE_VERB_DELETECOLLECTION;
}

static enum filter_verdict narrow_on_request(struct filter_call *call)
{
	if (call->request->is_ambiguous && is_at_stake(call))
		return narrow_refuse(call, "the request can be read in more than one "
					   "way, and may be about a sharded resource "
					   "or a lock");
	if (!call->resource || !is_about_many(call->request->verb))
		return FILTER_PASS;
	if (!query_is_certain(call->query))
		return narrow_refuse(call, "the query can be read in more than one "
					   "way, and is about a sharded resource");
	assert(call->view && "the exchange waits for a view");
	if (narrow_position(call) == FILTER_REPLY)
		return FILTER_REPLY;
	call->strips_encoding = call->request->verb != KUBE_VERB_DELETECOLLECTION;
	return narrow_select(call);
}

const struct filter filter_narrow = {
	.name = "narrow",
	.on_request = narrow_on_request,
};
