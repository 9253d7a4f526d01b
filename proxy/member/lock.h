/*
 * The lock file: proof that our predecessor on this host is gone. While a member
 * runs it holds the lock, which the kernel takes away from a process that dies,
 * however it dies; after each claim it writes the identity into the file. Who
 * gets the lock and finds the identity that stands on the Lease may go on as it,
 * without waiting for the Lease to run out (design, section 5).
 *
 * The file must be on the replica's own disk (an emptyDir survives a restart of
 * the container): a lock over a network file system proves nothing.
 */
#ifndef RINGSIDE_MEMBER_LOCK_H
#define RINGSIDE_MEMBER_LOCK_H

#include "proxy/base/err.h"
#include "proxy/base/slice.h"
#include "proxy/ring/assignment.h"

struct lock {
	const char *file; /* borrowed; "" for none */
	int fd;           /* -1: not held */
	bool had_former;  /* something was recorded when it was taken: by whoever ran
			     here */
	char identity[IDENTITY_BYTES_MAX + 1]; /* what it records; "" if nothing */
};

void lock_init(struct lock *lock, const char *file);
/* Gives the lock up; what it records stays. */
void lock_finish(struct lock *lock);

/*
 * Takes the lock if it can be had now, and reads what it records. 0 when it is
 * held (also by an earlier call), or when there is no file to lock; -EWOULDBLOCK
 * when another process holds it; -errno.
 */
int lock_take(struct lock *lock, struct err *err);

/* Records who we are. Without the lock it does nothing. -errno. */
int lock_record(struct lock *lock, struct slice identity, struct err *err);

/* Whether the lock is held and records this identity; of "" never. */
bool lock_has_recorded(const struct lock *lock, struct slice identity);

#endif
