/*
 * Whether the peer of a connection is there, and what its kernel has taken, as our
 * kernel knows it. A peer that died without a word (its link was cut, its machine is
 * gone) says nothing for ever. While nothing is under way to it the kernel probes it,
 * once liveness_probe was called, and gives the connection up. While bytes are, it
 * tries again for a quarter of an hour instead: who has these looks at them with
 * liveness_look. A peer that is there and reads nothing is not dead: its kernel
 * answers.
 */
#ifndef RINGSIDE_NET_LIVENESS_H
#define RINGSIDE_NET_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

/* Who has not answered for that long, though asked again and again, is dead. */
#define LIVENESS_DEAD_MS 45000

struct liveness {
	bool is_dead;
	bool is_waiting;   /* something waits to be taken by the peer's kernel */
	uint64_t taken;    /* bytes that it has acknowledged, ever */
	uint64_t received; /* bytes that have come, ever; those of TLS as well */
};

/*
 * Has the kernel find out about an idle peer within LIVENESS_DEAD_MS. Whom nobody looks
 * at it gives up by itself a little later.
 */
void liveness_probe(int fd);

/* All zero of what is no TCP connection. */
struct liveness liveness_look(int fd);

#endif
