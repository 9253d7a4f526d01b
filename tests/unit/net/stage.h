/*
 * The data path on one loop: a listener, whose exchanges go to a fake API server,
 * and the client's end of its connections. Nothing of it is sharded but foos
 * (fake_ring), and no view of them is ever there.
 */
#ifndef RINGSIDE_UNIT_NET_STAGE_H
#define RINGSIDE_UNIT_NET_STAGE_H

#include "proxy/net/listener.h"
#include "tests/unit/net/fake_ring.h"
#include "tests/unit/net/peer.h"

struct stage {
	struct fake_ring ring;
	struct loop *loop;
	struct fake_api *fake;
	struct ring_holder holder;
	struct locator *locator;
	struct server server;
	struct listener *listener;
	char address[32];
	int port;
};

/* hold_ms: how long a LIST of foos waits. */
void stage_open(struct stage *stage, int64_t hold_ms);

/* Ends what is left of it. */
void stage_close(struct stage *stage);

/* Runs the loop until n exchanges are under way. */
void stage_wait_open(struct stage *stage, size_t n);

#endif
