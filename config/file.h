/*
 * Small files, read whole. Everything config reads is written by people or by
 * the kubelet and is small; a cap stands where a wrong name (a device, a
 * database) would otherwise eat our memory.
 */
#ifndef RINGSIDE_CONFIG_FILE_H
#define RINGSIDE_CONFIG_FILE_H

#include "proxy/base/arena.h"
#include "proxy/base/err.h"

/*
 * The file's bytes, in the arena. -errno when it cannot be read, -EFBIG when it
 * is larger than max; the text names the file, never what is in it.
 */
int file_read(struct slice *out, struct arena *arena, const char *file, size_t max,
	      struct err *err);

/*
 * Writes a file that only its owner can read and puts it in the place of
 * `file` in one step: a reader sees the old one or the new one. -errno.
 */
int file_replace(const char *file, struct slice bytes, struct err *err);

/* The file's name from the root, in the arena, whatever folder we are in. */
char *file_absolute(struct arena *arena, const char *file);

#endif
