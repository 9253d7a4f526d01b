/*
 * TLS towards the controller: the server's SSL_CTX, TLS 1.2 and above, HTTP/2 and
 * HTTP/1.1 by ALPN.
 *
 * Without a certificate of the user's one is made at start: a CA of our own signs
 * one for the names by which a process on this machine calls an API server. The
 * CA's key is forgotten at once, so the CA can vouch for nothing else; whoever
 * connects trusts the CA of this start.
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

/*
 * Writes the file in one step (a reader sees the old or the new text), readable
 * by everybody: nothing secret.
 */
int tls_write_file(const char *path, const char *text, struct err *err);

#endif
