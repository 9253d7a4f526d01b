/*
 * One WATCH of our own: a transfer whose JSON lines are told as events, one by
 * one. It ends by itself when the server ends it, when it breaks, when a line is
 * too long or no event, and when nothing at all was heard for WATCH_SILENCE_MS
 * (the API server sends a bookmark a minute): then the connection is dead,
 * whatever the kernel says.
 *
 * Who opened it decides what follows; see the reflector.
 */
#ifndef RINGSIDE_NET_WATCH_H
#define RINGSIDE_NET_WATCH_H

#include "proxy/net/api.h"

#define WATCH_SILENCE_MS 130000

struct watch_listener {
	/*
	 * ADDED, MODIFIED, DELETED or BOOKMARK; borrowed. False: no more events, and
	 * no end, until watch_resume; reading stops, and the server is held up.
	 */
	bool (*on_event)(void *arg, const struct watch_event *event);
	/*
	 * The watch is over; it is still to be closed. status 200: the server
	 * ended it cleanly. Else the HTTP status or the code of an ERROR event; 410
	 * too when the next event cannot be read, as no position leads past it; 0
	 * with a reason when the stream broke. json and arena are NULL.
	 */
	void (*on_end)(void *arg, const struct api_answer *end);
};

struct watch_request {
	const char *target; /* path and query; copied */
	const char *accept;
	size_t frame_bytes_max;
	int64_t silence_ms; /* 0: WATCH_SILENCE_MS */
};

struct watch;

/* api and listener outlive it. Never NULL; failures come by on_end. */
struct watch *watch_open(const struct api *api, const struct watch_request *request,
			 const struct watch_listener *listener, void *arg);

/* Events again, from the loop. */
void watch_resume(struct watch *watch);

/* Fine inside on_end, not inside on_event. NULL is fine. */
void watch_close(struct watch *watch);

#endif
