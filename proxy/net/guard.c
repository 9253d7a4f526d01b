#include "proxy/net/guard.h"

#include <assert.h>

/* What a request costs besides its bytes: frames, their padding, records of TLS. */
#define REQUEST_BYTES 512
/* The same where a body comes byte by byte, each in a frame and a record of its own. */
#define PER_BODY_BYTE 32
/* WINDOW_UPDATE for the stream and the connection, each in its record. */
#define ANSWER_BYTES 128
#define ANSWER_SHARE 16

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

void guard_explain_request(struct guard *guard, size_t head_bytes, size_t body_bytes)
{
	guard->explained += REQUEST_BYTES + 2 * head_bytes +
			    PER_BODY_BYTE * (uint64_t)body_bytes;
}

void guard_explain_answer(struct guard *guard, size_t bytes)
{
	guard->explained += ANSWER_BYTES + bytes / ANSWER_SHARE;
}

bool guard_hear(struct guard *guard, uint64_t received, uint64_t partial_bytes,
		bool is_deaf, int64_t now_ms)
{
	uint64_t heard = received - guard->chatter_from;
	bool is_fine;

	/* They may be taken back, at any time. */
	if (partial_bytes > guard->partial_most)
		guard->partial_most = partial_bytes;
	if (!is_deaf)
		guard->heard_ms = now_ms;
	is_fine = heard <= guard->explained + guard->partial_most + GUARD_CHATTER_BYTES;

	if (now_ms - guard->chatter_ms >= GUARD_WINDOW_MS) {
		guard->chatter_ms = now_ms;
		guard->chatter_from = received;
		guard->explained = 0;
		guard->partial_most = partial_bytes;
	}
	return is_fine && now_ms - guard->heard_ms < GUARD_WINDOW_MS;
}
