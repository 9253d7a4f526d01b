/*
 * What every fuzzer shares. A fuzzer is one file, fuzz_<name>.c, which defines
 * fuzz_one: it feeds the bytes to a parser and asserts what must hold whatever
 * they are. Its corpus is corpus/<name>; `make fuzz T=60` adds to it what reaches
 * new code, and `make unit` runs what is there.
 */
#ifndef RINGSIDE_FUZZ_H
#define RINGSIDE_FUZZ_H

#include "proxy/base/arena.h"
#include "proxy/base/err.h"
#include "proxy/base/slice.h"

/* The input is copied to memory of its own: a read beyond its end is seen. */
void fuzz_one(struct arena *arena, struct slice input);

/* Not assert, which a build may leave out. */
#define FUZZ_ASSERT(truth) \
	do { \
		if (!(truth)) \
			__builtin_trap(); \
	} while (0)

/* Takes a byte off the input, for a choice; 0 at its end. */
static inline unsigned fuzz_choice(struct slice *input, unsigned n)
{
	unsigned choice = input->len > 0 ? (unsigned char)input->data[0] % n : 0;

	if (input->len > 0)
		*input = slice_from(*input, 1);
	return choice;
}

#endif
