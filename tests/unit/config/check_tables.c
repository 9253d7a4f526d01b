#include "config/tables.h"

#include "tests/unit/unit.h"

START_TEST(tables_count_every_row_once)
{
	size_t n = member_options_n + net_options_n + session_options_n + 1;

	ck_assert_uint_eq(tables_count(), n);
	ck_assert_ptr_eq(tables_option(0, NULL), config_tables[0].rows);
	ck_assert_str_eq(tables_option(n - 1, NULL)->name, "log.level");
	ck_assert_ptr_null(tables_option(n, NULL));
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(tables_find(slice_of(tables_option(i, NULL)->name)),
				  i);
	ck_assert_uint_eq(tables_find(slice_of("no.such")), n);
}
END_TEST

static bool is_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* "lease" would be both a value and a mapping with "lease.duration". */
static bool is_inside(const char *inner, const char *outer)
{
	size_t len = strlen(outer);

	return strncmp(inner, outer, len) == 0 && inner[len] == '.';
}

START_TEST(tables_give_no_name_twice)
{
	for (size_t i = 0; i < tables_count(); i++)
		for (size_t k = 0; k < tables_count(); k++) {
			const struct opt *a = tables_option(i, NULL);
			const struct opt *b = tables_option(k, NULL);

			if (i == k)
				continue;
			ck_assert_str_ne(a->name, b->name);
			ck_assert(!is_inside(a->name, b->name));
			ck_assert(!is_same(a->flag, b->flag));
			ck_assert(!is_same(a->environment, b->environment));
		}
}
END_TEST

/* Values of one table must not lie over those of another. */
START_TEST(tables_keep_each_option_apart)
{
	struct config a = { .arena = arena_create() }, b = { .arena = arena_create() };

	for (size_t i = 0; i < tables_count(); i++) {
		const struct opt *row = tables_option(i, NULL);
		const char *text = "other";

		tables_set_defaults(&a);
		tables_set_defaults(&b);
		if (row->type == OPT_CHOICE)
			text = row->choices[strcmp(row->choices[0], row->value) == 0];
		else if (row->type == OPT_ADDRESS)
			text = "[::1]:1";
		else if (row->type == OPT_INT)
			text = arena_printf(b.arena, "%lld", (long long)row->max);
		else if (row->type == OPT_DURATION)
			text = arena_printf(b.arena, "%lldms", (long long)row->max);
		else if (row->type == OPT_SIZE)
			text = arena_printf(b.arena, "%lld", (long long)row->max);
		ck_assert_int_eq(tables_set(&b, i, slice_of(text), NULL), 0);
		for (size_t k = 0; k < tables_count(); k++)
			ck_assert_msg(tables_is_equal(k, &a, &b) == (k != i),
				      "%s set, %s looked at", row->name,
				      tables_option(k, NULL)->name);
	}
	arena_destroy(a.arena);
	arena_destroy(b.arena);
}
END_TEST

START_TEST(tables_rows_are_whole)
{
	for (size_t i = 0; i < tables_count(); i++) {
		const struct opt *row = tables_option(i, NULL);
		size_t len = strlen(row->help);

		ck_assert_msg(len > 10 && row->help[len - 1] == '.', "%s: help",
			      row->name);
		ck_assert_msg((row->type == OPT_CHOICE) == !!row->choices,
			      "%s: choices", row->name);
		if (row->environment && strcmp(row->environment, "KUBECONFIG") != 0)
			ck_assert_int_eq(strncmp(row->environment, "RINGSIDE_", 9), 0);
	}
}
END_TEST

START_TEST(log_level_names_the_levels_of_the_log)
{
	static const struct {
		const char *text;
		enum log_level level;
	} cases[] = {
		{ "debug", LOG_LEVEL_DEBUG },
		{ "info", LOG_LEVEL_INFO },
		{ "warn", LOG_LEVEL_WARN },
		{ "error", LOG_LEVEL_ERROR },
	};
	struct config config = { .arena = arena_create() };
	size_t number = tables_find(slice_of("log.level"));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(
			tables_set(&config, number, slice_of(cases[i].text), NULL), 0);
		ck_assert_int_eq(config.conf.log_level, (int)cases[i].level);
	}
	arena_destroy(config.arena);
}
END_TEST

UNIT_MAIN("config/tables", tables_count_every_row_once, tables_give_no_name_twice,
	  tables_keep_each_option_apart, tables_rows_are_whole,
	  log_level_names_the_levels_of_the_log)
