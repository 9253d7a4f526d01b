/*
 * What the controller is handed so that it finds us: the CA of our certificate and
 * a kubeconfig, written where the configuration says. A disk that is full, or a
 * volume that is not there yet, keeps us from it for a while only: it is tried
 * again, and until then the member is not ready.
 */
#ifndef RINGSIDE_PROXY_HANDOUT_H
#define RINGSIDE_PROXY_HANDOUT_H

#include "proxy/net/cluster.h"
#include "proxy/net/conf.h"
#include "proxy/net/loop.h"

struct handout {
	struct loop *loop;
	const struct net_conf *net;
	const struct cluster *cluster;
	char *ca_pem; /* "" where there is none of ours; owned */
	struct loop_timer timer;
	bool is_told;
	bool is_done;
};

/* All is borrowed but ca_pem (malloc'd, may be NULL), which becomes the handout's. */
void handout_start(struct handout *handout, struct loop *loop,
		   const struct net_conf *net, const struct cluster *cluster,
		   char *ca_pem);
/* Also for one that is zeroed. */
void handout_finish(struct handout *handout);

#endif
