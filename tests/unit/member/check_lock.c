#include "proxy/member/lock.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char file[64];

static void begin(void)
{
	snprintf(file, sizeof(file), "/tmp/ringside-check-lock-%d", (int)getpid());
	unlink(file);
}

static void write_file(const char *text)
{
	FILE *out = fopen(file, "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

static void record(const char *identity)
{
	struct lock lock;
	struct err err;

	lock_init(&lock, file);
	ck_assert_int_eq(lock_take(&lock, &err), 0);
	ck_assert_int_eq(lock_record(&lock, slice_of(identity), &err), 0);
	lock_finish(&lock);
}

static void expect_recorded(const char *identity)
{
	struct lock lock;
	struct err err;

	lock_init(&lock, file);
	ck_assert_int_eq(lock_take(&lock, &err), 0);
	ck_assert_str_eq(lock.identity, identity);
	lock_finish(&lock);
}

START_TEST(lock_tells_the_successor_who_was_there)
{
	begin();
	expect_recorded("");
	record("a-member-of-some-length/3f2c91d0");
	expect_recorded("a-member-of-some-length/3f2c91d0");
	record("a/1");
	expect_recorded("a/1");
	unlink(file);
}
END_TEST

START_TEST(lock_is_had_by_one_at_a_time)
{
	struct lock first, second;
	struct err err;

	begin();
	lock_init(&first, file);
	lock_init(&second, file);
	ck_assert_int_eq(lock_take(&first, &err), 0);
	ck_assert_int_eq(lock_take(&first, &err), 0);
	ck_assert_int_eq(lock_take(&second, &err), -EWOULDBLOCK);
	ck_assert_ptr_nonnull(strstr(err.text, file));
	/* Who has it not records nothing. */
	ck_assert_int_eq(lock_record(&second, slice_of("b/1"), &err), 0);
	ck_assert_int_eq(lock_record(&first, slice_of("a/1"), &err), 0);
	lock_finish(&first);
	ck_assert_int_eq(lock_take(&second, &err), 0);
	ck_assert_str_eq(second.identity, "a/1");
	lock_finish(&second);
	unlink(file);
}
END_TEST

START_TEST(lock_believes_whole_lines_alone)
{
	char text[2 * IDENTITY_BYTES_MAX];

	begin();
	write_file("a/3f2c91");
	expect_recorded("");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	write_file(text);
	expect_recorded("");
	write_file("\n");
	expect_recorded("");
	unlink(file);
}
END_TEST

START_TEST(lock_without_a_file_proves_nothing_and_fails_nothing)
{
	struct lock lock;
	struct err err;

	lock_init(&lock, "");
	ck_assert_int_eq(lock_take(&lock, &err), 0);
	ck_assert_str_eq(lock.identity, "");
	ck_assert_int_eq(lock_record(&lock, slice_of("a/1"), &err), 0);
	lock_finish(&lock);
	lock_init(&lock, "/nonexistent/lock");
	ck_assert_int_eq(lock_take(&lock, &err), -ENOENT);
	lock_finish(&lock);
}
END_TEST

UNIT_MAIN("member/lock", lock_tells_the_successor_who_was_there,
	  lock_is_had_by_one_at_a_time, lock_believes_whole_lines_alone,
	  lock_without_a_file_proves_nothing_and_fails_nothing)
