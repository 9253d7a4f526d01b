#include "proxy/kube/meta.h"
#include "tests/fuzz/fuzz.h"

static bool is_within(struct slice part, struct slice whole)
{
	return part.len == 0 || part.data < whole.data ||
	       part.data >= whole.data + whole.len ||
	       part.data + part.len <= whole.data + whole.len;
}

/* The metadata of a body, in each encoding. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF,
							KUBE_CBOR, KUBE_OTHER };
	static const struct meta_keys keys = { .label = SLICE_LITERAL(
						       "bucket.ringside.dev/r") };
	enum kube_encoding encoding = encodings[fuzz_choice(&input, 4)];
	struct object_meta meta;
	struct err err;

	if (meta_parse(&meta, arena, encoding, input, &keys, &err) != 0)
		return;
	FUZZ_ASSERT(is_within(meta.name, input) && is_within(meta.uid, input) &&
		    is_within(meta.label, input));
	FUZZ_ASSERT(meta.owners_n <= META_OWNERS_MAX);
	for (size_t i = 0; i < meta.owners_n; i++)
		FUZZ_ASSERT(is_within(meta.owners[i].name, input));
}
