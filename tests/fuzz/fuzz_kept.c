#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"
#include "proxy/member/lock.h"
#include "proxy/net/identity.h"
#include "tests/fuzz/fuzz.h"

#define KEPT_BYTES_MAX 65536

static char folder[] = "/tmp/ringside-fuzz-XXXXXX";
static char file[PATH_MAX];

static void remove_folder(void)
{
	(void)unlink(file);
	(void)rmdir(folder);
}

static void keep(struct slice bytes)
{
	struct err err;

	FUZZ_ASSERT(file_replace(file, bytes, 0600, &err) == 0);
}

static struct slice kept(struct arena *arena)
{
	struct slice bytes;
	struct err err;

	FUZZ_ASSERT(file_read(&bytes, arena, file, KEPT_BYTES_MAX, &err) == 0);
	return bytes;
}

/* What an earlier start kept; made once, so that no corpus holds a key. */
static struct slice sound(void)
{
	static struct arena *for_ever;
	static struct slice bytes;
	struct identity identity;
	struct err err;

	if (for_ever != NULL)
		return bytes;
	for_ever = arena_create();
	FUZZ_ASSERT(mkdtemp(folder) != NULL);
	snprintf(file, sizeof(file), "%s/kept", folder);
	(void)atexit(remove_folder);
	log_open(STDERR_FILENO, LOG_LEVEL_ERROR);
	FUZZ_ASSERT(identity_create(&identity, file, &err) == 0);
	identity_finish(&identity);
	bytes = kept(for_ever);
	return bytes;
}

/* Three bytes of the input change one of the text: where, and to what. */
static struct slice changed(struct arena *arena, struct slice text, struct slice input)
{
	struct slice copy = arena_copy(arena, text);
	char *bytes = (char *)(uintptr_t)copy.data;

	for (; input.len >= 3; input = slice_from(input, 3)) {
		size_t at = (size_t)(unsigned char)input.data[0] << 8 |
			    (unsigned char)input.data[1];

		bytes[at % copy.len] = input.data[2];
	}
	return copy;
}

/* It is taken, or it is said that it makes no sense. */
static void check_identity(struct slice bytes)
{
	struct identity identity;
	struct err err = { "" };
	char *pem;
	int rc;

	keep(bytes);
	rc = identity_create(&identity, file, &err);
	FUZZ_ASSERT(rc == 0 || rc == -EINVAL || rc == -EFBIG);
	FUZZ_ASSERT(rc == 0 || err.text[0] != '\0');
	if (rc != 0)
		return;
	pem = identity_ca_pem(&identity);
	FUZZ_ASSERT(pem != NULL);
	free(pem);
	identity_finish(&identity);
	/* Also what has expired: a new one is kept in its place. */
	FUZZ_ASSERT(identity_create(&identity, file, &err) == 0);
	identity_finish(&identity);
}

/* Whatever it records: the lock is had, and records what it is told to. */
static void check_lock(struct slice bytes)
{
	static const struct slice next = SLICE_LITERAL("a/1");
	struct lock lock;
	struct err err;

	keep(bytes);
	lock_init(&lock, file);
	FUZZ_ASSERT(lock_take(&lock, &err) == 0);
	FUZZ_ASSERT(lock.had_former == (bytes.len > 0));
	FUZZ_ASSERT(strlen(lock.identity) <= IDENTITY_BYTES_MAX);
	FUZZ_ASSERT(lock.identity[0] == '\0' ||
		    slice_starts_with(bytes, lock.identity));
	FUZZ_ASSERT(lock_record(&lock, next, &err) == 0);
	lock_finish(&lock);
	lock_init(&lock, file);
	FUZZ_ASSERT(lock_take(&lock, &err) == 0);
	FUZZ_ASSERT(lock_has_recorded(&lock, next));
	lock_finish(&lock);
}

/* Files that one process leaves to the next one: the certificate and the lock. */
void fuzz_one(struct arena *arena, struct slice input)
{
	struct slice pem = sound();

	switch (fuzz_choice(&input, 3)) {
	case 0:
		check_identity(changed(arena, pem, input));
		break;
	case 1:
		check_identity(input);
		break;
	default:
		check_lock(input);
	}
}
