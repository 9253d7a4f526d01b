/*
 * A way upstream whose answers come back with an object's other name (kube/rename):
 * what is asked about a virtual lock is stored under one name and shown under
 * another. To the exchange it is a way like any other, of which one transfer is
 * started. An answer is gathered, renamed and passed on as a whole; a watch is
 * renamed frame by frame. What has no name in it that we could read (an answer in
 * plain text, to HEAD) passes as it is.
 *
 * Memory: an answer or a frame of at most RENAMER_BYTES_MAX, as it came and renamed;
 * above that, and where a success is neither JSON nor protobuf, the answer is
 * broken, and the exchange says so.
 */
#ifndef RINGSIDE_NET_RENAMER_H
#define RINGSIDE_NET_RENAMER_H

#include "proxy/kube/rename.h"
#include "proxy/net/upstream.h"

#define RENAMER_BYTES_MAX (1024 * 1024)

/*
 * upstream, loop and the names outlive it. It is gone with its one transfer, which
 * must be started.
 */
struct upstream *renamer_way(struct loop *loop, struct upstream *upstream,
			     const struct rename *rename, bool is_watch);

#endif
