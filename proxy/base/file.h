/*
 * Small files, read and written whole. What we read is written by people, by the
 * kubelet or by ourselves and is small; a cap stands where a wrong name (a device, a
 * database) would otherwise eat our memory.
 */
#ifndef RINGSIDE_BASE_FILE_H
#define RINGSIDE_BASE_FILE_H

#include <sys/types.h>

#include "proxy/base/arena.h"
#include "proxy/base/err.h"

/*
 * The file's bytes, in the arena. -errno when it cannot be read, -EFBIG when it
 * is larger than max; the text names the file, never what is in it.
 */
int file_read(struct slice *out, struct arena *arena, const char *file, size_t max,
	      struct err *err);

/*
 * Writes a file of this mode, whatever the umask, and puts it in the place of
 * `file` in one step: a reader sees the old one or the new one. -errno.
 */
int file_replace(const char *file, struct slice bytes, mode_t mode, struct err *err);

/* The file's name from the root, in the arena, whatever folder we are in. */
char *file_absolute(struct arena *arena, const char *file);

#endif
