#include "proxy/session/doubts.h"

#include <stdlib.h>

#include "proxy/base/map.h"

#define KEY_BYTES_MAX (64u * 1024)

struct doubts {
	struct map *by_key;
};

struct doubts *doubts_create(void)
{
	struct doubts *doubts = calloc(1, sizeof(*doubts));

	if (doubts == NULL)
		abort();
	doubts->by_key = map_create(DOUBTS_MAX);
	return doubts;
}

static void forget(struct doubt *doubt)
{
	doubt_finish(doubt);
	free(doubt);
}

void doubts_destroy(struct doubts *doubts)
{
	size_t cursor = 0;
	void *doubt;

	if (doubts == NULL)
		return;
	while (map_next(doubts->by_key, &cursor, NULL, &doubt))
		forget(doubt);
	map_destroy(doubts->by_key);
	free(doubts);
}

/* The parts, each behind its length: no two requests have one key by chance. */
static int write_key(struct buf *out, const struct relay_request *request)
{
	const struct slice parts[] = { request->path, request->label_selector,
				       request->field_selector, request->accept,
				       request->user_agent };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = buf_printf(out, "%zu:%.*s", parts[i].len, SLICE_ARGS(parts[i]));
	return rc;
}

struct doubt *doubts_find(const struct doubts *doubts,
			  const struct relay_request *request)
{
	struct doubt *doubt = NULL;
	struct buf key;

	buf_init(&key, KEY_BYTES_MAX);
	if (write_key(&key, request) == 0)
		doubt = map_get(doubts->by_key, buf_slice(&key));
	buf_finish(&key);
	return doubt;
}

struct doubt *doubts_get(struct doubts *doubts, const struct relay_request *request)
{
	struct doubt *doubt = doubts_find(doubts, request);
	struct buf key;

	if (doubt != NULL)
		return doubt;
	doubt = calloc(1, sizeof(*doubt));
	if (doubt == NULL)
		abort();
	buf_init(&key, KEY_BYTES_MAX);
	if (write_key(&key, request) != 0 ||
	    map_put(doubts->by_key, buf_slice(&key), doubt, NULL) != 0) {
		free(doubt);
		doubt = NULL;
	}
	buf_finish(&key);
	return doubt;
}

size_t doubts_count(const struct doubts *doubts)
{
	return map_count(doubts->by_key);
}

void doubts_sweep(struct doubts *doubts, uint64_t oldest)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (map_next(doubts->by_key, &cursor, &key, &value)) {
		struct doubt *doubt = value;

		if (doubt_is_about(doubt, oldest))
			continue;
		map_remove(doubts->by_key, key);
		forget(doubt);
	}
}

uint64_t doubts_certain_from(const struct doubts *doubts, const struct view *view)
{
	uint64_t from = view->floor;
	size_t cursor = 0;
	void *value;

	while (map_next(doubts->by_key, &cursor, NULL, &value)) {
		uint64_t certain = doubt_certain_from(value);

		if (certain > from)
			from = certain;
	}
	return from;
}
