#include "proxy/base/opt.h"

#include <errno.h>

#include "tests/unit/unit.h"

struct conf {
	const char *text;
	bool flag;
	int64_t count;
	int64_t timeout_ms;
	int64_t body_bytes;
	int mode;
	const char *listen;
	int64_t retries;
};

static const char *const modes[] = { "client", "own", NULL };

#define ROW(field) .offset = offsetof(struct conf, field)

static const struct opt rows[] = {
	{ .name = "text", .type = OPT_TEXT, ROW(text), .value = "" },
	{ .name = "flag", .type = OPT_BOOL, ROW(flag), .value = "true" },
	{ .name = "count", .type = OPT_INT, ROW(count), -5, 64, .value = "8" },
	{ .name = "lease.timeout",
	  .type = OPT_DURATION,
	  ROW(timeout_ms),
	  .min = 1000,
	  .max = 3600000,
	  .value = "15s" },
	{ .name = "body",
	  .type = OPT_SIZE,
	  ROW(body_bytes),
	  .min = 1024,
	  .max = 8 << 20,
	  .value = "64Ki" },
	{ .name = "mode",
	  .type = OPT_CHOICE,
	  ROW(mode),
	  .choices = modes,
	  .value = "own" },
	{ .name = "listen", .type = OPT_ADDRESS, ROW(listen), .value = "off" },
	{ .name = "retries",
	  .type = OPT_INT,
	  ROW(retries),
	  .max = INT64_MAX,
	  .value = "0" },
};

#define ROWS_N (sizeof(rows) / sizeof(rows[0]))

static struct arena *arena;
static struct conf conf;

static void set_up(void)
{
	arena = arena_create();
	opt_set_defaults(rows, ROWS_N, &conf, arena);
}

static const struct opt *row_of(const char *name)
{
	const struct opt *row = opt_find(rows, ROWS_N, slice_of(name));

	ck_assert_ptr_nonnull(row);
	return row;
}

START_TEST(opt_set_defaults_sets_every_row)
{
	set_up();
	ck_assert_str_eq(conf.text, "");
	ck_assert(conf.flag);
	ck_assert_int_eq(conf.count, 8);
	ck_assert_int_eq(conf.timeout_ms, 15000);
	ck_assert_int_eq(conf.body_bytes, 65536);
	ck_assert_int_eq(conf.mode, 1);
	ck_assert_str_eq(conf.listen, "off");
	ck_assert_int_eq(conf.retries, 0);
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_set_stores_each_type)
{
	set_up();
	static const char *const given[][2] = {
		{ "text", "a b" },       { "flag", "false" },
		{ "count", "-5" },       { "lease.timeout", "1h" },
		{ "body", "8Mi" },       { "mode", "client" },
		{ "listen", "[::1]:0" }, { "retries", "9223372036854775807" },
	};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		ck_assert_int_eq(opt_set(row_of(given[i][0]), &conf, arena,
					 slice_of(given[i][1]), NULL),
				 0);
	ck_assert_str_eq(conf.text, "a b");
	ck_assert(!conf.flag);
	ck_assert_int_eq(conf.count, -5);
	ck_assert_int_eq(conf.timeout_ms, 3600000);
	ck_assert_int_eq(conf.body_bytes, 8 << 20);
	ck_assert_int_eq(conf.mode, 0);
	ck_assert_str_eq(conf.listen, "[::1]:0");
	ck_assert_int_eq(conf.retries, INT64_MAX);
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_text_does_not_depend_on_where_it_was_read)
{
	char text[] = "ring-a and more";

	set_up();
	ck_assert_int_eq(
		opt_set(row_of("text"), &conf, arena, slice_make(text, 6), NULL), 0);
	memset(text, 'x', sizeof(text));
	ck_assert_str_eq(conf.text, "ring-a");
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_mismatch_says_what_was_expected_and_changes_nothing)
{
	static const struct {
		const char *name, *text, *message;
	} cases[] = {
		{ "flag", "yes", "expected true or false, got 'yes'" },
		{ "flag", "", "expected true or false, got ''" },
		{ "count", "many",
		  "expected a whole number between -5 and 64, got 'many'" },
		{ "count", "65",
		  "expected a whole number between -5 and 64, got '65'" },
		{ "count", "-6",
		  "expected a whole number between -5 and 64, got '-6'" },
		{ "count", "18446744073709551615",
		  "expected a whole number between -5 and 64, got "
		  "'18446744073709551615'" },
		{ "count", "-", "expected a whole number between -5 and 64, got '-'" },
		{ "retries", "-1", "expected a whole number of at least 0, got '-1'" },
		{ "retries", "9223372036854775808",
		  "expected a whole number of at least 0, got '9223372036854775808'" },
		{ "lease.timeout", "5",
		  "expected a duration such as 15s between 1s and 1h, got '5'" },
		{ "lease.timeout", "999ms",
		  "expected a duration such as 15s between 1s and 1h, got '999ms'" },
		{ "lease.timeout", "1h1ms",
		  "expected a duration such as 15s between 1s and 1h, got '1h1ms'" },
		{ "body", "9Mi",
		  "expected a size such as 64Ki between 1Ki and 8Mi, got '9Mi'" },
		{ "mode", "Client", "expected one of client, own, got 'Client'" },
		{ "listen", ":80",
		  "expected an address such as 127.0.0.1:8443 or [::1]:0, or off, got "
		  "':80'" },
	};
	struct conf before;
	struct err err;

	set_up();
	memcpy(&before, &conf, sizeof(conf));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = opt_set(row_of(cases[i].name), &conf, arena,
				 slice_of(cases[i].text), &err);

		ck_assert_int_eq(rc, -EINVAL);
		ck_assert_str_eq(err.text, cases[i].message);
		ck_assert_mem_eq(&before, &conf, sizeof(conf));
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_mismatch_quotes_the_start_of_a_long_value)
{
	struct err err;
	char value[300];

	memset(value, 'y', sizeof(value));
	set_up();
	ck_assert_int_eq(opt_set(row_of("flag"), &conf, arena,
				 slice_make(value, sizeof(value)), &err),
			 -EINVAL);
	ck_assert_uint_eq(strlen(err.text),
			  strlen("expected true or false, got ''") + 64 + 3);
	ck_assert_ptr_nonnull(strstr(err.text, "yyy...'"));
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_address_needs_a_host_and_a_port)
{
	static const struct {
		const char *text;
		bool is_address;
	} cases[] = {
		{ "off", true },
		{ "127.0.0.1:8443", true },
		{ "0.0.0.0:65535", true },
		{ "localhost:0", true },
		{ "[::1]:0", true },
		{ "[::]:8443", true },
		{ "", false },
		{ "on", false },
		{ ":8443", false },
		{ "127.0.0.1", false },
		{ "127.0.0.1:", false },
		{ "127.0.0.1:65536", false },
		{ "127.0.0.1:+1", false },
		{ "127.0.0.1:http", false },
		{ "::1:8443", false },
		{ "[::1]", false },
		{ "[]:1", false },
		{ "[localhost]:1", false },
		{ "[:1", false },
		{ "a b:1", false },
		{ "https://host:1", false },
	};

	set_up();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = opt_set(row_of("listen"), &conf, arena,
				 slice_of(cases[i].text), NULL);

		ck_assert_msg((rc == 0) == cases[i].is_address, "'%s' gives %d",
			      cases[i].text, rc);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_values_with_a_nul_byte_are_refused)
{
	static const char *const names[] = { "text", "listen", "mode", "flag" };
	struct slice value = slice_make("own\0:80", 7);

	set_up();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_int_eq(opt_set(row_of(names[i]), &conf, arena, value, NULL),
				 -EINVAL);
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_find_wants_the_whole_name)
{
	ck_assert_ptr_eq(opt_find(rows, ROWS_N, slice_of("lease.timeout")), &rows[3]);
	ck_assert_ptr_null(opt_find(rows, ROWS_N, slice_of("lease")));
	ck_assert_ptr_null(opt_find(rows, ROWS_N, slice_of("lease.timeouts")));
	ck_assert_ptr_null(opt_find(rows, ROWS_N, slice_of("")));
}
END_TEST

START_TEST(opt_is_equal_looks_at_its_row_alone)
{
	static const char *const others[] = {
		"other", "false", "9", "16s", "1Ki", "client", "[::1]:1", "1",
	};
	struct arena *other_arena = arena_create();

	set_up();
	for (size_t i = 0; i < ROWS_N; i++) {
		struct conf other;

		opt_set_defaults(rows, ROWS_N, &other, other_arena);
		ck_assert(opt_is_equal(&rows[i], &conf, &other));
		ck_assert_int_eq(opt_set(&rows[i], &other, other_arena,
					 slice_of(others[i]), NULL),
				 0);
		for (size_t k = 0; k < ROWS_N; k++)
			ck_assert(opt_is_equal(&rows[k], &conf, &other) == (k != i));
	}
	arena_destroy(other_arena);
	arena_destroy(arena);
}
END_TEST

START_TEST(opt_types_have_names)
{
	ck_assert_str_eq(opt_type_name(OPT_TEXT), "text");
	ck_assert_str_eq(opt_type_name(OPT_DURATION), "duration");
	ck_assert_str_eq(opt_type_name(OPT_ADDRESS), "address");
}
END_TEST

START_TEST(opt_write_expected_writes_all_or_nothing)
{
	struct buf out;

	buf_init(&out, 20);
	ck_assert_int_eq(opt_write_expected(row_of("flag"), &out), 0);
	ck_assert_slice(buf_slice(&out), "true or false");
	ck_assert_int_eq(opt_write_expected(row_of("mode"), &out), -EMSGSIZE);
	ck_assert_slice(buf_slice(&out), "true or false");
	buf_finish(&out);
}
END_TEST

UNIT_MAIN("base/opt", opt_set_defaults_sets_every_row, opt_set_stores_each_type,
	  opt_text_does_not_depend_on_where_it_was_read,
	  opt_mismatch_says_what_was_expected_and_changes_nothing,
	  opt_mismatch_quotes_the_start_of_a_long_value,
	  opt_address_needs_a_host_and_a_port, opt_values_with_a_nul_byte_are_refused,
	  opt_find_wants_the_whole_name, opt_is_equal_looks_at_its_row_alone,
	  opt_types_have_names, opt_write_expected_writes_all_or_nothing)
