#include "proxy/base/siphash.h"

#include "tests/unit/unit.h"

/*
 * The first vectors of the authors' reference implementation (vectors_sip64):
 * the key is 00 01 .. 0f, the input the bytes 00 01 .. of each length.
 */
START_TEST(siphash_gives_the_reference_vectors)
{
	static const uint64_t want[] = {
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d, 0xcf2794e0277187b7, 0x18765564cd99a68d,
		0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
		0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
		0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee,
		0xa129ca6149be45e5,
	};
	static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	char input[16];

	for (size_t n = 0; n < sizeof(want) / sizeof(want[0]); n++) {
		ck_assert_uint_eq(siphash(key, slice_make(input, n)), want[n]);
		input[n] = (char)n;
	}
}
END_TEST

START_TEST(siphash_depends_on_both_halves_of_the_key)
{
	static const uint64_t keys[][2] = { { 0, 0 }, { 1, 0 }, { 0, 1 } };
	struct slice input = SLICE_LITERAL("default/web");

	ck_assert_uint_ne(siphash(keys[0], input), siphash(keys[1], input));
	ck_assert_uint_ne(siphash(keys[0], input), siphash(keys[2], input));
}
END_TEST

UNIT_MAIN("base/siphash", siphash_gives_the_reference_vectors,
	  siphash_depends_on_both_halves_of_the_key)
