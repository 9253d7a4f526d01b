/*
 * What a proxy that keeps its buckets leaves beside the lock file for the one that
 * comes back in its place: the views that its clients hold (sessions_save). It is
 * taken away when it is read, as it tells nothing of what another process served.
 */
#ifndef RINGSIDE_PROXY_KEEPSAKE_H
#define RINGSIDE_PROXY_KEEPSAKE_H

#include "proxy/session/session.h"

/* lock_file: "" for none: then nothing is left, and nothing found. Failures are logged:
 * clients list anew. */
void keepsake_leave(const char *lock_file, const struct sessions *sessions);
void keepsake_take(const char *lock_file, struct sessions *sessions);

#endif
