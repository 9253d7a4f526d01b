/*
 * The steps of a change of view (step.h), carried out.
 */
#include "proxy/session/resource.h"

#include <assert.h>

#include "proxy/base/log.h"

/* --- ending what is open --- */

static void stream_cut(struct sessions *sessions, struct stream *stream)
{
	sessions->values[stream_is_session(stream) ? SESSIONS_CUT
						   : SESSIONS_LISTS_ABORTED]++;
	exchange_cut(stream->exchange);
}

/* When what has not ended is cut. */
static int64_t deadline_ms(const struct resource *resource, const struct stream *stream)
{
	const struct session_conf *conf = &resource->sessions->conf;

	return resource->ending_ms + (stream_is_session(stream)
					      ? conf->session_timeout_ms
					      : conf->list_timeout_ms);
}

/* Ends or cuts the streams whose time has come, and waits for the next one's. */
static void resource_end_streams(struct resource *resource)
{
	struct sessions *sessions = resource->sessions;
	int64_t now = sessions_now_ms(sessions), next_ms = INT64_MAX;

	LIST_EACH(node, &resource->streams) {
		struct stream *stream = LIST_OWNER(node, struct stream, node);
		struct watch_facts facts = stream->facts;
		int64_t due_ms, last_ms = deadline_ms(resource, stream);

		facts.min_age_ms = sessions->conf.min_age_ms;
		due_ms = stream_is_session(stream) ? session_watch_due_ms(&facts)
						   : INT64_MAX;
		if (now < due_ms && due_ms < last_ms)
			last_ms = due_ms;
		else if (now >= last_ms)
			stream_cut(sessions, stream);
		else if (now >= due_ms)
			exchange_poke(stream->exchange);
		if (last_ms > now && last_ms < next_ms)
			next_ms = last_ms;
	}
	/* A cut may have closed the last one. */
	if (resource->step == SESSION_ENDING && next_ms < INT64_MAX)
		loop_timer_start(sessions->env.loop, &resource->end, next_ms - now);
}

static void on_end(void *arg)
{
	resource_end_streams(arg);
}

/* --- the steps --- */

static void enter_ending(struct resource *resource)
{
	resource->ending_ms = sessions_now_ms(resource->sessions);
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
			 sessions_now_ms(resource->sessions) - resource->changing_ms));
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
		const struct view next = {
			.set = resource->wanted,
			.floor = resource->next_floor,
			.distrusts_positions = resource->next_is_foreign,
		};

		resource_remember(resource, &next);
		if (resource->first_floor == 0)
			resource->first_floor = next.floor;
		resource->view = next;
		resource->view_stands = true;
		sessions->values[SESSIONS_CHANGES]++;
		view_log(resource, "serving a new view");
	}
	resource_moves_begin(resource);
	sessions->env.readmit(sessions->env.readmit_arg);
}

static void leave_serving(struct resource *resource)
{
	resource->changing_ms = sessions_now_ms(resource->sessions);
	resource_moves_end(resource);
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

void resource_follow(struct resource *resource)
{
	const struct ring *ring = resource->sessions->env.ring->current;
	const struct step_facts facts = {
		.is_served = ring_serves(ring, resource->resource),
		.is_held_back = ring_holds(ring, resource->resource),
		.view_stands = resource->view_stands,
		.has_streams = !list_is_empty(&resource->streams),
		.has_floor = resource->has_floor,
		.is_settling = resource->step == SESSION_SERVING &&
			       !resource_is_settled(resource),
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

void resource_on_ring(struct resource *resource)
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

void resource_look_again(struct resource *resource)
{
	/* Nothing is cut inside a hook. */
	if (resource->step == SESSION_ENDING)
		loop_timer_start(resource->sessions->env.loop, &resource->end, 0);
}

const char *resource_state(const struct resource *resource)
{
	return steps[resource->step].state;
}

void resource_init(struct resource *resource, struct sessions *sessions,
		   const struct ring_resource *of)
{
	resource->sessions = sessions;
	resource->resource = of;
	resource->changing_ms = sessions_now_ms(sessions);
	resource->doubts = doubts_create();
	list_init(&resource->streams);
	loop_timer_init(&resource->end, on_end, resource);
	loop_timer_init(&resource->moving, NULL, resource);
	resource->floor = (struct floor_reader){ .env = &sessions->env,
						 .resource = of,
						 .on_known = on_floor,
						 .arg = resource };
	floor_init(&resource->floor);
}

void resource_finish(struct resource *resource)
{
	assert(list_is_empty(&resource->streams) && "exchanges end before us");
	loop_timer_stop(&resource->end);
	loop_timer_stop(&resource->moving);
	floor_stop(&resource->floor);
	doubts_destroy(resource->doubts);
}
