/*
 * How to reach and trust one API server, and our own credentials there. Texts
 * belong to whoever made it (an arena) and outlive the proxy's use of it.
 */
#ifndef RINGSIDE_NET_CLUSTER_H
#define RINGSIDE_NET_CLUSTER_H

#include <stdbool.h>

/* Absent texts are NULL. */
struct cluster {
	const char *server;          /* "https://10.96.0.1:443", no trailing slash */
	const char *tls_server_name; /* the name to verify instead of the host's */
	const char *ca_pem;          /* PEM text; wins over ca_file */
	const char *ca_file;
	bool is_insecure; /* insecure-skip-tls-verify */
	const char *token;
	const char *token_file; /* wins over token; read again when it changes */
	const char *certificate_pem;
	const char *certificate_file;
	const char *key_pem;
	const char *key_file;
	const char *namespace; /* of the context or the Pod */
};

#endif
