#include "proxy/ring/ring.h"

#include <assert.h>
#include <stdlib.h>

const char *ring_state_name(enum ring_state state)
{
	switch (state) {
	case RING_NOT_READY:
		return "not-ready";
	case RING_STANDBY:
		return "standby";
	case RING_ACTIVE:
		return "active";
	case RING_WAITING:
		return "waiting";
	case RING_RIGHT_LOST:
		return "right-lost";
	case RING_LEAVING:
		return "leaving";
	}
	return "";
}

struct ring *ring_create(const struct ring *values)
{
	struct ring *ring = malloc(sizeof(*ring));

	if (!ring)
		abort();
	*ring = *values;
	ring->refs = 1;
	owners_ref(ring->owners);
	return ring;
}

struct ring *ring_ref(struct ring *ring)
{
	assert(ring->refs > 0 && "whoever shares a ring holds it");
	ring->refs++;
	return ring;
}

void ring_unref(struct ring *ring)
{
	assert(ring->refs > 0 && "each unref has its ref");
	if (--ring->refs > 0)
		return;
	owners_unref(ring->owners);
	free(ring);
}

bool ring_may_write(const struct ring *ring, int bucket, int64_t now_ms)
{
	return ring_has_right(ring, now_ms) && bucket >= 0 &&
	       bucket_set_has(&ring->owned, bucket);
}

bool ring_has_right(const struct ring *ring, int64_t now_ms)
{
	return ring->state == RING_ACTIVE && now_ms < ring->right_until_ms &&
	       bucket_set_count(&ring->owned) > 0;
}

bool ring_may_lead(const struct ring *ring, int64_t now_ms)
{
	return (ring->state == RING_ACTIVE || ring->state == RING_STANDBY) &&
	       now_ms < ring->right_until_ms;
}

bool ring_is_ready(const struct ring *ring)
{
	return ring->state == RING_ACTIVE || ring->state == RING_STANDBY ||
	       ring->state == RING_WAITING;
}

static bool ring_can_serve(const struct ring *ring,
			   const struct ring_resource *resource)
{
	return (ring_is_ready(ring) || ring->state == RING_LEAVING) &&
	       (ring->served >> resource->index & 1);
}

bool ring_serves(const struct ring *ring, const struct ring_resource *resource)
{
	return ring_can_serve(ring, resource) && !(ring->held >> resource->index & 1);
}

bool ring_holds(const struct ring *ring, const struct ring_resource *resource)
{
	return ring_can_serve(ring, resource) && (ring->held >> resource->index & 1);
}

const struct bucket_set *ring_shown(const struct ring *ring,
				    const struct ring_resource *resource)
{
	return &ring->shown[resource->role];
}

void ring_holder_init(struct ring_holder *holder, const struct ring_spec *spec)
{
	const struct ring values = {
		.state = RING_NOT_READY,
		.spec = spec,
		.reason = "membership has not begun",
	};

	*holder = (struct ring_holder){ .current = ring_create(&values) };
}

void ring_holder_finish(struct ring_holder *holder)
{
	ring_unref(holder->current);
	holder->current = NULL;
}

void ring_publish(struct ring_holder *holder, const struct ring *values)
{
	struct ring *former = holder->current;

	holder->current = ring_create(values);
	ring_unref(former);
	if (holder->on_change)
		holder->on_change(holder->arg);
}
