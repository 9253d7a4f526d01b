/*
 * What the frames of a new view's WATCH say, from r up to the floor F, that a client
 * has been shown already: it holds what it kept as of r, and was given the objects of
 * the buckets that came as of F (design, section 6). What it is sent after that must
 * bring what it kept from r to F, and leave what came as it is. Pure.
 *
 * The bucket alone does not tell. An object changes its bucket when it is labelled late
 * (until then each member's client sees it, if it is owned), when it is deleted and
 * made again under its name, or when somebody writes another label. So the names of
 * what was listed at F are kept: of these, all frames up to F are old. Of any other
 * object in a bucket that came, the client holds nothing by F, but may hold it at r.
 */
#ifndef RINGSIDE_RING_NEWCOMERS_H
#define RINGSIDE_RING_NEWCOMERS_H

#include "proxy/base/marks.h"
#include "proxy/kube/list.h"
#include "proxy/ring/bucket.h"

/* 9 bytes each, and as much again at worst. */
#define NEWCOMERS_MAX (4u * 1024 * 1024)

struct newcomers {
	struct bucket_set acquired;
	uint64_t floor;
	struct marks names; /* by hash */
};

/* An event, as far as it counts here. */
struct newcomer_event {
	enum watch_event_type type; /* ADDED, MODIFIED or DELETED */
	uint64_t version;
	uint64_t object; /* a hash of its namespace and name */
	int bucket;      /* of its label, BUCKET_NONE: no valid one */
};

/* The object was listed at F. -ENOSPC: there are too many. */
int newcomers_list(struct newcomers *newcomers, uint64_t object);

/* 1: the frame is to be left out, 0: it goes on; -ENOSPC. */
int newcomers_leave_out(struct newcomers *newcomers,
			const struct newcomer_event *event);

/* The names are no longer needed: all that follows is above F. */
void newcomers_forget(struct newcomers *newcomers);

#endif
