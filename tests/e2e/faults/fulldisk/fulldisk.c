/*
 * Preloaded into a member: while the file FULLDISK_FLAG exists, the disk under
 * FULLDISK_DIR is full. It takes all of a file but the last byte, as the worst of
 * full disks does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int is_on_disk(int fd)
{
	const char *dir = getenv("FULLDISK_DIR");
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path));
	return dir != NULL && n > (ssize_t)strlen(dir) &&
	       memcmp(path, dir, strlen(dir)) == 0;
}

ssize_t write(int fd, const void *bytes, size_t n)
{
	const char *flag = getenv("FULLDISK_FLAG");

	if (flag != NULL && access(flag, F_OK) == 0 && is_on_disk(fd)) {
		if (n == 1) {
			errno = ENOSPC;
			return -1;
		}
		n--;
	}
	return syscall(SYS_write, fd, bytes, n);
}
