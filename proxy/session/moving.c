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

/* Whether what left can be told to who asks so, in a WATCH. */
static bool can_be_told(const struct relay_request *request)
{
	return !request->is_deprecated_watch && move_is_possible(request->accept);
}

/* Why a WATCH from a former view cannot be moved: EXPIRED_*; 0: it can. */
static int obstacle(struct resource *resource, const struct relay_request *request)
{
	if (has_own_rules(request->user_agent))
		return EXPIRED_CLIENT;
	if (!can_be_told(request))
		return EXPIRED_ENCODING;
	if (resource->doubts_all || doubts_get(resource->doubts, request) == NULL)
		return EXPIRED_DOUBTED;
	return 0;
}

/* Where it stands; *reason: why it is told to list anew. The floor of what it was shown
 * there; 0: it is not known.
 */
static uint64_t judge(struct resource *resource, const struct relay_request *request,
		      struct view *view, int *reason)
{
	const struct doubt *doubt = doubts_find(resource->doubts, request);
	const struct view *former;
	uint64_t floor = 0;

	view->standing = past_judge(&resource->past, &resource->view, doubt,
				    request->position, &former);
	if (view->standing == VIEW_STANDS_HERE)
		floor = view->floor;
	else if (view->standing == VIEW_STANDS_DOUBTED)
		*reason = EXPIRED_DOUBTED;
	else if (view->standing == VIEW_STANDS_UNKNOWN)
		*reason = EXPIRED_UNKNOWN;
	else if (view->standing == VIEW_STANDS_FORMER) {
		floor = former->floor;
		view->former = former->set;
		*reason = obstacle(resource, request);
	}
	if (*reason != 0 && view->standing == VIEW_STANDS_FORMER)
		view->standing = VIEW_STANDS_UNKNOWN;
	if (view->standing != VIEW_STANDS_HERE && resource->returning > 0)
		resource->returning--;
	return floor;
}

/* --- clients that do not see by a new list what has left --- */

static bool lacks_diff(const struct resource *resource,
		       const struct relay_request *request)
{
	return resource->resource->lacks_diff && can_be_told(request);
}

/*
 * What such a client was shown is noted in its doubt; NULL: there is no room, half of
 * which is left for others. floor: of what it is shown now, or was where it comes from.
 * Who is not known by now is a new one, unless a process that ran here before us tells
 * otherwise.
 */
static struct doubt *note_holder(struct resource *resource,
				 const struct relay_request *request, uint64_t floor)
{
	struct doubts *doubts = resource->doubts;
	struct doubt *doubt = doubts_find(doubts, request);

	if (doubt == NULL && doubts_count(doubts) < DOUBTS_MAX / 2)
		doubt = doubts_get(doubts, request);
	if (doubt != NULL)
		doubt_hold(doubt,
			   sessions_may_have_survivors(resource->sessions) ? 0 : floor);
	return doubt;
}

/* floor: of what it was shown where it stands. */
static void judge_held(struct resource *resource, const struct relay_request *request,
		       uint64_t floor, int *reason)
{
	struct doubt *doubt = note_holder(resource, request, floor);
	struct view *view = &resource->admitted;
	struct bucket_set left;

	if (doubt != NULL)
		doubt_returns(doubt, request->position);
	view->held = past_held(&resource->past, view, doubt,
			       resource->sessions->env.spec->buckets);
	view->held = bucket_set_joined(&view->held, &view->former);
	left = bucket_set_without(&view->held, &view->set);
	if (*reason == 0 || bucket_set_is_empty(&left))
		return;
	/* Counted once it has been told to list anew. */
	view->relists = *reason;
	*reason = 0;
}

const struct view *resource_admit(struct resource *resource,
				  const struct relay_request *request)
{
	int reason = 0;

	resource->admitted = resource->view;
	if (request->is_watch && !request->sends_initial_events &&
	    request->position > 0 && resource->view.floor > 0) {
		uint64_t floor = judge(resource, request, &resource->admitted, &reason);

		if (lacks_diff(resource, request))
			judge_held(resource, request, floor, &reason);
	}
	if (reason != 0)
		resource->sessions->moves[reason]++;
	return &resource->admitted;
}

struct doubt *resource_holder(struct resource *resource,
			      const struct relay_request *request)
{
	return lacks_diff(resource, request)
		       ? note_holder(resource, request, resource->view.floor)
		       : NULL;
}

/* Whether a WATCH begins with what left, and nothing else is to be told of a move. */
static bool is_told_alone(const struct view *view)
{
	struct bucket_set left = bucket_set_without(&view->held, &view->set);

	return view->relists != 0 ||
	       (view->standing == VIEW_STANDS_HERE && !bucket_set_is_empty(&left));
}

struct move *resource_move(struct resource *resource,
			   const struct relay_request *request, const struct view *view)
{
	struct sessions *sessions = resource->sessions;
	bool is_moved = view->standing == VIEW_STANDS_FORMER;
	struct bucket_set held = bucket_set_joined(&view->former, &view->held);
	struct move_plan plan = {
		.spec = sessions->env.spec,
		.resource = resource->resource,
		.released = bucket_set_without(&held, &view->set),
		.acquired = bucket_set_without(&view->set, &view->former),
		.position = request->position,
		.floor = view->floor,
		.values = sessions->moves,
		.path = request->path,
		.label_selector = request->label_selector,
		.field_selector = request->field_selector,
		.allows_bookmarks = request->allows_bookmarks,
		.relists = view->relists,
		.stands_here = !is_moved,
		.lacks_diff = lacks_diff(resource, request),
	};

	if (!request->is_watch || (!is_moved && !is_told_alone(view)))
		return NULL;
	plan.doubt = is_moved ? doubts_get(resource->doubts, request) : NULL;
	if (is_moved && plan.doubt == NULL)
		return NULL;
	/* Nobody is told of what left: it need not be listed. */
	if (resource->resource->on_release == RELEASE_SUPPRESSED)
		plan.released = (struct bucket_set){ 0 };
	if (is_moved)
		doubt_begin(plan.doubt, view->floor);
	return move_create(sessions->env.loop, sessions->env.api->upstream, &plan);
}

struct farewell *resource_farewell(struct resource *resource,
				   const struct relay_request *request,
				   struct move *move)
{
	struct sessions *sessions = resource->sessions;
	const struct farewell_plan plan = {
		.api = sessions->env.api,
		.catalog = sessions->env.catalog,
		.resource = resource->resource,
		.label_selector = request->label_selector,
		.field_selector = request->field_selector,
		.allows_bookmarks = request->allows_bookmarks,
		.values = sessions->farewells,
	};

	if (!request->is_watch ||
	    !farewell_is_wanted(resource->resource, request->accept))
		return NULL;
	return farewell_create(
		move != NULL ? move_way(move) : sessions->env.api->upstream, &plan);
}

/* Who asks for initial events goes on from the BOOKMARK behind them. */
struct doubt *resource_seeds(struct resource *resource,
			     const struct relay_request *request)
{
	struct doubt *doubt;

	if (!request->is_watch || request->position > 0 ||
	    request->sends_initial_events || !move_is_possible(request->accept))
		return NULL;
	doubt = doubts_get(resource->doubts, request);
	resource->doubts_all |= doubt == NULL;
	return doubt;
}

/* --- how far they are --- */

/* How long clients that were ended are waited for: most come back at once. */
#define RETURN_MS 1000
#define LOOK_MS 100

static int64_t served_for_ms(const struct resource *resource)
{
	return sessions_now_ms(resource->sessions) - resource->served_ms;
}

static bool has_returned(const struct resource *resource)
{
	return resource->returning == 0 || served_for_ms(resource) >= RETURN_MS;
}

/*
 * Who comes back late, or breaks off and comes back again and again, is not waited for:
 * it is moved, whenever that is, and not served the former view any more.
 */
static bool is_waited_for(const struct resource *resource, const struct stream *stream)
{
	return stream->move != NULL && !stream->is_released &&
	       stream->opened_ms <= resource->served_ms +
					    resource->sessions->conf.session_timeout_ms;
}

bool resource_is_released(const struct resource *resource)
{
	LIST_EACH(node, &resource->streams)
		if (is_waited_for(resource, LIST_OWNER(node, struct stream, node)))
			return false;
	return has_returned(resource);
}

static bool is_being_told(const struct stream *stream, int64_t now_ms)
{
	return stream_is_session(stream) && !stream->is_told &&
	       now_ms < stream->opened_ms + WATCHERS_BACK_MS;
}

bool resource_is_blind(struct resource *resource)
{
	int64_t now_ms = sessions_now_ms(resource->sessions);

	LIST_EACH(node, &resource->streams)
		if (is_being_told(LIST_OWNER(node, struct stream, node), now_ms))
			return true;
	return watchers_are_missing(&resource->watchers, now_ms);
}

/*
 * Somebody who never lets itself be told is not waited for again and again: who has
 * backed off has had its time to come back, and as much to be told.
 */
#define LACKS_MAX_MS (2 * WATCHERS_BACK_MS)

bool resource_lacks(struct resource *resource)
{
	int64_t now_ms = sessions_now_ms(resource->sessions);
	uint64_t floor = resource->view.floor;

	if (served_for_ms(resource) >= LACKS_MAX_MS)
		return false;
	LIST_EACH(node, &resource->streams) {
		const struct stream *stream = LIST_OWNER(node, struct stream, node);

		if (stream->held_floor != floor && is_being_told(stream, now_ms))
			return true;
	}
	return watchers_lack(&resource->watchers, floor, now_ms);
}

bool resource_is_settled(const struct resource *resource)
{
	if (served_for_ms(resource) >= resource->sessions->conf.settle_timeout_ms)
		return true;
	LIST_EACH(node, &resource->streams) {
		const struct stream *stream = LIST_OWNER(node, struct stream, node);

		if (stream->move != NULL && !stream->is_settled)
			return false;
	}
	return has_returned(resource);
}

/* A reader that never stops, and gets nowhere: so many times as long. */
#define DRIPS_MAX 12

/*
 * Whether it has had its time to be told what left. One that nobody waits for has it as
 * long as its client reads: the API server may take longer to say what left, each time
 * that the client comes back to be told.
 */
static bool is_overdue(const struct resource *resource, struct stream *stream)
{
	int64_t timeout_ms = resource->sessions->conf.session_timeout_ms;
	int64_t now_ms = sessions_now_ms(resource->sessions);
	bool holds_up = is_waited_for(resource, stream);

	if (!holds_up && !move_is_waiting(stream->move) && stream_is_drained(stream))
		stream->taken_ms = now_ms;
	return now_ms >= stream->taken_ms + timeout_ms ||
	       (holds_up && now_ms >= stream->opened_ms + DRIPS_MAX * timeout_ms);
}

/* A reader that stops in the middle holds up the others no longer than this. */
static void cut_late(struct resource *resource)
{
	LIST_EACH(node, &resource->streams) {
		struct stream *stream = LIST_OWNER(node, struct stream, node);

		if (stream->move == NULL || stream->is_released ||
		    !is_overdue(resource, stream))
			continue;
		resource->sessions->values[SESSIONS_CUT]++;
		exchange_cut(stream->exchange);
	}
}

static void on_moving(void *arg)
{
	struct resource *resource = arg;
	struct sessions *sessions = resource->sessions;

	cut_late(resource);
	resource_follow(resource);
	if (resource->step == SESSION_SERVING &&
	    (!resource_is_released(resource) || !resource_is_settled(resource)))
		loop_timer_start(sessions->env.loop, &resource->moving, LOOK_MS);
	if (sessions->env.on_step != NULL)
		sessions->env.on_step(sessions->env.step_arg);
}

void resource_moves_begin(struct resource *resource)
{
	loop_timer_init(&resource->moving, on_moving, resource);
	resource->returning = resource->ended;
	resource->ended = 0;
	resource->served_ms = sessions_now_ms(resource->sessions);
	loop_timer_start(resource->sessions->env.loop, &resource->moving, LOOK_MS);
}

void resource_moves_end(struct resource *resource)
{
	loop_timer_stop(&resource->moving);
}

void resource_moves_changed(struct resource *resource)
{
	if (resource->step == SESSION_SERVING)
		loop_timer_start(resource->sessions->env.loop, &resource->moving, 0);
}

void resource_remember(struct resource *resource, const struct view *next)
{
	if (resource->view.floor > 0)
		past_add(&resource->past, &resource->view, next);
	doubts_sweep(resource->doubts, resource->past.views_n > 0
					       ? resource->past.views[0].floor
					       : next->floor);
}
