#include "config/tables.h"

#include <assert.h>

static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };

static const struct opt log_options[] = {
	{ .name = "log.level",
	  .type = OPT_CHOICE,
	  .offset = offsetof(struct config_conf, log_level),
	  .choices = log_levels, /* in the order of enum log_level */
	  .value = "info",
	  .reload = true,
	  .flag = "log-level",
	  .environment = "RINGSIDE_LOG_LEVEL",
	  .help = "Lines of the log below this level are dropped." },
};

static const size_t log_options_n = sizeof(log_options) / sizeof(log_options[0]);

const struct config_table config_tables[] = {
	{ "Membership", member_options, &member_options_n,
	  offsetof(struct config, member) },
	{ "Network", net_options, &net_options_n, offsetof(struct config, net) },
	{ "Watches", session_options, &session_options_n,
	  offsetof(struct config, session) },
	{ "Log", log_options, &log_options_n, offsetof(struct config, conf) },
};

const size_t config_tables_n = sizeof(config_tables) / sizeof(config_tables[0]);

size_t tables_count(void)
{
	size_t n = 0;

	for (size_t i = 0; i < config_tables_n; i++)
		n += *config_tables[i].rows_n;
	return n;
}

const struct opt *tables_option(size_t number, size_t *offset)
{
	for (size_t i = 0; i < config_tables_n; i++) {
		const struct config_table *table = &config_tables[i];

		if (number < *table->rows_n) {
			if (offset)
				*offset = table->offset;
			return &table->rows[number];
		}
		number -= *table->rows_n;
	}
	return NULL;
}

size_t tables_find(struct slice name)
{
	const struct opt *row;
	size_t i;

	for (i = 0; (row = tables_option(i, NULL)); i++)
		if (slice_is(name, row->name))
			break;
	return i;
}

int tables_set(struct config *config, size_t number, struct slice text, struct err *err)
{
	size_t offset;
	const struct opt *row = tables_option(number, &offset);

	assert(row);
	return opt_set(row, (char *)config + offset, config->arena, text, err);
}

void tables_set_defaults(struct config *config)
{
	for (size_t i = 0; i < config_tables_n; i++) {
		const struct config_table *table = &config_tables[i];

		opt_set_defaults(table->rows, *table->rows_n,
				 (char *)config + table->offset, config->arena);
	}
}

bool tables_is_equal(size_t number, const struct config *a, const struct config *b)
{
	size_t offset;
	const struct opt *row = tables_option(number, &offset);

	assert(row);
	return opt_is_equal(row, (const char *)a + offset, (const char *)b + offset);
}
