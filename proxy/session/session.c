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

static const struct view *hook_admit(void *arg, const struct relay_request *request)
{
	struct resource *resource = resource_at(arg, request->resource);

	return resource->step == SESSION_SERVING ? resource_admit(resource, request)
						 : NULL;
}

static struct stream *hook_open(void *arg, const struct relay_request *request,
				const struct view *view, struct exchange *exchange)
{
	struct sessions *sessions = arg;
	struct resource *resource = resource_at(sessions, request->resource);
	bool is_watch = request->is_watch;
	struct stream *stream =
		stream_create(resource, exchange, is_watch, sessions_now_ms(sessions));

	stream->is_stray = resource->step != SESSION_SERVING;
	if (!stream->is_stray) {
		stream->move = resource_move(resource, request, view);
		stream->seeds = resource_seeds(resource, request);
	}
	list_add(stream->is_stray ? &sessions->strays : &resource->streams,
		 &stream->node);
	sessions->values[SESSIONS_OPEN] += is_watch;
	return stream;
}

static struct upstream *hook_way(struct stream *stream)
{
	return stream->move != NULL ? move_way(stream->move) : NULL;
}

static void hook_head(struct stream *stream, const struct upstream_head *head)
{
	struct resource *resource = stream->owner;

	stream_head(stream, head, sessions_now_ms(resource->sessions));
	resource_look_again(resource);
}

/*
 * Asked whenever the client has room: what was taken before has left. Who waits for
 * it is told from the timer, not inside a hook.
 */
static void stream_follow_move(struct stream *stream)
{
	struct resource *resource = stream->owner;
	bool was_released = stream->is_released, was_settled = stream->is_settled;

	if (stream->move == NULL)
		return;
	stream->is_released |= move_is_released(stream->move);
	stream->is_settled |= move_is_settled(stream->move);
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
	*n = bytes.len;
	stream_follow_move(stream);
	return 0;
}

static void hook_close(struct stream *stream)
{
	struct resource *resource = stream->owner;

	resource->sessions->values[SESSIONS_OPEN] -= stream->is_watch;
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
			       .close = hook_close,
			       .arg = sessions };
}

/* --- the sessions --- */

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

	if (!ring_serves(ring, resource->resource))
		return list_is_empty(&resource->streams);
	return resource->step == SESSION_SERVING &&
	       bucket_set_is_equal(&resource->view.set,
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

const int64_t *sessions_moves(const struct sessions *sessions)
{
	return sessions->moves;
}
