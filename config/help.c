/* The flags' part of --help. */
#include <errno.h>

#include "config/overrides.h"
#include "config/tables.h"
#include "config/wrap.h"

#define HELP_INDENT 6

/* " HOST:PORT"; of a choice " debug|info|warn|error". */
static bool write_argument(struct buf *out, const struct opt *row)
{
	static const char *const names[] = {
		[OPT_TEXT] = " TEXT",         [OPT_BOOL] = " true|false",
		[OPT_INT] = " NUMBER",        [OPT_DURATION] = " DURATION",
		[OPT_SIZE] = " SIZE",         [OPT_CHOICE] = "",
		[OPT_ADDRESS] = " HOST:PORT",
	};
	bool is_whole = buf_append_text(out, names[row->type]) == 0;

	for (size_t i = 0; row->choices && row->choices[i]; i++)
		is_whole &= buf_printf(out, "%s%s", i ? "|" : " ", row->choices[i]) ==
			    0;
	return is_whole;
}

static bool write_own(struct buf *out, const struct overrides_flag *flag)
{
	return buf_printf(out, "  --%s%s%s\n", flag->name, flag->argument ? " " : "",
			  flag->argument ? flag->argument : "") == 0 &&
	       wrap_write(out, flag->help, HELP_INDENT) == 0;
}

static bool write_row(struct buf *out, const struct opt *row)
{
	bool is_whole = buf_printf(out, "  --%s", row->flag) == 0;

	is_whole &= write_argument(out, row);
	if (row->environment)
		is_whole &= buf_printf(out, ", or %s", row->environment) == 0;
	if (row->value[0])
		is_whole &= buf_printf(out, " (%s)", row->value) == 0;
	is_whole &= buf_append_text(out, "\n") == 0;
	return wrap_write(out, row->help, HELP_INDENT) == 0 && is_whole;
}

int overrides_help(struct buf *out, const struct overrides_flag *flags, size_t flags_n)
{
	size_t len = out->len;
	bool is_whole = true;
	const struct opt *row;

	for (size_t i = 0; i < flags_n; i++)
		is_whole &= write_own(out, &flags[i]);
	for (size_t i = 0; (row = tables_option(i, NULL)); i++)
		if (row->flag)
			is_whole &= write_row(out, row);
	if (is_whole)
		return 0;
	out->len = len;
	return -EMSGSIZE;
}
