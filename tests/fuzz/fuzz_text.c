#include "proxy/kube/encoding.h"
#include "proxy/kube/field.h"
#include "proxy/kube/list.h"
#include "proxy/kube/percent.h"
#include "proxy/kube/selector.h"
#include "proxy/net/strict.h"
#include "proxy/ring/bucket.h"
#include "tests/fuzz/fuzz.h"

/* Sets of buckets, in the assignment and at /ring: what is read is written so. */
static void check_buckets(struct slice input)
{
	struct bucket_set set;
	struct buf out;

	if (bucket_set_parse(&set, input, BUCKETS_MAX) != 0)
		return;
	buf_init(&out, input.len + 64);
	FUZZ_ASSERT(bucket_set_write(&set, &out) == 0);
	FUZZ_ASSERT(bucket_set_parse(&set, buf_slice(&out), BUCKETS_MAX) == 0);
	buf_finish(&out);
}

/* What stands in header fields, queries and tokens. */
void fuzz_one(struct arena *arena, struct slice input)
{
	struct slice text;
	struct buf out;
	uint64_t version;

	(void)encoding_of_accept(input);
	(void)encoding_of_content_type(input);
	(void)encoding_patch_of(input);
	buf_init(&out, 4 * input.len + 1024);
	(void)encoding_list_accept(&out, input);
	buf_finish(&out);
	(void)selector_is_joinable(input);
	(void)field_requires(arena, input, "metadata.name", &text);
	if (percent_decode(arena, input, PERCENT_PATH, &text))
		FUZZ_ASSERT(text.len <= input.len);
	if (list_continue_version(input, &version) == 0)
		FUZZ_ASSERT(version > 0);
	(void)strict_is_framing(input, false);
	check_buckets(input);
	if (strict_is_token(input))
		FUZZ_ASSERT(strict_is_target(input));
}
