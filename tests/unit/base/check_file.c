#include "proxy/base/file.h"

#include <errno.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

static struct err err;

START_TEST(file_read_gives_all_bytes)
{
	static const char bytes[] = "a\0b\n";
	struct arena *arena = arena_create();
	struct slice have;

	scratch_enter();
	scratch_write_bytes("f", slice_make(bytes, 4));
	ck_assert_int_eq(file_read(&have, arena, "f", 4, &err), 0);
	ck_assert(slice_eq(have, slice_make(bytes, 4)));
	scratch_write("f", "");
	ck_assert_int_eq(file_read(&have, arena, "f", 4, &err), 0);
	ck_assert_uint_eq(have.len, 0);
	scratch_leave();
	arena_destroy(arena);
}
END_TEST

START_TEST(file_read_says_why_not)
{
	struct arena *arena = arena_create();
	struct slice have = { NULL, 7 };

	scratch_enter();
	scratch_write("f", "12345");
	ck_assert_int_eq(file_read(&have, arena, "f", 4, &err), -EFBIG);
	ck_assert_str_eq(err.text, "f: larger than 4 bytes");
	ck_assert_int_eq(file_read(&have, arena, "/dev/zero", 1 << 20, &err), -EFBIG);
	ck_assert_int_eq(file_read(&have, arena, "g", 4, &err), -ENOENT);
	ck_assert_str_eq(err.text, "g: cannot be opened: No such file or directory");
	ck_assert_int_eq(file_read(&have, arena, ".", 4, &err), -EISDIR);
	ck_assert_str_eq(err.text, ".: cannot be read: Is a directory");
	ck_assert_uint_eq(have.len, 7);
	scratch_leave();
	arena_destroy(arena);
}
END_TEST

START_TEST(file_replace_puts_a_file_of_its_mode_in_place)
{
	struct arena *arena = arena_create();
	struct slice have;
	struct stat stat_of_f;

	scratch_enter();
	scratch_write("f", "former");
	ck_assert_int_eq(chmod("f", 0666), 0);
	umask(077);
	for (size_t i = 0; i < 2; i++) {
		mode_t mode = i == 0 ? 0600 : 0644;

		ck_assert_int_eq(file_replace("f", slice_of("new"), mode, &err), 0);
		ck_assert_int_eq(file_read(&have, arena, "f", 100, &err), 0);
		ck_assert_slice(have, "new");
		ck_assert_int_eq(stat("f", &stat_of_f), 0);
		ck_assert_uint_eq(stat_of_f.st_mode & 07777, mode);
	}
	ck_assert_int_eq(scratch_count(), 1);
	scratch_leave();
	arena_destroy(arena);
}
END_TEST

START_TEST(file_replace_leaves_nothing_behind_when_it_fails)
{
	scratch_enter();
	ck_assert_int_eq(file_replace("none/f", slice_of("new"), 0600, &err), -ENOENT);
	ck_assert_str_eq(err.text,
			 "none/f: cannot be written: No such file or directory");
	/* A folder cannot be replaced by a file. */
	ck_assert_int_eq(mkdir("folder", 0700), 0);
	ck_assert_int_eq(file_replace("folder", slice_of("new"), 0600, &err), -EISDIR);
	ck_assert_int_eq(scratch_count(), 1);
	ck_assert_int_eq(rmdir("folder"), 0);
	scratch_leave();
}
END_TEST

UNIT_MAIN("base/file", file_read_gives_all_bytes, file_read_says_why_not,
	  file_replace_puts_a_file_of_its_mode_in_place,
	  file_replace_leaves_nothing_behind_when_it_fails)
