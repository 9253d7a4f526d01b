#include "proxy/base/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define TIME_BYTES (sizeof("time=2006-01-02T15:04:05.000000Z ") - 1)

/* The log's end of a pipe that keeps messages apart: one read is one write. */
static int reader;

static void open_log(enum log_level level)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_DIRECT | O_NONBLOCK), 0);
	reader = fds[0];
	log_open(fds[1], level);
}

/* What one write brought, or "" when there was none. */
static const char *read_line(void)
{
	static char line[16384];
	ssize_t n = read(reader, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

/* The line without its time. */
static const char *read_line_from_level(void)
{
	const char *line = read_line();

	ck_assert_uint_gt(strlen(line), TIME_BYTES);
	ck_assert(strncmp(line, "time=2", 6) == 0);
	return line + TIME_BYTES;
}

START_TEST(log_line_is_one_write_of_key_value_pairs)
{
	open_log(LOG_LEVEL_INFO);
	log_info("lease", "renewed", log_text("lease", "ring-a"),
		 log_int("age_ms", -7));
	ck_assert_str_eq(
		read_line_from_level(),
		"level=info module=lease msg=renewed lease=ring-a age_ms=-7\n");
	ck_assert_str_eq(read_line(), "");
}
END_TEST

START_TEST(log_line_needs_no_fields)
{
	open_log(LOG_LEVEL_INFO);
	log_error("main", "the ring is lost");
	ck_assert_str_eq(read_line_from_level(),
			 "level=error module=main msg=\"the ring is lost\"\n");
}
END_TEST

START_TEST(log_drops_lines_below_its_level)
{
	open_log(LOG_LEVEL_WARN);
	log_debug("m", "debug");
	log_info("m", "info");
	ck_assert_str_eq(read_line(), "");
	log_warn("m", "warn");
	ck_assert_str_eq(read_line_from_level(), "level=warn module=m msg=warn\n");
	open_log(LOG_LEVEL_DEBUG);
	log_debug("m", "debug");
	ck_assert_str_eq(read_line_from_level(), "level=debug module=m msg=debug\n");
}
END_TEST

START_TEST(log_values_are_quoted_where_they_need_it)
{
	static const char *const cases[][2] = {
		{ "plain/text:1,2", "plain/text:1,2" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a=b", "\"a=b\"" },
		{ "say \"hi\"", "\"say \\\"hi\\\"\"" },
		{ "c:\\d", "\"c:\\\\d\"" },
		{ "one\ntime=two", "\"one\\ntime=two\"" },
		{ "\x1b[31m", "\"\\u001b[31m\"" },
		{ "\t\r\x7f", "\"\\u0009\\u000d\\u007f\"" },
		{ "\xc2\x9b", "\"\\u00c2\\u009b\"" },
	};

	open_log(LOG_LEVEL_INFO);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char want[100];

		snprintf(want, sizeof(want), "level=info module=m msg=m v=%s\n",
			 cases[i][1]);
		log_info("m", "m", log_text("v", cases[i][0]));
		ck_assert_str_eq(read_line_from_level(), want);
	}
}
END_TEST

START_TEST(log_values_may_hold_a_nul_and_null_is_empty)
{
	open_log(LOG_LEVEL_INFO);
	log_info("m", "m", log_slice("a", slice_make("x\0y", 3)), log_text("b", NULL));
	ck_assert_str_eq(read_line_from_level(),
			 "level=info module=m msg=m a=\"x\\u0000y\" b=\"\"\n");
}
END_TEST

START_TEST(log_values_are_cut_at_512_bytes)
{
	char value[513], want[600];

	memset(value, 'v', sizeof(value));
	open_log(LOG_LEVEL_INFO);
	log_info("m", "m", log_slice("v", slice_make(value, 512)));
	snprintf(want, sizeof(want), "level=info module=m msg=m v=%.512s\n", value);
	ck_assert_str_eq(read_line_from_level(), want);
	log_info("m", "m", log_slice("v", slice_make(value, 513)));
	snprintf(want, sizeof(want), "level=info module=m msg=m v=\"%.512s...\"\n",
		 value);
	ck_assert_str_eq(read_line_from_level(), want);
}
END_TEST

START_TEST(log_line_that_grows_too_long_ends_before_a_field)
{
	char value[512];
	struct slice v = slice_make(value, sizeof(value));
	const char *line;
	size_t len;

	memset(value, '\n', sizeof(value));
	open_log(LOG_LEVEL_INFO);
	log_info("m", "m", log_slice("a", v), log_slice("b", v), log_slice("c", v),
		 log_slice("d", v), log_int("e", 1));
	line = read_line();
	len = strlen(line);
	ck_assert_uint_le(len, PIPE_BUF);
	ck_assert_str_eq(line + len - strlen("\\n\" cut=true\n"), "\\n\" cut=true\n");
	ck_assert_ptr_eq(strchr(line, '\n'), line + len - 1);
}
END_TEST

/* A pipe of two lines; writes to it wait, as those to standard error do. */
START_TEST(log_line_that_nobody_reads_is_lost_and_counted)
{
	int fds[2];

	ck_assert_int_eq(pipe2(fds, O_DIRECT), 0);
	ck_assert_int_eq(fcntl(fds[1], F_SETPIPE_SZ, 2 * PIPE_BUF), 2 * PIPE_BUF);
	reader = fds[0];
	log_open(fds[1], LOG_LEVEL_INFO);
	for (int i = 0; i < 5; i++)
		log_info("m", "line", log_int("i", i));
	for (int i = 0; i < 2; i++)
		ck_assert_ptr_nonnull(strstr(read_line(), i == 0 ? "i=0\n" : "i=1\n"));
	log_info("m", "read again");
	ck_assert_str_eq(read_line_from_level(),
			 "level=warn module=log "
			 "msg=\"lines are lost, as nobody read them\" lines=3\n");
	ck_assert_str_eq(read_line_from_level(),
			 "level=info module=m msg=\"read again\"\n");
	log_info("m", "as ever");
	ck_assert_str_eq(read_line_from_level(),
			 "level=info module=m msg=\"as ever\"\n");
}
END_TEST

UNIT_MAIN("base/log", log_line_is_one_write_of_key_value_pairs,
	  log_line_needs_no_fields, log_drops_lines_below_its_level,
	  log_values_are_quoted_where_they_need_it,
	  log_values_may_hold_a_nul_and_null_is_empty, log_values_are_cut_at_512_bytes,
	  log_line_that_grows_too_long_ends_before_a_field,
	  log_line_that_nobody_reads_is_lost_and_counted)
