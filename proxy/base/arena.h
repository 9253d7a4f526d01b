/*
 * Memory that lives and dies together: one arena an exchange, a parsed file, a
 * snapshot. Nothing in it is freed alone. What is not memory (a reference, a
 * handle) is tied to the arena's end with arena_at_end.
 *
 * An arena never returns NULL: out of memory aborts, so sizes that come from
 * outside are capped before they reach it.
 */
#ifndef RINGSIDE_BASE_ARENA_H
#define RINGSIDE_BASE_ARENA_H

#include "proxy/base/slice.h"

struct arena;

struct arena *arena_create(void);

/* Runs the at-end functions, last added first, then frees all. NULL is fine. */
void arena_destroy(struct arena *arena);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy, followed by a NUL that is not counted in the slice. */
struct slice arena_copy(struct arena *arena, struct slice bytes);
char *arena_text(struct arena *arena, struct slice bytes);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What it holds, in bytes. */
size_t arena_bytes(const struct arena *arena);

void arena_at_end(struct arena *arena, void (*run)(void *arg), void *arg);

#endif
