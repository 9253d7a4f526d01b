#include "proxy/net/http1.h"
#include "tests/fuzz/fuzz.h"

#define BODY_BYTES_MAX 4096

struct outcome {
	int rc;
	bool is_whole;
	size_t n;
	char body[BODY_BYTES_MAX];
};

static void take(struct outcome *out, const struct upstream_head *head,
		 struct slice input, size_t chunk)
{
	struct http1_body body;

	*out = (struct outcome){ .rc = http1_body_init(&body, SLICE_LITERAL("GET"),
						       head) };
	while (out->rc == 0 && input.len > 0 && !body.is_done) {
		size_t n = input.len < chunk ? input.len : chunk;
		char *at = out->body + out->n;

		memcpy(at, input.data, n);
		input = slice_from(input, n);
		FUZZ_ASSERT(chunk >= n);
		out->rc = http1_body_take(&body, at, &n);
		FUZZ_ASSERT(out->rc != 0 || n <= chunk);
		if (out->rc == 0)
			out->n += n;
	}
	out->is_whole = out->rc == 0 && http1_body_is_whole(&body);
}

/* An answer whose body comes in pieces is the one that comes at once. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static struct outcome whole, pieces;
	struct upstream_head head;
	ptrdiff_t n = http1_parse_head(&head, arena, input);

	if (n < 0)
		return;
	FUZZ_ASSERT((size_t)n <= input.len);
	input = slice_from(input, (size_t)n);
	if (input.len > BODY_BYTES_MAX)
		input.len = BODY_BYTES_MAX;
	take(&whole, &head, input, BODY_BYTES_MAX);
	for (size_t chunk = 1; chunk < 6; chunk++) {
		take(&pieces, &head, input, chunk);
		FUZZ_ASSERT(pieces.rc == whole.rc);
		FUZZ_ASSERT(pieces.is_whole == whole.is_whole);
		if (whole.rc == 0)
			FUZZ_ASSERT(slice_eq(slice_make(pieces.body, pieces.n),
					     slice_make(whole.body, whole.n)));
	}
}
