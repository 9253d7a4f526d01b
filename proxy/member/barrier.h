/*
 * Who waits for a write of our Lease: a write that was sent before he asked does
 * not count for him, so there are two lists, for the write under way and for the
 * one after it.
 */
#ifndef RINGSIDE_MEMBER_BARRIER_H
#define RINGSIDE_MEMBER_BARRIER_H

#include <stdint.h>

#include "proxy/base/list.h"

struct barriers {
	struct list waiting; /* for the next write */
	struct list sent;    /* for the one under way */
};

void barriers_init(struct barriers *barriers);
void barriers_add(struct barriers *barriers, void (*done)(void *arg, uint64_t version),
		  void *arg);
bool barriers_are_waiting(const struct barriers *barriers);

/* A write begins: it counts for all who wait. */
void barriers_send(struct barriers *barriers);
/* It was refused; the next one decides. */
void barriers_return(struct barriers *barriers);
/* It was stored with this version; 0: it failed. */
void barriers_answer(struct barriers *barriers, uint64_t version);
/* No write will come: answers all with 0. */
void barriers_refuse(struct barriers *barriers);

#endif
