#include "proxy/net/guard.h"

#include <assert.h>

bool guard_begin(struct guard *guard)
{
	guard->open++;
	guard->begun++;
	return guard->aborts <= GUARD_ABORTS_MAX;
}

void guard_end(struct guard *guard, bool is_aborted, int64_t now_ms)
{
	assert(guard->open > 0 && "what ends has begun");
	guard->open--;
	if (!is_aborted)
		return;
	if (now_ms - guard->window_ms >= GUARD_WINDOW_MS) {
		guard->window_ms = now_ms;
		guard->aborts = 0;
	}
	guard->aborts++;
}

bool guard_look(struct guard *guard, uint64_t partial, int64_t now_ms)
{
	if (partial != guard->partial)
		guard->partial_ms = now_ms;
	guard->partial = partial;
	return partial == 0 || now_ms - guard->partial_ms < GUARD_ARRIVAL_MS;
}
