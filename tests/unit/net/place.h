/*
 * Transfers on one loop: the way upstream that libcurl makes, a server whose end of
 * each connection is in the test's hands, and what was told of a transfer.
 */
#ifndef RINGSIDE_UNIT_NET_PLACE_H
#define RINGSIDE_UNIT_NET_PLACE_H

#include "proxy/net/upstream.h"
#include "tests/unit/net/peer.h"

/* One transfer, and what was told of it. */
struct seen {
	struct upstream *upstream;
	struct transfer *transfer;
	struct buf body;
	char head[512]; /* "status phrase|name: value|..." */
	int64_t content_length;
	int heads, ends, asked;
	enum upstream_result result;
	bool is_refusing;
	bool is_hoarding; /* takes nothing */
};

struct place {
	struct loop *loop;
	struct peer_server server;
	struct cluster cluster;
	struct upstream *upstream;
	char url[64];
};

void place_open(struct place *place);
void place_close(struct place *place);

/* Starts a transfer; what it gets is taken as it comes. */
void start(struct place *place, struct seen *seen,
	   const struct upstream_request *request);
void finish(struct seen *seen);

extern const struct upstream_request get;
extern const struct upstream_request post;

#endif
