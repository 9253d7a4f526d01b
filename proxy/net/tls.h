/*
 * TLS towards the controller: the server's SSL_CTX, TLS 1.2 and above, HTTP/2 and
 * HTTP/1.1 by ALPN.
 *
 * Without a certificate of the user's one of our own is served (identity.h).
 */
#ifndef RINGSIDE_NET_TLS_H
#define RINGSIDE_NET_TLS_H

#include "proxy/base/err.h"
#include "proxy/net/conf.h"

struct ssl_ctx_st;

/*
 * *out is freed with SSL_CTX_free. *ca_pem is the CA to be trusted, freed with
 * free; NULL where the user gave the certificate. -EINVAL for files that make no
 * certificate with its key.
 */
int tls_create(struct ssl_ctx_st **out, char **ca_pem, const struct net_conf *conf,
	       struct err *err);

#endif
