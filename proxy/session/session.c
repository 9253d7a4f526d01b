#include "proxy/session/session.h"

#include <assert.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/session/resource.h"

const struct metric sessions_metrics[] = {
	[SESSIONS_CHANGES] = { "ringside_view_changes_total", NULL, METRIC_COUNTER,
			       "Views of a resource that were served anew." },
	[SESSIONS_ENDED] = { "ringside_sessions_ended_total", NULL, METRIC_COUNTER,
			     "Watches that we ended well for a change of view." },
	[SESSIONS_CUT] = { "ringside_sessions_cut_total", NULL, METRIC_COUNTER,
			   "Watches that were cut as they did not end in time." },
	[SESSIONS_LISTS_ABORTED] = { "ringside_lists_aborted_total", NULL,
				     METRIC_COUNTER,
				     "Lists that were cut as they did not end in time "
				     "for a change of view." },
	[SESSIONS_OPEN] = { "ringside_sessions_open", NULL, METRIC_GAUGE,
			    "Sharded watches that are open." },
};

/* --- the hooks --- */

static struct resource *resource_at(struct sessions *sessions,
				    const struct ring_resource *resource)
{
	assert(resource->index < sessions->resources_n && "it is of our spec");
	return &sessions->resources[resource->index];
}

bool sessions_may_have_survivors(const struct sessions *sessions)
{
	const struct sessions_env *env = &sessions->env;

	return env->had_former != NULL && env->had_former(env->former_arg) &&
	       sessions_now_ms(sessions) < sessions->began_ms + WATCHERS_BACK_MS;
}

/* Whether clients of a predecessor may be there that have not watched again yet. */
static bool may_have_survivors(const struct sessions *sessions, enum resource_role role)
{
	if (!sessions_may_have_survivors(sessions))
		return false;
	for (int i = 0; i < sessions->resources_n; i++)
		if (sessions->resources[i].resource->role == role &&
		    !sessions->resources[i].was_watched)
			return true;
	return false;
}

/*
 * A client that was there before this process: what it watches besides, and will come
 * back for, is not known. Main objects are not shown to it before all owned resources
 * have been watched, or could have been.
 */
static bool is_held_back(struct sessions *sessions, const struct resource *resource,
			 const struct relay_request *request)
{
	return resource->resource->role == RESOURCE_MAIN && request->position > 0 &&
	       request->position < resource->first_floor &&
	       may_have_survivors(sessions, RESOURCE_OWNED);
}

static bool hook_is_blind(void *arg)
{
	struct sessions *sessions = arg;

	return sessions_are_blind(sessions, RESOURCE_MAIN) ||
	       sessions_are_blind(sessions, RESOURCE_OWNED) ||
	       may_have_survivors(sessions, RESOURCE_MAIN) ||
	       may_have_survivors(sessions, RESOURCE_OWNED);
}

static const struct view *hook_admit(void *arg, const struct relay_request *request)
{
	struct sessions *sessions = arg;
	struct resource *resource = resource_at(sessions, request->resource);

	if (resource->step != SESSION_SERVING ||
	    is_held_back(sessions, resource, request))
		return NULL;
	return resource_admit(resource, request);
}

static struct stream *hook_open(void *arg, const struct relay_request *request,
				const struct view *view, struct exchange *exchange)
{
	struct sessions *sessions = arg;
	struct resource *resource = resource_at(sessions, request->resource);
	bool is_watch = request->is_watch;
	struct stream *stream =
		stream_create(resource, exchange, is_watch, sessions_now_ms(sessions));

	stream->sends_initial_events = request->sends_initial_events;
	stream->watcher = watcher_key(request);
	stream->is_stray = resource->step != SESSION_SERVING;
	if (view->standing == VIEW_STANDS_HERE)
		stream->held_floor = resource->view.floor;
	if (is_watch && !stream->is_stray)
		watchers_begin(&resource->watchers, stream->watcher,
			       stream->held_floor);
	if (!stream->is_stray) {
		stream->move = resource_move(resource, request, view);
		stream->is_released = stream->move != NULL &&
				      !move_releases(stream->move);
		stream->position = request->position;
		stream->holder = resource_holder(resource, request);
		stream->farewell = resource_farewell(resource, request, stream->move);
		stream->seeds = resource_seeds(resource, request);
	}
	list_add(stream->is_stray ? &sessions->strays : &resource->streams,
		 &stream->node);
	sessions->values[SESSIONS_OPEN] += is_watch;
	return stream;
}

static struct upstream *hook_way(struct stream *stream)
{
	if (stream->farewell != NULL)
		return farewell_way(stream->farewell);
	return stream->move != NULL ? move_way(stream->move) : NULL;
}

static void look_told(struct stream *stream)
{
	struct resource *resource = stream->owner;
	struct sessions *sessions = resource->sessions;

	if (stream->is_told || stream->is_stray)
		return;
	stream_look_told(stream);
	if (!stream->is_told || resource->was_watched)
		return;
	resource->was_watched = true;
	/* Who is held back for it; not inside a hook. */
	loop_timer_start(sessions->env.loop, &sessions->survivors, 0);
}

static void hook_head(struct stream *stream, const struct upstream_head *head)
{
	struct resource *resource = stream->owner;

	stream_head(stream, head, sessions_now_ms(resource->sessions));
	look_told(stream);
	resource_look_again(resource);
}

/* What left has been sent, all of it: it need not be told again once it was read. */
static void note_told(struct stream *stream)
{
	struct resource *resource = stream->owner;

	if (stream->holder != NULL && stream->move != NULL &&
	    stream_is_drained(stream) && move_has_told(stream->move))
		doubt_told(stream->holder, resource->view.floor, stream->position);
}

/*
 * Asked whenever the client has room: what was taken before has left. Who waits for
 * it is told from the timer, not inside a hook.
 */
static void stream_follow_move(struct stream *stream)
{
	struct resource *resource = stream->owner;
	bool was_released = stream->is_released, was_settled = stream->is_settled;

	if (stream->move == NULL || !stream_is_drained(stream))
		return;
	stream->is_released |= move_is_released(stream->move);
	stream->is_settled |= move_is_settled(stream->move);
	note_told(stream);
	if ((stream->is_released && !was_released) ||
	    (stream->is_settled && !was_settled))
		resource_moves_changed(resource);
}

static int hook_pass(struct stream *stream, struct slice bytes, size_t *n, bool *ends)
{
	struct resource *resource = stream->owner;
	struct sessions *sessions = resource->sessions;
	const struct stream_end end = {
		.is_wanted = resource->step == SESSION_ENDING,
		.now_ms = sessions_now_ms(sessions),
		.min_age_ms = sessions->conf.min_age_ms,
	};
	int rc = stream_pass(stream, &bytes, &end, ends);

	if (rc < 0) {
		log_warn("session", "an answer of the API server is cut",
			 log_slice("resource", resource->resource->resource),
			 log_text("reason", stream->is_stray
						    ? "the view changed before it began"
						    : "it has no frames that we know"));
		return rc;
	}
	sessions->values[SESSIONS_ENDED] += *ends;
	resource->ended += *ends;
	stream->is_ended |= *ends;
	*n = bytes.len;
	if (bytes.len > 0)
		stream->taken_ms = end.now_ms;
	stream_follow_move(stream);
	look_told(stream);
	return 0;
}

static void hook_close(struct stream *stream)
{
	struct resource *resource = stream->owner;

	resource->sessions->values[SESSIONS_OPEN] -= stream->is_watch;
	if (exchange_is_delivered(stream->exchange))
		note_told(stream);
	if (stream->is_watch && !stream->is_stray)
		watchers_end(&resource->watchers, stream->watcher, stream->held_floor,
			     sessions_now_ms(resource->sessions) +
				     (exchange_is_natural_end(stream->exchange) &&
						      !stream->is_ended
					      ? WATCHERS_LEFT_MS
					      : WATCHERS_BACK_MS));
	stream_destroy(stream);
	resource_follow(resource);
}

struct relay sessions_relay(struct sessions *sessions)
{
	return (struct relay){ .admit = hook_admit,
			       .open = hook_open,
			       .way = hook_way,
			       .head = hook_head,
			       .pass = hook_pass,
			       .is_blind = hook_is_blind,
			       .close = hook_close,
			       .arg = sessions };
}

/* --- the sessions --- */

/* Who was held back asks again: now, and when nobody need be any more. */
static void on_survivors(void *arg)
{
	struct sessions *sessions = arg;
	int64_t left_ms = sessions->began_ms + WATCHERS_BACK_MS -
			  sessions_now_ms(sessions);

	if (left_ms > 0)
		loop_timer_start(sessions->env.loop, &sessions->survivors, left_ms);
	sessions->env.readmit(sessions->env.readmit_arg);
}

struct sessions *sessions_create(const struct sessions_env *env)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		abort();
	sessions->env = *env;
	sessions->conf = *env->conf;
	sessions->env.conf = NULL;
	list_init(&sessions->strays);
	sessions->resources_n = env->spec->resources_n;
	sessions->began_ms = sessions_now_ms(sessions);
	loop_timer_init(&sessions->survivors, on_survivors, sessions);
	loop_timer_start(env->loop, &sessions->survivors, WATCHERS_BACK_MS);
	for (int i = 0; i < sessions->resources_n; i++)
		resource_init(&sessions->resources[i], sessions,
			      &env->spec->resources[i]);
	return sessions;
}

void sessions_destroy(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	assert(list_is_empty(&sessions->strays) && "exchanges end before us");
	for (int i = 0; i < sessions->resources_n; i++)
		resource_finish(&sessions->resources[i]);
	loop_timer_stop(&sessions->survivors);
	free(sessions);
}

void sessions_on_ring(struct sessions *sessions)
{
	for (int i = 0; i < sessions->resources_n; i++)
		resource_on_ring(&sessions->resources[i]);
}

static bool resource_follows(const struct resource *resource)
{
	const struct ring *ring = resource->sessions->env.ring->current;

	if (resource->step != SESSION_SERVING)
		return !ring_serves(ring, resource->resource) &&
		       list_is_empty(&resource->streams);
	return bucket_set_is_equal(&resource->view.set,
				   ring_shown(ring, resource->resource)) &&
	       resource_is_released(resource);
}

bool sessions_follow(const struct sessions *sessions, enum resource_role role)
{
	for (int i = 0; i < sessions->resources_n; i++) {
		const struct resource *resource = &sessions->resources[i];

		if (resource->resource->role == role && !resource_follows(resource))
			return false;
	}
	return true;
}

/* Whether it is so of a resource of the role. */
static bool is_any(struct sessions *sessions, enum resource_role role,
		   bool (*is_so)(struct resource *resource))
{
	for (int i = 0; i < sessions->resources_n; i++) {
		struct resource *resource = &sessions->resources[i];

		if (resource->resource->role == role && is_so(resource))
			return true;
	}
	return false;
}

bool sessions_are_blind(struct sessions *sessions, enum resource_role role)
{
	return is_any(sessions, role, resource_is_blind);
}

bool sessions_lack(struct sessions *sessions, enum resource_role role)
{
	return is_any(sessions, role, resource_lacks);
}

void sessions_reload(struct sessions *sessions, const struct session_conf *conf)
{
	sessions->conf = *conf;
}

int sessions_report(const struct sessions *sessions,
		    struct sessions_resource_report *out)
{
	for (int i = 0; i < sessions->resources_n; i++) {
		const struct resource *resource = &sessions->resources[i];

		out[i] = (struct sessions_resource_report){
			.resource = resource->resource,
			.view = &resource->view,
			.state = resource_state(resource),
		};
		for (struct list *node = resource->streams.next;
		     node != &resource->streams; node = node->next)
			out[i].sessions +=
				LIST_OWNER(node, struct stream, node)->is_watch;
	}
	return sessions->resources_n;
}

const int64_t *sessions_values(const struct sessions *sessions)
{
	return sessions->values;
}

const int64_t *sessions_farewells(const struct sessions *sessions)
{
	return sessions->farewells;
}

const int64_t *sessions_moves(const struct sessions *sessions)
{
	return sessions->moves;
}
