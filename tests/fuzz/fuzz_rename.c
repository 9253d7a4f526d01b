#include "proxy/kube/rename.h"
#include "tests/fuzz/fuzz.h"

#define OUT_BYTES_MAX (1 << 20)

typedef int rename_of(struct buf *out, enum kube_encoding encoding, struct slice bytes,
		      const struct rename *rename, struct err *err);

static int apply(rename_of *how, struct buf *out, enum kube_encoding encoding,
		 struct slice bytes, const struct rename *rename)
{
	struct err err;

	buf_init(out, OUT_BYTES_MAX);
	return how(out, encoding, bytes, rename, &err);
}

/* What comes out can be read again, and no byte changes where no name does. */
static void check(rename_of *how, enum kube_encoding encoding, struct slice input)
{
	static const struct rename there = { .from = SLICE_LITERAL("lock"),
					     .to = SLICE_LITERAL("lock.ringside-a") };
	static const struct rename again = { .from = SLICE_LITERAL("lock.ringside-a"),
					     .to = SLICE_LITERAL("lock") };
	static const struct rename none = { .from = SLICE_LITERAL("lock"),
					    .to = SLICE_LITERAL("lock") };
	struct buf renamed, back;

	if (apply(how, &renamed, encoding, input, &there) == 0) {
		FUZZ_ASSERT(apply(how, &back, encoding, buf_slice(&renamed), &again) ==
			    0);
		buf_finish(&back);
	}
	buf_finish(&renamed);
	if (apply(how, &back, encoding, input, &none) == 0 && encoding == KUBE_JSON)
		FUZZ_ASSERT(slice_eq(buf_slice(&back), input));
	buf_finish(&back);
}

void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF };
	enum kube_encoding encoding = encodings[fuzz_choice(&input, 2)];

	(void)arena;
	if (fuzz_choice(&input, 2) == 0)
		check(rename_body, encoding, input);
	else
		check(rename_frame, encoding, input);
}
