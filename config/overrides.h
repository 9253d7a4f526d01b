/*
 * What differs per replica: options given by environment variables and flags.
 * Which there are stands in the option tables. Reading them is separate from
 * applying them (config_load), so that a reload applies the same ones again.
 */
#ifndef RINGSIDE_CONFIG_OVERRIDES_H
#define RINGSIDE_CONFIG_OVERRIDES_H

#include "config/config.h"

/* In the order to apply: later ones win. */
struct overrides {
	struct arena *arena;
	struct config_override *items;
	size_t n;
	size_t size;
};

/* A flag of the program itself, beside those of the tables: "--config FILE". */
struct overrides_flag {
	const char *name;     /* "config" */
	const char *argument; /* "FILE"; NULL: it takes none */
	const char *help;
	const char **value; /* set to the argument, or to "" when it takes none */
};

/* The command line behind the program's name. */
struct overrides_line {
	char *const *argv; /* NULL-terminated */
	const struct overrides_flag *flags;
	size_t flags_n;
	/* Out: what is no flag, in order, and what stands behind "--". */
	const char **words; /* NULL-terminated */
	size_t words_n;
	char *const *rest; /* NULL-terminated; NULL when there was no "--" */
};

/* Empty; the arena owns what is added, environ and argv the values. */
void overrides_init(struct overrides *overrides, struct arena *arena);

/* Those of the tables' variables that are set and not empty. */
void overrides_add_environment(struct overrides *overrides, char *const *environ);

/*
 * `--flag value` and `--flag=value`, in any order among the words, up to "--".
 * -EINVAL for an unknown flag (with the one that was probably meant), one
 * without its value, or one with a value that it does not take; line and
 * overrides are then not to be used.
 */
int overrides_add_flags(struct overrides *overrides, struct overrides_line *line,
			struct err *err);

/* Appends the flags' part of --help, `flags` first. 0 or -EMSGSIZE. */
int overrides_help(struct buf *out, const struct overrides_flag *flags, size_t flags_n);

#endif
