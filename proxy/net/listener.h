/*
 * Where the controller reaches us: h2o's server on one or two addresses (TLS with
 * HTTP/1.1 and HTTP/2 by ALPN; plain HTTP/1.1). Each request becomes an exchange.
 */
#ifndef RINGSIDE_NET_LISTENER_H
#define RINGSIDE_NET_LISTENER_H

#include "proxy/base/err.h"
#include "proxy/net/server.h"

struct listener;

/*
 * server outlives it; its conf says the addresses. *ca_pem (malloc'd, NULL if the
 * certificate was given) is what the controller must trust. -errno.
 */
int listener_create(struct listener **out, struct server *server, char **ca_pem,
		    struct err *err);

/* Takes no new connection, and asks the open ones to end after their requests. */
void listener_drain(struct listener *listener);

/* Brings the metrics of connections up to date. */
void listener_refresh(void *listener);

/* How many connections are open. */
size_t listener_connections(const struct listener *listener);

/* Closes the connections that are left; they are gone after a turn of the loop. */
void listener_cut(struct listener *listener);

/* Cuts what is open, connections and exchanges, also what comes at the last moment. */
void listener_destroy(struct listener *listener);

#endif
