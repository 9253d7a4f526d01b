#include "proxy/session/step.h"

#define TO(step) (1u << SESSION_##step)

static const struct {
	const char *name;
	unsigned to;
} steps[SESSION_STEPS_N] = {
	[SESSION_HELD] = { "held", TO(FLOOR) | TO(SERVING) },
	[SESSION_ENDING] = { "ending", TO(FLOOR) | TO(HELD) | TO(SERVING) },
	[SESSION_FLOOR] = { "floor", TO(HELD) | TO(SERVING) },
	[SESSION_SERVING] = { "serving", TO(ENDING) | TO(FLOOR) | TO(HELD) },
};

const char *session_step_name(enum session_step step)
{
	return steps[step].name;
}

enum session_step session_step_next(const struct step_facts *facts)
{
	if (facts->is_served && facts->view_stands)
		return SESSION_SERVING;
	if ((facts->is_served || facts->is_held_back) && facts->is_settling)
		return SESSION_SERVING;
	if (facts->has_streams)
		return SESSION_ENDING;
	if (!facts->is_served)
		return SESSION_HELD;
	return facts->has_floor ? SESSION_SERVING : SESSION_FLOOR;
}

bool session_step_is_edge(enum session_step from, enum session_step to)
{
	return steps[from].to >> to & 1;
}

bool session_view_stands(const struct view *view, const struct ring *ring,
			 const struct ring_resource *resource)
{
	return (ring_serves(ring, resource) || ring_holds(ring, resource) ||
		ring->state == RING_RIGHT_LOST) &&
	       bucket_set_is_equal(ring_shown(ring, resource), &view->set);
}

int64_t session_watch_due_ms(const struct watch_facts *facts)
{
	return facts->has_frames ? facts->since_ms
				 : facts->since_ms + facts->min_age_ms;
}

bool session_floor_is_foreign(uint64_t floor, uint64_t written)
{
	return floor < written;
}
