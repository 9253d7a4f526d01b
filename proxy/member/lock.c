#include "proxy/member/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

void lock_init(struct lock *lock, const char *file)
{
	*lock = (struct lock){ .file = file, .fd = -1 };
}

void lock_finish(struct lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	lock->fd = -1;
}

static int lock_fail(const struct lock *lock, const char *what, struct err *err)
{
	int code = errno;

	return err_set(err, -code, "cannot %s the lock file %s: %s", what, lock->file,
		       strerror(code));
}

/* A line that is whole; anything else was never finished, and proves nothing. */
static void lock_read(struct lock *lock)
{
	ssize_t n = pread(lock->fd, lock->identity, sizeof(lock->identity), 0);

	lock->had_former = n > 0;
	if (n > 0 && lock->identity[n - 1] == '\n')
		lock->identity[n - 1] = '\0';
	else
		lock->identity[0] = '\0';
}

int lock_take(struct lock *lock, struct err *err)
{
	int rc = 0;

	if (lock->file[0] == '\0' || lock->fd >= 0)
		return 0;
	/* Not inherited: a controller that we start must not keep it locked. */
	lock->fd = open(lock->file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock->fd < 0)
		return lock_fail(lock, "open", err);
	if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0) {
		rc = lock_fail(lock, "lock", err);
		lock_finish(lock);
		return rc;
	}
	lock_read(lock);
	return 0;
}

int lock_record(struct lock *lock, struct slice identity, struct err *err)
{
	char line[IDENTITY_BYTES_MAX + 2];
	int n = snprintf(line, sizeof(line), "%.*s\n", SLICE_ARGS(identity));

	if (lock->fd < 0)
		return 0;
	if (n < 0 || (size_t)n > IDENTITY_BYTES_MAX)
		return err_set(err, -EMSGSIZE,
			       "the identity is too long to be recorded");
	/* Emptied first: a crash in between leaves no line, not half of two. */
	if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, line, (size_t)n, 0) != n)
		return lock_fail(lock, "write", err);
	snprintf(lock->identity, sizeof(lock->identity), "%.*s", SLICE_ARGS(identity));
	return 0;
}

bool lock_has_recorded(const struct lock *lock, struct slice identity)
{
	return lock->fd >= 0 && identity.len > 0 && slice_is(identity, lock->identity);
}
