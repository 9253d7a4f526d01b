#include "proxy/session/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "proxy/kube/event.h"
#include "proxy/kube/list_reader.h"

struct stream *stream_create(void *owner, struct exchange *exchange, bool is_watch,
			     int64_t now_ms)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (stream == NULL)
		abort();
	stream->owner = owner;
	stream->exchange = exchange;
	stream->is_watch = is_watch;
	stream->is_unframed = !is_watch;
	stream->facts.since_ms = now_ms;
	stream->opened_ms = stream->taken_ms = now_ms;
	list_init(&stream->node);
	buf_init(&stream->frame, LIST_ITEM_BYTES_MAX);
	return stream;
}

void stream_destroy(struct stream *stream)
{
	list_remove(&stream->node);
	if (stream->move != NULL)
		move_stop(stream->move);
	move_unref(stream->move);
	farewell_unref(stream->farewell);
	buf_finish(&stream->frame);
	free(stream);
}

static struct slice field(const struct upstream_head *head, const char *name)
{
	for (size_t i = 0; i < head->headers_n; i++)
		if (slice_is_nocase(head->headers[i].name, name))
			return slice_trim(head->headers[i].value);
	return slice_make(NULL, 0);
}

void stream_head(struct stream *stream, const struct upstream_head *head,
		 int64_t now_ms)
{
	enum kube_encoding encoding;
	struct slice coding;

	stream->has_head = true;
	stream->facts.since_ms = now_ms;
	stream->is_unframed |= head->status != 200;
	if (stream->is_unframed)
		return;
	encoding = encoding_of_content_type(field(head, "content-type"));
	coding = field(head, "content-encoding");
	stream->is_broken = (coding.len > 0 && !slice_is_nocase(coding, "identity")) ||
			    encoding == KUBE_YAML || encoding == KUBE_OTHER;
	frame_init(&stream->scanner, encoding);
}

bool stream_is_drained(const struct stream *stream)
{
	return stream->farewell == NULL || farewell_is_idle(stream->farewell);
}

void stream_look_told(struct stream *stream)
{
	if (!stream_is_session(stream) || !stream->has_head)
		return;
	if (stream->move != NULL)
		stream->is_told |= move_is_acquired(stream->move) &&
				   stream_is_drained(stream);
	else
		stream->is_told |= !stream->sends_initial_events;
}

/*
 * An annotation of the BOOKMARK behind the initial events, in any encoding. client-go
 * begins a WATCH of its own behind it, on the same answer: if that ends at once, it
 * takes it for an error.
 */
static void look_for_initial_end(struct stream *stream, struct slice bytes)
{
	static const struct slice mark = SLICE_LITERAL("k8s.io/initial-events-end");

	for (size_t i = 0; i < bytes.len && stream->sends_initial_events; i++) {
		/* Its first letter is not in it again. */
		if (bytes.data[i] != mark.data[stream->initial_matched])
			stream->initial_matched = bytes.data[i] == mark.data[0];
		else if (++stream->initial_matched == mark.len)
			stream->sends_initial_events = false;
	}
	stream->is_initial_end = !stream->sends_initial_events;
}

static void end_frame(struct stream *stream, int64_t now_ms)
{
	stream->facts.has_frames = !stream->is_initial_end;
	if (stream->is_initial_end)
		stream->facts.since_ms = now_ms;
	stream->is_initial_end = false;
}

bool stream_is_session(const struct stream *stream)
{
	return !stream->is_unframed;
}

static bool ends_here(const struct stream *stream, const struct stream_end *end)
{
	struct watch_facts facts = stream->facts;

	facts.min_age_ms = end->min_age_ms;
	return end->is_wanted && frame_is_at_boundary(&stream->scanner) &&
	       end->now_ms >= session_watch_due_ms(&facts);
}

/* Before the bytes leave: a part of a frame, or its last bytes. */
static void note_seed(struct stream *stream, struct slice bytes, bool is_whole)
{
	static const struct slice no_label = { 0 };
	struct event_head head;
	struct err err;
	int rc = buf_append(&stream->frame, bytes);

	if (rc == 0 && !is_whole)
		return;
	if (rc == 0)
		rc = event_read(&head, stream->scanner.encoding,
				buf_slice(&stream->frame), no_label, &err);
	buf_clear(&stream->frame);
	if (rc == 0 && head.type == WATCH_ADDED) {
		doubt_seed(stream->seeds, head.version);
		return;
	}
	if (rc != 0) /* its client may stand anywhere */
		doubt_seed(stream->seeds, UINT64_MAX);
	stream->seeds = NULL;
}

int stream_pass(struct stream *stream, struct slice *bytes,
		const struct stream_end *end, bool *ends)
{
	size_t at = 0;

	*ends = false;
	if (stream->is_stray || stream->is_broken)
		return -EINVAL;
	if (stream->is_unframed)
		return 0;
	while (!(*ends = ends_here(stream, end)) && at < bytes->len) {
		struct err err;
		size_t n;
		int rc = frame_scan(&stream->scanner, slice_from(*bytes, at), &n, &err);

		if (rc < 0)
			return rc;
		if (stream->seeds != NULL)
			note_seed(stream, slice_make(bytes->data + at, n), rc == 1);
		if (stream->sends_initial_events)
			look_for_initial_end(stream, slice_make(bytes->data + at, n));
		if (rc == 1)
			end_frame(stream, end->now_ms);
		at += n;
	}
	bytes->len = at;
	return 0;
}
