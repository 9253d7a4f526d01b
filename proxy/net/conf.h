/*
 * What can be configured about the data path: where we listen, how we reach the
 * API server, bounds and time-outs. One row an option in net_options.
 */
#ifndef RINGSIDE_NET_CONF_H
#define RINGSIDE_NET_CONF_H

#include "proxy/base/opt.h"

enum net_credentials {
	NET_CREDENTIALS_CLIENT, /* the client's Authorization goes upstream unchanged */
	NET_CREDENTIALS_OWN,    /* the member's own identity is sent instead */
};

struct net_conf {
	const char *https; /* addresses, or "off" */
	const char *http;
	const char *admin;
	const char *certificate; /* PEM files given by the user; "" makes our own */
	const char *key;
	const char *kept; /* where our own is kept from start to start; "" is nowhere */
	const char *ca_out; /* where our CA and a ready kubeconfig are written */
	const char *kubeconfig_out;
	const char *kubeconfig; /* of the API server; "" is in-cluster */
	const char *context;
	const char *health; /* URL at the controller; "" for none */
	int credentials;
	int64_t hold_ms;
	int64_t connect_timeout_ms;
	int64_t drain_ms;
	int64_t body_bytes;
	int64_t head_bytes;
	int64_t connections_max;
	int64_t memory_bytes;
};

extern const struct opt net_options[];
extern const size_t net_options_n;

#endif
