#include "proxy/session/watchers.h"

#include "proxy/base/siphash.h"

/* The parts behind each other's hash: it keeps them apart. */
uint64_t watcher_key(const struct relay_request *request)
{
	const struct slice parts[] = { request->path, request->label_selector,
				       request->field_selector, request->accept,
				       request->user_agent };
	uint64_t key[2] = { 0, 0 };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		key[0] = siphash(key, parts[i]);
	return key[0];
}

static void watchers_remove(struct watchers *watchers, int i)
{
	watchers->gone[i] = watchers->gone[--watchers->n];
}

void watchers_end(struct watchers *watchers, uint64_t key, uint64_t floor,
		  int64_t until_ms)
{
	if (watchers->n == WATCHERS_MAX)
		watchers_remove(watchers, 0);
	watchers->gone[watchers->n].key = key;
	watchers->gone[watchers->n].floor = floor;
	watchers->gone[watchers->n++].until_ms = until_ms;
}

/* Of those with one key it is the one that held the same, if there is one. */
void watchers_begin(struct watchers *watchers, uint64_t key, uint64_t floor)
{
	int found = -1;

	for (int i = 0; i < watchers->n; i++)
		if (watchers->gone[i].key == key &&
		    (found < 0 || watchers->gone[i].floor == floor))
			found = i;
	if (found >= 0)
		watchers_remove(watchers, found);
}

bool watchers_are_missing(struct watchers *watchers, int64_t now_ms)
{
	for (int i = watchers->n - 1; i >= 0; i--)
		if (watchers->gone[i].until_ms <= now_ms)
			watchers_remove(watchers, i);
	return watchers->n > 0;
}

bool watchers_lack(struct watchers *watchers, uint64_t floor, int64_t now_ms)
{
	if (!watchers_are_missing(watchers, now_ms))
		return false;
	for (int i = 0; i < watchers->n; i++)
		if (watchers->gone[i].floor != floor)
			return true;
	return false;
}
