#include "proxy/session/stream.h"

#include <errno.h>
#include <stdlib.h>

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
	stream->opened_ms = now_ms;
	list_init(&stream->node);
	return stream;
}

void stream_destroy(struct stream *stream)
{
	list_remove(&stream->node);
	if (stream->move != NULL)
		move_stop(stream->move);
	move_unref(stream->move);
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
		stream->facts.has_frames |= rc == 1;
		at += n;
	}
	bytes->len = at;
	return 0;
}
