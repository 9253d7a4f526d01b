#include "proxy/session/retelling.h"

#include "proxy/kube/event.h"
#include "tests/fuzz/fuzz.h"

#define BYTES_MAX (1u << 20)
#define NOW_S 1767323045

struct outcome {
	struct buf told;
	int rc;
	unsigned asks;
	bool is_idle;
};

/* Of those that are asked about, each second one is hushed. */
static int answer(struct retelling *retelling, struct outcome *out)
{
	return out->asks++ % 2 == 0 ? retelling_tell(retelling, &out->told)
				    : retelling_hush(retelling, &out->told);
}

static void retell(struct outcome *out, enum release_manner manner,
		   enum kube_encoding encoding, struct slice input, size_t chunk)
{
	struct retelling retelling;

	*out = (struct outcome){ 0 };
	buf_init(&out->told, BYTES_MAX);
	retelling_init(&retelling, manner, encoding, BYTES_MAX);
	retelling.allows_bookmarks = true;
	while (input.len > 0 && out->rc >= 0) {
		struct slice some = input;
		size_t consumed;

		some.len = some.len < chunk ? some.len : chunk;
		out->rc =
			retelling_take(&retelling, some, &consumed, NOW_S, &out->told);
		if (out->rc < 0)
			break;
		FUZZ_ASSERT(consumed > 0 && consumed <= some.len);
		input = slice_from(input, consumed);
		if (out->rc == RETELLING_ASKS)
			out->rc = answer(&retelling, out);
	}
	out->is_idle = retelling_is_idle(&retelling);
	retelling_finish(&retelling);
}

/* What a frame says, but for the mark, is what it said. */
static void check_same(enum kube_encoding encoding, struct slice before,
		       struct slice after)
{
	struct event_head was, now;
	struct err err;

	if (event_read(&was, encoding, before, SLICE_LITERAL("l"), &err) != 0)
		return;
	FUZZ_ASSERT(event_read(&now, encoding, after, SLICE_LITERAL("l"), &err) == 0);
	FUZZ_ASSERT(was.type == now.type && was.version == now.version);
	FUZZ_ASSERT(strcmp(was.object, now.object) == 0);
	FUZZ_ASSERT(was.has_label == now.has_label &&
		    strcmp(was.label, now.label) == 0);
}

static void check_frames(enum kube_encoding encoding, struct slice before,
			 struct slice after)
{
	struct frame_scanner was, now;
	struct err err;
	size_t n, m;

	frame_init(&was, encoding);
	frame_init(&now, encoding);
	while (after.len > 0) {
		FUZZ_ASSERT(frame_scan(&was, before, &n, &err) == 1);
		FUZZ_ASSERT(frame_scan(&now, after, &m, &err) == 1);
		if (m == n)
			FUZZ_ASSERT(memcmp(before.data, after.data, n) == 0);
		else
			FUZZ_ASSERT(m > n);
		check_same(encoding, slice_make(before.data, n),
			   slice_make(after.data, m));
		before = slice_from(before, n);
		after = slice_from(after, m);
	}
}

/* However the stream is cut, the same is told; and what is kept is kept as it came. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF };
	enum kube_encoding encoding = encodings[fuzz_choice(&input, 2)];
	enum release_manner manner = fuzz_choice(&input, 3);
	struct outcome whole, part;

	(void)arena;
	retell(&whole, manner, encoding, input, input.len + 1);
	for (size_t chunk = 1; chunk < 8; chunk++) {
		retell(&part, manner, encoding, input, chunk);
		FUZZ_ASSERT(slice_eq(buf_slice(&part.told), buf_slice(&whole.told)));
		FUZZ_ASSERT((part.rc < 0) == (whole.rc < 0));
		FUZZ_ASSERT(part.asks == whole.asks);
		FUZZ_ASSERT(whole.rc < 0 || part.is_idle == whole.is_idle);
		buf_finish(&part.told);
	}
	if (manner != RELEASE_SUPPRESSED)
		check_frames(encoding, input, buf_slice(&whole.told));
	buf_finish(&whole.told);
}
