/*
 * What a WATCH says of objects that leave, told in the manner that the resource asks
 * for (onRelease). Frames are read whole; those that are no DELETED go on as they
 * came, byte by byte. Pure: bytes in, bytes out.
 *
 * marked      every DELETED bears a deletionTimestamp. That an object is really gone
 *             need not be told apart: then it is true.
 * suppressed  the API server says DELETED both of what is gone and of what has left
 *             the selector. Which of the two it is, the caller finds out
 *             (RETELLING_ASKS) and says; of what exists elsewhere nothing is told,
 *             but that the client's position has moved on.
 */
#ifndef RINGSIDE_SESSION_RETELLING_H
#define RINGSIDE_SESSION_RETELLING_H

#include "proxy/kube/frame.h"
#include "proxy/kube/meta.h"
#include "proxy/ring/spec.h"

struct retelling {
	enum release_manner manner;
	enum kube_encoding encoding;
	bool allows_bookmarks;
	struct frame_scanner scanner;
	struct buf frame; /* what has come of the one that is being read */
};

/* frame_bytes_max: above it a frame is an error. */
void retelling_init(struct retelling *retelling, enum release_manner manner,
		    enum kube_encoding encoding, size_t frame_bytes_max);
void retelling_finish(struct retelling *retelling);

enum retelling_step {
	RETELLING_READS, /* all bytes were read; the frame is not whole */
	RETELLING_TOLD,  /* one is in `out` */
	RETELLING_ASKS,  /* one is whole: tell it, or hush it, before the next bytes */
};

/*
 * Reads up to the end of a frame, or all bytes; *consumed says how many. at_s: now, in
 * seconds since 1970. A step, or -EINVAL (it is no watch that we can read), -EMSGSIZE.
 */
int retelling_take(struct retelling *retelling, struct slice bytes, size_t *consumed,
		   int64_t at_s, struct buf *out);

/*
 * The object of the frame that is asked about; in the arena and the frame. -EINVAL.
 */
int retelling_subject(const struct retelling *retelling, struct arena *arena,
		      const struct meta_keys *keys, struct object_meta *out,
		      struct err *err);

/* It goes on as it is. 0 or -EMSGSIZE. */
int retelling_tell(struct retelling *retelling, struct buf *out);

/* It is not told: a BOOKMARK of its version, where the client takes them. */
int retelling_hush(struct retelling *retelling, struct buf *out);

/* Whether nothing of a frame is in hand. */
bool retelling_is_idle(const struct retelling *retelling);

#endif
