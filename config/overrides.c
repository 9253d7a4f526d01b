#include "config/overrides.h"

#include <errno.h>

#include "config/suggest.h"
#include "config/tables.h"

void overrides_init(struct overrides *overrides, struct arena *arena)
{
	*overrides = (struct overrides){ .arena = arena };
}

static void add(struct overrides *overrides, const char *option, const char *value,
		const char *source)
{
	if (overrides->n == overrides->size) {
		size_t size = overrides->size ? 2 * overrides->size : 16;
		struct config_override *items =
			arena_alloc(overrides->arena, size * sizeof(*items));

		if (overrides->n)
			memcpy(items, overrides->items, overrides->n * sizeof(*items));
		overrides->items = items;
		overrides->size = size;
	}
	overrides->items[overrides->n++] =
		(struct config_override){ option, value, source };
}

/* The value of a variable in environ, or NULL. */
static const char *find_variable(char *const *environ, const char *name)
{
	size_t len = strlen(name);

	for (; *environ; environ++)
		if (strncmp(*environ, name, len) == 0 && (*environ)[len] == '=')
			return *environ + len + 1;
	return NULL;
}

void overrides_add_environment(struct overrides *overrides, char *const *environ)
{
	const struct opt *row;

	for (size_t i = 0; (row = tables_option(i, NULL)); i++) {
		const char *value = NULL;

		if (row->environment)
			value = find_variable(environ, row->environment);
		if (value && value[0])
			add(overrides, row->name, value, row->environment);
	}
}

/* A flag as it stands on the command line. */
struct given {
	struct slice name;
	const char *value; /* what follows '=', or NULL */
};

static struct given parse_flag(const char *arg)
{
	const char *equals = strchr(arg, '=');
	struct given given = { .name = slice_of(arg + 2) };

	if (equals) {
		given.name.len = (size_t)(equals - (arg + 2));
		given.value = equals + 1;
	}
	return given;
}

static int refuse_flag(const struct overrides_line *line, struct slice name,
		       struct err *err)
{
	struct suggest suggest;
	const struct opt *row;

	suggest_init(&suggest, name);
	for (size_t i = 0; i < line->flags_n; i++)
		suggest_offer(&suggest, slice_of(line->flags[i].name),
			      slice_of(line->flags[i].name));
	for (size_t i = 0; (row = tables_option(i, NULL)); i++)
		if (row->flag)
			suggest_offer(&suggest, slice_of(row->flag),
				      slice_of(row->flag));
	if (suggest.best.len > 0)
		return err_set(err, -EINVAL,
			       "there is no flag --%.*s; did you mean --%.*s?",
			       SLICE_ARGS(name), SLICE_ARGS(suggest.best));
	return err_set(err, -EINVAL, "there is no flag --%.*s; see --help",
		       SLICE_ARGS(name));
}

/* The value behind '=', else the next argument, which *at moves to. */
static int take_value(const struct given *given, char *const **at, const char **value,
		      struct err *err)
{
	if (given->value) {
		*value = given->value;
		return 0;
	}
	if (!(*at)[1]) {
		err_set(err, -EINVAL, "--%.*s needs a value", SLICE_ARGS(given->name));
		return -EINVAL;
	}
	*value = *++*at;
	return 0;
}

static int take_own(const struct overrides_flag *flag, const struct given *given,
		    char *const **at, struct err *err)
{
	if (flag->argument)
		return take_value(given, at, flag->value, err);
	if (given->value)
		return err_set(err, -EINVAL, "--%s takes no value", flag->name);
	*flag->value = "";
	return 0;
}

/* *at: the flag; moved to its value if that is an argument of its own. */
static int take_flag(struct overrides *overrides, const struct overrides_line *line,
		     char *const **at, struct err *err)
{
	struct given given = parse_flag(**at);
	const struct opt *row;
	const char *value;
	int rc;

	for (size_t i = 0; i < line->flags_n; i++)
		if (slice_is(given.name, line->flags[i].name))
			return take_own(&line->flags[i], &given, at, err);
	for (size_t i = 0; (row = tables_option(i, NULL)); i++) {
		if (!row->flag || !slice_is(given.name, row->flag))
			continue;
		if ((rc = take_value(&given, at, &value, err)) < 0)
			return rc;
		add(overrides, row->name, value,
		    arena_printf(overrides->arena, "--%s", row->flag));
		return 0;
	}
	return refuse_flag(line, given.name, err);
}

static size_t count(char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	return n;
}

int overrides_add_flags(struct overrides *overrides, struct overrides_line *line,
			struct err *err)
{
	int rc = 0;

	line->words = arena_alloc(overrides->arena,
				  (count(line->argv) + 1) * sizeof(*line->words));
	line->words_n = 0;
	line->rest = NULL;
	for (char *const *at = line->argv; *at && rc == 0; at++) {
		if (strcmp(*at, "--") == 0) {
			line->rest = at + 1;
			break;
		}
		if (strncmp(*at, "--", 2) == 0)
			rc = take_flag(overrides, line, &at, err);
		else if ((*at)[0] == '-' && (*at)[1])
			rc = err_set(err, -EINVAL, "there is no flag %.2s; see --help",
				     *at);
		else
			line->words[line->words_n++] = *at;
	}
	return rc;
}
