#include "proxy/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/base/buf.h"

#define CHUNK_BYTES 16384

/* Not sized by fstat: the file may be a pipe (`--config <(helm template ...)`). */
static int read_all(int fd, struct buf *buf)
{
	char chunk[CHUNK_BYTES];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (buf_append(buf, slice_make(chunk, (size_t)n)) < 0)
			return -EFBIG;
	}
	return 0;
}

int file_read(struct slice *out, struct arena *arena, const char *file, size_t max,
	      struct err *err)
{
	struct buf buf;
	int fd, rc;

	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		return err_set(err, rc, "%s: cannot be opened: %s", file,
			       strerror(-rc));
	}
	buf_init(&buf, max);
	rc = read_all(fd, &buf);
	close(fd);
	if (rc == -EFBIG)
		err_set(err, rc, "%s: larger than %zu bytes", file, max);
	else if (rc < 0)
		err_set(err, rc, "%s: cannot be read: %s", file, strerror(-rc));
	else
		*out = arena_copy(arena, buf_slice(&buf));
	buf_finish(&buf);
	return rc;
}

static int write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.data, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes = slice_from(bytes, (size_t)n);
	}
	return 0;
}

int file_replace(const char *file, struct slice bytes, mode_t mode, struct err *err)
{
	char made[PATH_MAX];
	int fd, rc;

	/* Beside its target: a rename does not cross file systems. */
	if ((size_t)snprintf(made, sizeof(made), "%s.XXXXXX", file) >= sizeof(made))
		return err_set(err, -ENAMETOOLONG, "%s: name too long", file);
	fd = mkostemp(made, O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		return err_set(err, rc, "%s: cannot be written: %s", file,
			       strerror(-rc));
	}
	rc = write_all(fd, bytes);
	if (rc == 0 && fchmod(fd, mode) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(made, file) < 0)
		rc = -errno;
	if (rc == 0)
		return 0;
	unlink(made);
	return err_set(err, rc, "%s: cannot be written: %s", file, strerror(-rc));
}

char *file_absolute(struct arena *arena, const char *file)
{
	char here[PATH_MAX];

	if (file[0] == '/')
		return arena_text(arena, slice_of(file));
	/* Our folder was deleted: no name helps then, nor can it harm. */
	if (!getcwd(here, sizeof(here)))
		here[0] = '\0';
	return arena_printf(arena, "%s/%s", here, file);
}
