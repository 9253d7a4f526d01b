#include "proxy/session/session.h"

#include <assert.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/session/floor.h"
#include "proxy/session/step.h"
#include "proxy/session/stream.h"

/* One sharded resource. */
struct resource {
	struct sessions *sessions;
	const struct ring_resource *resource;
	enum session_step step;
	struct view view;
	bool view_stands;
	struct bucket_set wanted; /* the set of the next view */
	struct list streams;
	struct loop_timer end; /* the next stream's time has come; in ENDING */
	int64_t deadline_ms;   /* of ENDING: what is still open is cut */
	int64_t changing_ms;   /* since when requests wait */
	struct floor_reader floor;
	bool has_floor;
	uint64_t next_floor;
	bool next_is_foreign;
};

struct sessions {
	struct sessions_env env;
	struct session_conf conf;
	struct list strays; /* streams under no view, until they are closed */
	int64_t values[SESSIONS_METRICS_N];
	int resources_n;
	struct resource resources[SPEC_RESOURCES_MAX];
};

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

/* --- ending what is open --- */

static int64_t now_ms(const struct sessions *sessions)
{
	return loop_now_ms(sessions->env.loop);
}

static void stream_cut(struct sessions *sessions, struct stream *stream)
{
	sessions->values[stream_is_session(stream) ? SESSIONS_CUT
						   : SESSIONS_LISTS_ABORTED]++;
	exchange_cut(stream->exchange);
}

/* Ends or cuts the streams whose time has come, and waits for the next one's. */
static void resource_end_streams(struct resource *resource)
{
	struct sessions *sessions = resource->sessions;
	int64_t now = now_ms(sessions), next_ms = resource->deadline_ms;

	LIST_EACH(node, &resource->streams) {
		struct stream *stream = LIST_OWNER(node, struct stream, node);
		struct watch_facts facts = stream->facts;
		int64_t due_ms;

		facts.min_age_ms = sessions->conf.min_age_ms;
		due_ms = stream_is_session(stream) ? session_watch_due_ms(&facts)
						   : INT64_MAX;
		if (now >= resource->deadline_ms)
			stream_cut(sessions, stream);
		else if (now >= due_ms)
			exchange_poke(stream->exchange);
		else if (due_ms < next_ms)
			next_ms = due_ms;
	}
	/* A cut may have closed the last one. */
	if (resource->step == SESSION_ENDING && next_ms > now)
		loop_timer_start(sessions->env.loop, &resource->end, next_ms - now);
}

static void on_end(void *arg)
{
	resource_end_streams(arg);
}

/* --- the steps --- */

static void enter_ending(struct resource *resource)
{
	struct sessions *sessions = resource->sessions;

	resource->deadline_ms = now_ms(sessions) + sessions->conf.list_timeout_ms;
	resource_end_streams(resource);
}

static void leave_ending(struct resource *resource)
{
	loop_timer_stop(&resource->end);
}

static void enter_floor(struct resource *resource)
{
	floor_start(&resource->floor);
}

static void leave_floor(struct resource *resource)
{
	floor_stop(&resource->floor);
	resource->has_floor = false; /* it is good for one view */
}

static void view_log(const struct resource *resource, const char *what)
{
	struct arena *arena = arena_create();

	log_info("session", what,
		 log_text("resource", ring_resource_name(resource->resource, arena)),
		 log_int("buckets", bucket_set_count(&resource->view.set)),
		 log_int("floor", (int64_t)resource->view.floor),
		 log_int("elapsed_ms",
			 now_ms(resource->sessions) - resource->changing_ms));
	if (resource->view.distrusts_positions)
		log_warn("session",
			 "the resource lives in another storage than our Lease: every "
			 "change of buckets makes clients list it again",
			 log_text("resource",
				  ring_resource_name(resource->resource, arena)));
	arena_destroy(arena);
}

static void enter_serving(struct resource *resource)
{
	struct sessions *sessions = resource->sessions;

	if (resource->view_stands) {
		view_log(resource, "serving the same view again");
	} else {
		/* The move of a WATCH that comes back will want the former view. */
		resource->view = (struct view){
			.set = resource->wanted,
			.floor = resource->next_floor,
			.distrusts_positions = resource->next_is_foreign,
		};
		resource->view_stands = true;
		sessions->values[SESSIONS_CHANGES]++;
		view_log(resource, "serving a new view");
	}
	sessions->env.readmit(sessions->env.readmit_arg);
}

static void leave_serving(struct resource *resource)
{
	resource->changing_ms = now_ms(resource->sessions);
}

static const struct {
	void (*enter)(struct resource *resource);
	void (*leave)(struct resource *resource);
	const char *state; /* for /ring */
} steps[SESSION_STEPS_N] = {
	[SESSION_HELD] = { NULL, NULL, "held" },
	[SESSION_ENDING] = { enter_ending, leave_ending, "changing" },
	[SESSION_FLOOR] = { enter_floor, leave_floor, "changing" },
	[SESSION_SERVING] = { enter_serving, leave_serving, "serving" },
};

static void resource_enter(struct resource *resource, enum session_step step)
{
	enum session_step from = resource->step;

	assert(session_step_is_edge(from, step) && "the facts allow no other way");
	log_debug("session", session_step_name(step),
		  log_slice("resource", resource->resource->resource),
		  log_text("from", session_step_name(from)));
	if (steps[from].leave != NULL)
		steps[from].leave(resource);
	resource->step = step;
	if (steps[step].enter != NULL)
		steps[step].enter(resource);
	if (resource->sessions->env.on_step != NULL)
		resource->sessions->env.on_step(resource->sessions->env.step_arg);
}

/* Goes where the facts ask it to go. */
static void resource_follow(struct resource *resource)
{
	const struct ring *ring = resource->sessions->env.ring->current;
	const struct step_facts facts = {
		.is_served = ring_serves(ring, resource->resource),
		.view_stands = resource->view_stands,
		.has_streams = !list_is_empty(&resource->streams),
		.has_floor = resource->has_floor,
	};
	enum session_step next = session_step_next(&facts);

	if (next != resource->step)
		resource_enter(resource, next);
}

static void on_floor(void *arg, uint64_t floor, bool is_foreign)
{
	struct resource *resource = arg;

	resource->has_floor = true;
	resource->next_floor = floor;
	resource->next_is_foreign = is_foreign;
	resource_follow(resource);
}

static void resource_on_ring(struct resource *resource)
{
	const struct ring *ring = resource->sessions->env.ring->current;
	const struct bucket_set *shown = ring_shown(ring, resource->resource);

	if (resource->view_stands)
		resource->view_stands =
			session_view_stands(&resource->view, ring, resource->resource);
	if (ring_serves(ring, resource->resource) &&
	    !bucket_set_is_equal(&resource->wanted, shown)) {
		resource->wanted = *shown;
		if (resource->step == SESSION_FLOOR)
			floor_restart_read(&resource->floor);
	}
	resource_follow(resource);
}

/* --- the hooks --- */

static struct resource *resource_at(struct sessions *sessions,
				    const struct ring_resource *resource)
{
	assert(resource->index < sessions->resources_n && "it is of our spec");
	return &sessions->resources[resource->index];
}

static const struct view *hook_admit(void *arg, const struct ring_resource *of)
{
	const struct resource *resource = resource_at(arg, of);

	return resource->step == SESSION_SERVING ? &resource->view : NULL;
}

static struct stream *hook_open(void *arg, const struct ring_resource *of,
				struct exchange *exchange, bool is_watch)
{
	struct sessions *sessions = arg;
	struct resource *resource = resource_at(sessions, of);
	struct stream *stream =
		stream_create(resource, exchange, is_watch, now_ms(sessions));

	stream->is_stray = resource->step != SESSION_SERVING;
	list_add(stream->is_stray ? &sessions->strays : &resource->streams,
		 &stream->node);
	sessions->values[SESSIONS_OPEN] += is_watch;
	return stream;
}

static void hook_head(struct stream *stream, const struct upstream_head *head)
{
	struct resource *resource = stream->owner;

	stream_head(stream, head, now_ms(resource->sessions));
	/* Its time has changed; nothing is cut inside a hook. */
	if (resource->step == SESSION_ENDING)
		loop_timer_start(resource->sessions->env.loop, &resource->end, 0);
}

static int hook_pass(struct stream *stream, struct slice bytes, size_t *n, bool *ends)
{
	struct resource *resource = stream->owner;
	struct sessions *sessions = resource->sessions;
	const struct stream_end end = {
		.is_wanted = resource->step == SESSION_ENDING,
		.now_ms = now_ms(sessions),
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
	*n = bytes.len;
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
			       .head = hook_head,
			       .pass = hook_pass,
			       .close = hook_close,
			       .arg = sessions };
}

/* --- the sessions --- */

static void resource_init(struct resource *resource, struct sessions *sessions,
			  const struct ring_resource *of)
{
	resource->sessions = sessions;
	resource->resource = of;
	resource->changing_ms = now_ms(sessions);
	list_init(&resource->streams);
	loop_timer_init(&resource->end, on_end, resource);
	resource->floor = (struct floor_reader){ .env = &sessions->env,
						 .resource = of,
						 .on_known = on_floor,
						 .arg = resource };
	floor_init(&resource->floor);
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
	for (int i = 0; i < sessions->resources_n; i++) {
		assert(list_is_empty(&sessions->resources[i].streams) &&
		       "exchanges end before us");
		loop_timer_stop(&sessions->resources[i].end);
		floor_stop(&sessions->resources[i].floor);
	}
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
				   ring_shown(ring, resource->resource));
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
			.state = steps[resource->step].state,
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
