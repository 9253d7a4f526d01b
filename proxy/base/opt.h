/*
 * Options as data. A module that can be configured has a struct of values and
 * a const table with one row per option; whatever deals with options (the YAML
 * loader, flags, environment, `ringside check`, `ringside describe`, reload)
 * walks the tables, so nothing about an option is written twice.
 *
 * A row's name is its dotted path in the YAML file: "lease.duration".
 */
#ifndef RINGSIDE_BASE_OPT_H
#define RINGSIDE_BASE_OPT_H

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"
#include "proxy/base/err.h"

enum opt_type {
	OPT_TEXT,     /* const char *; "" is "not given" */
	OPT_BOOL,     /* bool; true or false */
	OPT_INT,      /* int64_t within [min, max] */
	OPT_DURATION, /* int64_t milliseconds within [min, max]; "250ms", "1m30s" */
	OPT_SIZE,     /* int64_t bytes within [min, max]; "64Ki", "8Mi" */
	OPT_CHOICE,   /* int: an index into choices */
	OPT_ADDRESS,  /* const char *; "127.0.0.1:8443", "[::1]:0", or "off" */
};

struct opt {
	const char *name;
	enum opt_type type;
	size_t offset; /* of the value in the module's struct */
	int64_t min, max;
	const char *const *choices; /* NULL-terminated */
	const char *value;          /* the default, as it would be written */
	bool reload;                /* a reload may change it */
	const char *flag;           /* "member" for --member, or NULL */
	const char *environment;    /* "RINGSIDE_MEMBER", or NULL */
	const char *help;           /* one or two sentences, unit included */
};

/* The name of a type for manuals and messages: "duration". */
const char *opt_type_name(enum opt_type type);

/*
 * Appends what a value must look like: "a duration such as 15s between 1s and
 * 1h". For manuals and messages. 0 or -EMSGSIZE.
 */
int opt_write_expected(const struct opt *row, struct buf *out);

/*
 * Parses text as the row's type, checks its bounds and stores it in conf; texts
 * are copied to the arena. -EINVAL with what was expected; conf then unchanged.
 */
int opt_set(const struct opt *row, void *conf, struct arena *arena, struct slice text,
	    struct err *err);

/* Sets every row's default. A default that does not parse is a bug: asserts. */
void opt_set_defaults(const struct opt *rows, size_t n, void *conf,
		      struct arena *arena);

/* The row of that name, or NULL. */
const struct opt *opt_find(const struct opt *rows, size_t n, struct slice name);

/* Whether two configurations have the same value in this row. */
bool opt_is_equal(const struct opt *row, const void *a, const void *b);

#endif
