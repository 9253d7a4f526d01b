/*
 * A folder of a test's own, to write files into: the test stands in it, so that
 * names in messages are short. check runs every test in its own process.
 */
#ifndef RINGSIDE_UNIT_SCRATCH_H
#define RINGSIDE_UNIT_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char scratch_folder[PATH_MAX];

static inline void scratch_enter(void)
{
	strcpy(scratch_folder, "/tmp/ringside-check-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch_folder));
	ck_assert_int_eq(chdir(scratch_folder), 0);
}

static inline void scratch_write_bytes(const char *name, struct slice bytes)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
	ck_assert_int_eq(fclose(file), 0);
}

static inline void scratch_write(const char *name, const char *text)
{
	scratch_write_bytes(name, slice_of(text));
}

/* How many files are in it. */
static inline int scratch_count(void)
{
	DIR *folder = opendir(scratch_folder);
	int n = 0;

	ck_assert_ptr_nonnull(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		n += entry->d_name[0] != '.';
	closedir(folder);
	return n;
}

static inline void scratch_leave(void)
{
	DIR *folder = opendir(scratch_folder);

	ck_assert_ptr_nonnull(folder);
	for (struct dirent *entry; (entry = readdir(folder));)
		unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(scratch_folder), 0);
}

#endif
