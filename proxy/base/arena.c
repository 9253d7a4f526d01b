#include "proxy/base/arena.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* With its header and malloc's own, half a page: most requests need one or two. */
#define BLOCK_BYTES (2048 - sizeof(struct block) - 16)

#define ALIGNMENT alignof(max_align_t)

/* Under ASan, a strip between allocations that nobody may touch. */
#ifdef __SANITIZE_ADDRESS__
#define RED_ZONE_BYTES ALIGNMENT
#else
#define RED_ZONE_BYTES 0
#endif

struct block {
	struct block *next;
	size_t used;
	size_t size;
	alignas(max_align_t) char bytes[];
};

struct at_end {
	struct at_end *next;
	void (*run)(void *arg);
	void *arg;
};

struct arena {
	struct block *blocks; /* the first one is being filled */
	struct at_end *at_end;
	size_t bytes; /* of all blocks */
};

static struct block *block_create(size_t size)
{
	struct block *block = malloc(sizeof(*block) + size);

	if (!block)
		abort();
	*block = (struct block){ .size = size };
	ASAN_POISON_MEMORY_REGION(block->bytes, size);
	return block;
}

/* The block's next bytes, or NULL when they do not fit. */
static void *block_take(struct block *block, size_t size)
{
	char *taken = block->bytes + block->used;

	if (size > block->size - block->used)
		return NULL;
	block->used += size;
	return taken;
}

struct arena *arena_create(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		abort();
	arena->blocks = block_create(BLOCK_BYTES);
	arena->bytes = BLOCK_BYTES;
	return arena;
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->at_end) {
		struct at_end *last = arena->at_end;

		arena->at_end = last->next;
		last->run(last->arg);
	}
	while (arena->blocks) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->size);
		free(block);
	}
	free(arena);
}

/*
 * What is larger than a quarter of a block gets its own, behind the one being
 * filled: so a new block never wastes more than a quarter of the last.
 */
static void *arena_take(struct arena *arena, size_t size)
{
	void *taken = block_take(arena->blocks, size);
	struct block *block;

	if (taken)
		return taken;
	if (size > BLOCK_BYTES / 4) {
		block = block_create(size);
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		block = block_create(BLOCK_BYTES);
		block->next = arena->blocks;
		arena->blocks = block;
	}
	arena->bytes += block->size;
	return block_take(block, size);
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	assert(size < SIZE_MAX / 2 && "sizes from outside are capped before");
	size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	void *memory = arena_take(arena, rounded + RED_ZONE_BYTES);

	ASAN_UNPOISON_MEMORY_REGION(memory, size);
	return memset(memory, 0, size);
}

char *arena_text(struct arena *arena, struct slice bytes)
{
	char *text = arena_alloc(arena, bytes.len + 1);

	if (bytes.len)
		memcpy(text, bytes.data, bytes.len);
	return text;
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
	return slice_make(arena_text(arena, bytes), bytes.len);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(n >= 0 && "formats are ours and fit an int");
	text = arena_alloc(arena, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)n + 1, format, args);
	va_end(args);
	return text;
}

void arena_at_end(struct arena *arena, void (*run)(void *arg), void *arg)
{
	struct at_end *last = arena_alloc(arena, sizeof(*last));

	*last = (struct at_end){ arena->at_end, run, arg };
	arena->at_end = last;
}
