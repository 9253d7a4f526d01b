#include "proxy/keepsake.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "proxy/base/file.h"
#include "proxy/base/log.h"

#define KEEPSAKE_BYTES_MAX (256u * 1024)

static const char *keepsake_file(struct arena *arena, const char *lock_file)
{
	return arena_printf(arena, "%s.views", lock_file);
}

void keepsake_leave(const char *lock_file, const struct sessions *sessions)
{
	struct arena *arena = arena_create();
	struct buf text;
	struct err err;

	buf_init(&text, KEEPSAKE_BYTES_MAX);
	if (lock_file[0] != '\0' && sessions_save(sessions, &text) == 0 &&
	    file_replace(keepsake_file(arena, lock_file), buf_slice(&text), 0600,
			 &err) != 0)
		log_warn("proxy",
			 "cannot leave our views to the proxy that comes back; clients "
			 "list anew",
			 log_text("error", err.text));
	buf_finish(&text);
	arena_destroy(arena);
}

void keepsake_take(const char *lock_file, struct sessions *sessions)
{
	struct arena *arena = arena_create();
	const char *file = keepsake_file(arena, lock_file);
	struct slice text;
	struct err err;
	int rc = lock_file[0] != '\0' && access(file, F_OK) == 0
			 ? file_read(&text, arena, file, KEEPSAKE_BYTES_MAX, &err)
			 : -ENOENT;

	/* Used once, or not at all. */
	if (rc == 0 && unlink(file) != 0)
		rc = err_set(&err, -errno, "cannot remove %s: %s", file,
			     strerror(errno));
	if (rc == 0)
		log_info("proxy", "knows the views of our predecessor",
			 log_int("views", sessions_load(sessions, text)));
	else if (rc != -ENOENT)
		log_warn("proxy",
			 "cannot learn the views of our predecessor; clients list anew",
			 log_text("error", err.text));
	arena_destroy(arena);
}
