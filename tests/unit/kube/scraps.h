/*
 * Random texts out of scraps of JSON, some of which make sense: what an editor of
 * bodies may be handed.
 */
#ifndef RINGSIDE_UNIT_KUBE_SCRAPS_H
#define RINGSIDE_UNIT_KUBE_SCRAPS_H

#include "proxy/base/buf.h"
#include "tests/unit/unit.h"

#define SCRAPS_MAX 22
#define SCRAP_BYTES_MAX 32

/* Numerical Recipes' generator: the same texts at every run. */
static inline uint32_t scrap_random(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % below;
}

static inline void scrap_append(struct buf *text, const char *scrap)
{
	ck_assert_int_eq(buf_append_text(text, scrap), 0);
}

/*
 * Most begin and end as an object does. In memory of just that size, so that the
 * sanitizer sees who reads beyond; the caller frees it.
 */
static inline struct slice scrap_make(uint32_t *seed)
{
	static const char *const scraps[] = {
		"\"metadata\":{",
		"\"labels\":{",
		"\"k\":\"5\"",
		"\"k\":null",
		"\"labels\":null",
		"\"a\":",
		"1",
		"null",
		"\"x\"",
		"{",
		"}",
		"}",
		",",
		",",
		",",
		"[",
		"]",
		"\"\\u006b\":\"7\"",
		"\"$patch\":\"delete\"",
		" ",
		"\\",
		"\"",
		"\n",
		"true",
		":",
		"\"\\\"{\"",
		"{}",
		"[{}]",
	};
	const uint32_t scraps_n = sizeof(scraps) / sizeof(scraps[0]);
	uint32_t n = 1 + scrap_random(seed, SCRAPS_MAX);
	struct slice found;
	struct buf text;
	char *copy;

	buf_init(&text, (SCRAPS_MAX + 2) * SCRAP_BYTES_MAX);
	if (scrap_random(seed, 8) > 0)
		scrap_append(&text, "{");
	for (uint32_t i = 0; i < n; i++)
		scrap_append(&text, scraps[scrap_random(seed, scraps_n)]);
	if (scrap_random(seed, 8) > 0)
		scrap_append(&text, "}");
	copy = malloc(text.len);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text.data, text.len);
	found = slice_make(copy, text.len);
	buf_finish(&text);
	return found;
}

#endif
