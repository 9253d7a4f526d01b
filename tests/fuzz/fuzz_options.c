#include "config/overrides.h"
#include "proxy/base/units.h"
#include "tests/fuzz/fuzz.h"

#define WORDS_MAX 32
#define TEXT_BYTES 64

/* What is written of a number that was read is read as the same one. */
static void check_units(struct slice text)
{
	int64_t number, again;
	struct buf out;

	buf_init(&out, TEXT_BYTES);
	if (units_parse_duration(text, &number) == 0) {
		FUZZ_ASSERT(number >= 0 && units_write_duration(&out, number) == 0);
		FUZZ_ASSERT(units_parse_duration(buf_slice(&out), &again) == 0);
		FUZZ_ASSERT(again == number);
	}
	buf_clear(&out);
	if (units_parse_size(text, &number) == 0) {
		FUZZ_ASSERT(number >= 0 && units_write_size(&out, number) == 0);
		FUZZ_ASSERT(units_parse_size(buf_slice(&out), &again) == 0);
		FUZZ_ASSERT(again == number);
	}
	buf_finish(&out);
}

/* The configuration with these on top: it is made, or it is said why not. */
static void load(const struct overrides *overrides)
{
	struct config *config;
	struct err err = { "" };

	for (size_t i = 0; i < overrides->n; i++)
		FUZZ_ASSERT(overrides->items[i].option && overrides->items[i].value &&
			    overrides->items[i].source);
	if (config_load(&config, "config/minimal.yaml", overrides->items, overrides->n,
			&err) == 0)
		config_destroy(config);
	else
		FUZZ_ASSERT(err.text[0] != '\0');
}

/* A command line and an environment, a line each. */
void fuzz_one(struct arena *arena, struct slice input)
{
	const char *own = NULL, *help = NULL;
	const struct overrides_flag flags[] = { { "file", "FILE", "", &own },
						{ "help", NULL, "", &help } };
	char *words[WORDS_MAX + 1] = { NULL };
	struct overrides_line line = { .argv = words, .flags = flags, .flags_n = 2 };
	struct overrides overrides;
	struct err err = { "" };
	struct slice word;
	size_t n = 0;

	while (n < WORDS_MAX && slice_split(&input, '\n', &word)) {
		check_units(word);
		words[n++] = (char *)(uintptr_t)arena_text(arena, word);
	}
	overrides_init(&overrides, arena);
	overrides_add_environment(&overrides, words);
	if (overrides_add_flags(&overrides, &line, &err) != 0) {
		FUZZ_ASSERT(err.text[0] != '\0');
		return;
	}
	FUZZ_ASSERT(line.words_n <= n && line.words[line.words_n] == NULL);
	load(&overrides);
}
