/*
 * What waits in the kernel for a peer, and how much the peer's kernel has taken. A
 * process that is stopped takes what there is room for, and then nothing.
 */
#ifndef RINGSIDE_NET_BACKLOG_H
#define RINGSIDE_NET_BACKLOG_H

#include <stdbool.h>
#include <stdint.h>

/* Whether bytes wait on the socket. *taken: those that were acknowledged, ever. */
bool backlog_is_waiting(int fd, uint64_t *taken);

#endif
