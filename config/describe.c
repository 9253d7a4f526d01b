/* The reference manual: every key of the file, from the tables that load it. */
#include <errno.h>

#include "config/fields.h"
#include "config/tables.h"
#include "config/wrap.h"

static const char head[] =
	"# Configuration reference\n"
	"\n"
	"Made by `ringside describe` from the tables that the program itself reads:\n"
	"do not edit. `minimal.yaml` and `full.yaml` beside this file are examples.\n"
	"\n"
	"One YAML file serves all replicas. What differs per replica comes from the\n"
	"environment; flags come last. A dot in a name is a mapping in the file:\n"
	"`lease.duration` is written\n"
	"\n"
	"```yaml\n"
	"lease:\n"
	"  duration: 15s\n"
	"```\n"
	"\n"
	"Durations are written `250ms`, `15s`, `1m30s`; sizes `64Ki`, `8Mi`. What is\n"
	"not said to change by a reload needs a restart. Unknown keys are errors.\n";

/* Each function below appends to out and says whether all of it fitted. */

static bool write_chapter(struct buf *out, const char *title)
{
	return buf_printf(out, "\n## %s\n", title) == 0;
}

static bool write_heading(struct buf *out, const char *name, const char *help)
{
	return buf_printf(out, "\n### `%s`\n\n", name) == 0 &&
	       wrap_write(out, help, 0) == 0 && buf_append_text(out, "\n- ") == 0;
}

/* The end of the line that says what is expected. NULL: no default. */
static bool write_default(struct buf *out, const char *value)
{
	if (!value)
		return buf_append_text(out, "; required\n") == 0;
	if (!value[0])
		return buf_append_text(out, "; default empty\n") == 0;
	return buf_printf(out, "; default `%s`\n", value) == 0;
}

static bool write_fields(struct buf *out, const struct field *fields, size_t n)
{
	bool is_whole = true;

	for (size_t i = 0; i < n; i++) {
		const struct field *field = &fields[i];

		is_whole &= write_heading(out, field->name, field->help);
		is_whole &= buf_append_text(out, field->expected) == 0;
		is_whole &= write_default(out, field->value);
	}
	return is_whole;
}

static bool write_option(struct buf *out, const struct opt *row)
{
	bool is_whole = write_heading(out, row->name, row->help);

	if (row->type == OPT_TEXT)
		is_whole &= buf_append_text(out, opt_type_name(row->type)) == 0;
	else
		is_whole &= opt_write_expected(row, out) == 0;
	is_whole &= write_default(out, row->value);
	if (row->flag)
		is_whole &= buf_printf(out, "- flag `--%s`\n", row->flag) == 0;
	if (row->environment)
		is_whole &= buf_printf(out, "- environment variable `%s`\n",
				       row->environment) == 0;
	if (row->reload)
		is_whole &= buf_append_text(out, "- may change by a reload\n") == 0;
	return is_whole;
}

static bool write_table(struct buf *out, const struct config_table *table)
{
	bool is_whole = write_chapter(out, table->title);

	for (size_t i = 0; i < *table->rows_n; i++)
		is_whole &= write_option(out, &table->rows[i]);
	return is_whole;
}

int config_describe(struct buf *out)
{
	size_t len = out->len;
	bool is_whole = buf_append_text(out, head) == 0;

	is_whole &= write_chapter(out, "The ring");
	is_whole &= write_fields(out, ring_fields, ring_fields_n);
	is_whole &= write_chapter(out, "An entry of resources or owns");
	is_whole &= write_fields(out, resource_fields, resource_fields_n);
	is_whole &= write_chapter(out, "An entry of locks");
	is_whole &= write_fields(out, lock_fields, lock_fields_n);
	for (size_t i = 0; i < config_tables_n; i++)
		is_whole &= write_table(out, &config_tables[i]);
	if (is_whole)
		return 0;
	out->len = len;
	return -EMSGSIZE;
}
