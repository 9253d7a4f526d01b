#include "config/overrides.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/unit.h"

static struct arena *arena;
static struct overrides overrides;
static struct err err;
static const char *config_file, *wants_help;

static const struct overrides_flag flags[] = {
	{ .name = "config",
	  .argument = "FILE",
	  .help = "The YAML file.",
	  .value = &config_file },
	{ .name = "help", .help = "Prints this.", .value = &wants_help },
};

/* main's argv is not const; nobody writes to it. */
static struct overrides_line line_of(const char *const *argv)
{
	return (struct overrides_line){ (char *const *)argv, flags, 2 };
}

static void begin(void)
{
	arena_destroy(arena);
	arena = arena_create();
	overrides_init(&overrides, arena);
	config_file = wants_help = NULL;
}

static void end(void)
{
	arena_destroy(arena);
	arena = NULL;
}

static void check_item(size_t i, const char *option, const char *value,
		       const char *source)
{
	ck_assert_uint_gt(overrides.n, i);
	ck_assert_str_eq(overrides.items[i].option, option);
	ck_assert_str_eq(overrides.items[i].value, value);
	ck_assert_str_eq(overrides.items[i].source, source);
}

START_TEST(variables_of_the_tables_become_overrides)
{
	static const char *const environ[] = {
		"PATH=/bin",          "RINGSIDE_MEMBER=foo-1", "RINGSIDE_HTTP=",
		"RINGSIDE_NO_SUCH=1", "RINGSIDE_MEMBERS=x",    "RINGSIDE_NAMESPACE=a=b",
		"no equals sign",     "KUBECONFIG=/etc/kc",    NULL
	};

	begin();
	overrides_add_environment(&overrides, (char *const *)environ);
	ck_assert_uint_eq(overrides.n, 3);
	check_item(0, "member", "foo-1", "RINGSIDE_MEMBER");
	check_item(1, "namespace", "a=b", "RINGSIDE_NAMESPACE");
	check_item(2, "upstream.kubeconfig", "/etc/kc", "KUBECONFIG");
	end();
}
END_TEST

START_TEST(flags_stand_anywhere_before_two_dashes)
{
	static const char *const argv[] = {
		"exec",   "--member=foo-1", "--config", "r.yaml",
		"--help", "--http",         "off",      "-",
		"--",     "controller",     "--member", NULL
	};
	struct overrides_line line = line_of(argv);

	begin();
	ck_assert_int_eq(overrides_add_flags(&overrides, &line, &err), 0);
	ck_assert_uint_eq(overrides.n, 2);
	check_item(0, "member", "foo-1", "--member");
	check_item(1, "listen.http", "off", "--http");
	ck_assert_str_eq(config_file, "r.yaml");
	ck_assert_str_eq(wants_help, "");
	ck_assert_uint_eq(line.words_n, 2);
	ck_assert_str_eq(line.words[0], "exec");
	ck_assert_str_eq(line.words[1], "-");
	ck_assert_ptr_null(line.words[2]);
	ck_assert_str_eq(line.rest[0], "controller");
	end();
}
END_TEST

START_TEST(flags_may_be_repeated_empty_and_hold_an_equals_sign)
{
	static const char *const argv[] = { "--member=a", "--member=b=c", "--member=",
					    "--member",   "--http",       NULL };
	struct overrides_line line = line_of(argv);

	begin();
	ck_assert_int_eq(overrides_add_flags(&overrides, &line, &err), 0);
	ck_assert_uint_eq(overrides.n, 4);
	check_item(0, "member", "a", "--member");
	check_item(1, "member", "b=c", "--member");
	check_item(2, "member", "", "--member");
	check_item(3, "member", "--http", "--member");
	ck_assert_uint_eq(line.words_n, 0);
	ck_assert_ptr_null(line.words[0]);
	ck_assert_ptr_null(line.rest);
	end();
}
END_TEST

START_TEST(flags_lie_behind_the_environment)
{
	static const char *const environ[] = { "RINGSIDE_MEMBER=a", NULL };
	static const char *const argv[] = { "--member=b", NULL };
	struct overrides_line line = line_of(argv);

	begin();
	overrides_add_environment(&overrides, (char *const *)environ);
	ck_assert_int_eq(overrides_add_flags(&overrides, &line, &err), 0);
	check_item(0, "member", "a", "RINGSIDE_MEMBER");
	check_item(1, "member", "b", "--member");
	end();
}
END_TEST

START_TEST(there_may_be_many_flags)
{
	static const char *argv[1001];
	struct overrides_line line = line_of(argv);

	for (int i = 0; i < 1000; i++)
		argv[i] = "--member=a";
	begin();
	ck_assert_int_eq(overrides_add_flags(&overrides, &line, &err), 0);
	ck_assert_uint_eq(overrides.n, 1000);
	check_item(0, "member", "a", "--member");
	check_item(999, "member", "a", "--member");
	end();
}
END_TEST

START_TEST(flags_that_do_not_exist_are_refused_with_what_was_probably_meant)
{
	static const struct {
		const char *argv[3];
		const char *message;
	} cases[] = {
		{ { "--memebr", "a" },
		  "there is no flag --memebr; did you mean --member?" },
		{ { "--confg=x" }, "there is no flag --confg; did you mean --config?" },
		{ { "--frobnicate" }, "there is no flag --frobnicate; see --help" },
		{ { "--=x" }, "there is no flag --; see --help" },
		{ { "-c", "x" }, "there is no flag -c; see --help" },
		{ { "--member" }, "--member needs a value" },
		{ { "--config" }, "--config needs a value" },
		{ { "--help=yes" }, "--help takes no value" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct overrides_line line = line_of(cases[i].argv);

		begin();
		ck_assert_int_eq(overrides_add_flags(&overrides, &line, &err), -EINVAL);
		ck_assert_str_eq(err.text, cases[i].message);
	}
	end();
}
END_TEST

START_TEST(help_names_every_flag_in_lines_of_80)
{
	struct buf out;
	struct slice rest, line;

	buf_init(&out, 65536);
	ck_assert_int_eq(overrides_help(&out, flags, 2), 0);
	for (size_t i = 0; i < config_tables_n; i++)
		for (size_t k = 0; k < *config_tables[i].rows_n; k++) {
			const struct opt *row = &config_tables[i].rows[k];
			char start[100];

			if (!row->flag)
				continue;
			snprintf(start, sizeof(start), "\n  --%s ", row->flag);
			ck_assert_msg(memmem(out.data, out.len, start, strlen(start)),
				      "%s", start);
		}
	rest = buf_slice(&out);
	ck_assert(slice_starts_with(rest, "  --config FILE\n"
					  "      The YAML file.\n"
					  "  --help\n"
					  "      Prints this.\n"
					  "  --member TEXT, or RINGSIDE_MEMBER\n"
					  "      This member's id, "));
	while (slice_split(&rest, '\n', &line))
		ck_assert_msg(line.len <= 80, "'%.*s'", SLICE_ARGS(line));
	buf_finish(&out);
}
END_TEST

START_TEST(help_writes_all_or_nothing)
{
	struct buf out;

	buf_init(&out, 100);
	ck_assert_int_eq(buf_append_text(&out, "ab"), 0);
	ck_assert_int_eq(overrides_help(&out, flags, 2), -EMSGSIZE);
	ck_assert_slice(buf_slice(&out), "ab");
	buf_finish(&out);
}
END_TEST

UNIT_MAIN("config/overrides", variables_of_the_tables_become_overrides,
	  flags_stand_anywhere_before_two_dashes,
	  flags_may_be_repeated_empty_and_hold_an_equals_sign,
	  flags_lie_behind_the_environment, there_may_be_many_flags,
	  flags_that_do_not_exist_are_refused_with_what_was_probably_meant,
	  help_names_every_flag_in_lines_of_80, help_writes_all_or_nothing)
