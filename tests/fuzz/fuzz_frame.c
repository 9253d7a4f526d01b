#include "proxy/kube/encoding.h"
#include "proxy/kube/frame.h"
#include "tests/fuzz/fuzz.h"

/* A number for where the frames end, and how the stream does. */
static size_t ends_of(enum kube_encoding encoding, struct slice input, size_t chunk)
{
	struct frame_scanner scanner;
	size_t at = 0, sum = 0, consumed;
	struct err err;
	int rc = 0;

	frame_init(&scanner, encoding);
	while (at < input.len && rc >= 0) {
		struct slice rest = slice_from(input, at);

		if (rest.len > chunk)
			rest.len = chunk;
		rc = frame_scan(&scanner, rest, &consumed, &err);
		if (rc < 0)
			return sum * 31 + 2;
		FUZZ_ASSERT(consumed <= rest.len && (rc == 1 || consumed == rest.len));
		FUZZ_ASSERT(consumed > 0);
		at += consumed;
		if (rc == 1)
			sum = sum * 31 + at;
	}
	return sum * 31 + frame_is_at_boundary(&scanner);
}

/* However the stream is cut, the boundaries are the same. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF,
							KUBE_CBOR, KUBE_OTHER };
	enum kube_encoding encoding = encodings[fuzz_choice(&input, 4)];
	size_t whole = ends_of(encoding, input, input.len + 1);

	(void)arena;
	for (size_t chunk = 1; chunk < 8; chunk++)
		FUZZ_ASSERT(ends_of(encoding, input, chunk) == whole);
}
