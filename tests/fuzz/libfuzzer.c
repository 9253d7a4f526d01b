/* The same inputs from libFuzzer. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t n)
{
	struct arena *arena = arena_create();

	fuzz_one(arena, slice_make((const char *)bytes, n));
	arena_destroy(arena);
	return 0;
}
