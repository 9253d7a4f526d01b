/*
 * WATCHes that come back from a former view: whether they can be moved, and the
 * moves that are under way.
 */
#include "proxy/base/log.h"
#include "proxy/session/resource.h"

/*
 * Who watches on from another position than that of the last event it was given: what
 * it holds cannot be told from where it stands. KubeOps goes on from the last
 * BOOKMARK (frameworks.md, 5).
 */
static const char *const own_rules[] = { "kubernetes-csharp" };

static bool has_own_rules(struct slice user_agent)
{
	for (size_t i = 0; i < sizeof(own_rules) / sizeof(own_rules[0]); i++)
		if (slice_starts_with(user_agent, own_rules[i]))
			return true;
	return false;
}

/* Why a WATCH from a former view cannot be moved: EXPIRED_*; 0: it can. */
static int obstacle(struct resource *resource, const struct relay_request *request)
{
	if (has_own_rules(request->user_agent))
		return EXPIRED_CLIENT;
	if (request->is_deprecated_watch || !move_is_possible(request->accept))
		return EXPIRED_ENCODING;
	if (doubts_get(resource->doubts, request) == NULL)
		return EXPIRED_DOUBTED;
	return 0;
}

/* Where it stands; *reason: why it is told to list anew. */
static void judge(struct resource *resource, const struct relay_request *request,
		  struct view *view, int *reason)
{
	const struct doubt *doubt = doubts_find(resource->doubts, request);
	const struct view *former;

	view->standing = past_judge(&resource->past, &resource->view, doubt,
				    request->position, &former);
	if (view->standing == VIEW_STANDS_DOUBTED)
		*reason = EXPIRED_DOUBTED;
	else if (view->standing == VIEW_STANDS_UNKNOWN)
		*reason = EXPIRED_UNKNOWN;
	else if (view->standing == VIEW_STANDS_FORMER) {
		view->former = former->set;
		*reason = obstacle(resource, request);
	}
	if (*reason != 0 && view->standing == VIEW_STANDS_FORMER)
		view->standing = VIEW_STANDS_UNKNOWN;
}

const struct view *resource_admit(struct resource *resource,
				  const struct relay_request *request)
{
	int reason = 0;

	resource->admitted = resource->view;
	if (request->is_watch && !request->sends_initial_events &&
	    request->position > 0 && resource->view.floor > 0)
		judge(resource, request, &resource->admitted, &reason);
	if (reason != 0)
		resource->sessions->moves[reason]++;
	return &resource->admitted;
}

struct move *resource_move(struct resource *resource,
			   const struct relay_request *request, const struct view *view)
{
	struct sessions *sessions = resource->sessions;
	struct move_plan plan = {
		.spec = sessions->env.spec,
		.resource = resource->resource,
		.released = bucket_set_without(&view->former, &view->set),
		.acquired = bucket_set_without(&view->set, &view->former),
		.position = request->position,
		.floor = view->floor,
		.values = sessions->moves,
		.path = request->path,
		.label_selector = request->label_selector,
		.field_selector = request->field_selector,
		.allows_bookmarks = request->allows_bookmarks,
	};

	if (!request->is_watch || view->standing != VIEW_STANDS_FORMER)
		return NULL;
	plan.doubt = doubts_get(resource->doubts, request);
	if (plan.doubt == NULL)
		return NULL;
	doubt_begin(plan.doubt, view->floor);
	return move_create(sessions->env.loop, sessions->env.api->upstream, &plan);
}

void resource_remember(struct resource *resource, const struct view *next)
{
	if (resource->view.floor > 0)
		past_add(&resource->past, &resource->view, next);
	doubts_sweep(resource->doubts, resource->past.views_n > 0
					       ? resource->past.views[0].floor
					       : next->floor);
}
