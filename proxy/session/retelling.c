#include "proxy/session/retelling.h"

#include <errno.h>

#include "proxy/kube/event.h"
#include "proxy/kube/event_mark.h"

void retelling_init(struct retelling *retelling, enum release_manner manner,
		    enum kube_encoding encoding, size_t frame_bytes_max)
{
	*retelling = (struct retelling){ .manner = manner, .encoding = encoding };
	frame_init(&retelling->scanner, encoding);
	buf_init(&retelling->frame, frame_bytes_max);
}

void retelling_finish(struct retelling *retelling)
{
	buf_finish(&retelling->frame);
}

static int end_frame(struct retelling *retelling, int64_t at_s, struct buf *out)
{
	struct slice frame = buf_slice(&retelling->frame), object;
	enum watch_event_type type;
	int rc = event_open(retelling->encoding, frame, &type, &object);

	if (rc < 0)
		return rc;
	if (type == WATCH_DELETED && retelling->manner == RELEASE_SUPPRESSED)
		return RETELLING_ASKS;
	if (type != WATCH_DELETED || retelling->manner != RELEASE_MARKED)
		rc = buf_append(out, frame);
	else
		rc = event_write_marked(out, retelling->encoding, frame, at_s);
	buf_clear(&retelling->frame);
	return rc < 0 ? rc : RETELLING_TOLD;
}

int retelling_take(struct retelling *retelling, struct slice bytes, size_t *consumed,
		   int64_t at_s, struct buf *out)
{
	struct err err;
	int rc = frame_scan(&retelling->scanner, bytes, consumed, &err);

	if (rc < 0)
		return rc;
	if (buf_append(&retelling->frame, slice_make(bytes.data, *consumed)) < 0)
		return -EMSGSIZE;
	return rc == 0 ? RETELLING_READS : end_frame(retelling, at_s, out);
}

int retelling_subject(const struct retelling *retelling, struct arena *arena,
		      const struct meta_keys *keys, struct object_meta *out,
		      struct err *err)
{
	enum watch_event_type type;
	struct slice object;

	if (event_open(retelling->encoding, buf_slice(&retelling->frame), &type,
		       &object) < 0)
		return err_set(err, -EINVAL, "expected a watch event");
	return meta_parse(out, arena, retelling->encoding, object, keys, err);
}

int retelling_tell(struct retelling *retelling, struct buf *out)
{
	int rc = buf_append(out, buf_slice(&retelling->frame));

	buf_clear(&retelling->frame);
	return rc;
}

/* As kinds and versions are; it is written into JSON as it is. */
static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] == '"' || text.data[i] == '\\')
			return false;
	return text.len > 0;
}

int retelling_hush(struct retelling *retelling, struct buf *out)
{
	static const struct meta_keys none;
	struct arena *arena = arena_create();
	struct object_meta meta = { 0 };
	struct err err;
	int rc = retelling_subject(retelling, arena, &none, &meta, &err);

	if (rc == 0 && (!is_plain(meta.kind) || !is_plain(meta.api_version) ||
			!is_plain(meta.resource_version)))
		rc = -EINVAL;
	if (rc == 0 && retelling->allows_bookmarks) {
		const struct event_item of = {
			.kind = arena_text(arena, meta.kind),
			.api_version = arena_text(arena, meta.api_version),
			.version = arena_text(arena, meta.resource_version),
		};

		rc = event_write_bookmark(out, retelling->encoding, &of);
	}
	arena_destroy(arena);
	buf_clear(&retelling->frame);
	return rc;
}

bool retelling_is_idle(const struct retelling *retelling)
{
	return retelling->frame.len == 0;
}
