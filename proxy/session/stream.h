/*
 * A stream: one sharded LIST or WATCH on its way from the API server to a client.
 * It finds the frames of a WATCH, so that an answer can be ended between two of
 * them. A LIST, and an answer other than 200, pass untouched.
 *
 * A session is an open WATCH. One that is moved to another view takes its bytes from
 * a move (move.h) instead of the API server: here bytes pass, and none is made.
 */
#ifndef RINGSIDE_SESSION_STREAM_H
#define RINGSIDE_SESSION_STREAM_H

#include "proxy/base/list.h"
#include "proxy/kube/frame.h"
#include "proxy/net/relay.h"
#include "proxy/session/farewell.h"
#include "proxy/session/move.h"
#include "proxy/session/step.h"

struct stream {
	struct list node; /* of its owner's streams */
	void *owner;
	struct exchange *exchange;
	bool is_watch;
	bool is_stray;            /* opened under no view: nothing of it may pass */
	bool is_broken;           /* it has no frames that we know */
	bool is_unframed;         /* a LIST, or an answer that is no stream */
	struct watch_facts facts; /* but for min_age_ms */
	struct frame_scanner scanner;
	struct move *move;         /* ref; NULL: it is not moved */
	struct farewell *farewell; /* ref; NULL: DELETED is told as it comes */
	bool is_released;          /* what the move says has left has left */
	bool is_settled;           /* its client stands in the new view */
	bool is_told;              /* all that the view showed when it began has left */
	bool has_head;
	bool is_ended; /* by us, for a change of view */
	/* It begins with all objects; how much of the mark of their end was found. */
	bool sends_initial_events;
	size_t initial_matched;
	bool is_initial_end;  /* the frame under way holds it */
	uint64_t watcher;     /* whose it is */
	uint64_t held_floor;  /* of the view that it began in; 0: it need not hold it */
	struct doubt *holder; /* of a client without a diff; or NULL */
	uint64_t position;    /* that it was asked for from */
	int64_t opened_ms;
	int64_t taken_ms; /* when bytes of it left last, or none had to */
	/*
	 * A WATCH without a position begins with the state of things: its objects'
	 * versions are noted here, up to the first frame that is something else.
	 * NULL: there is nothing to note.
	 */
	struct doubt *seeds;
	struct buf frame; /* while it is not whole */
};

/* On the heap, on no list. */
struct stream *stream_create(void *owner, struct exchange *exchange, bool is_watch,
			     int64_t now_ms);
/* Leaves its list. */
void stream_destroy(struct stream *stream);

/* The head has come. */
void stream_head(struct stream *stream, const struct upstream_head *head,
		 int64_t now_ms);

/* Whether all that was taken out of its move, if it has one, has left. */
bool stream_is_drained(const struct stream *stream);

/* Sets is_told, once that is so. */
void stream_look_told(struct stream *stream);

/* Whether it is a WATCH that is, or may become, a stream of frames. */
bool stream_is_session(const struct stream *stream);

/* Whether the stream is to end as soon as it may, and what decides when that is. */
struct stream_end {
	bool is_wanted;
	int64_t now_ms;
	int64_t min_age_ms;
};

/*
 * Leaves in bytes->len how many of the bytes go on; *ends: the answer ends well
 * behind them. -EINVAL: cut it.
 */
int stream_pass(struct stream *stream, struct slice *bytes,
		const struct stream_end *end, bool *ends);

#endif
