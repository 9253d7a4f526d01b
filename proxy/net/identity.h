/*
 * The serving certificate that we make ourselves: a CA signs one certificate for
 * the names by which a process on this machine calls an API server. The CA's key is
 * forgotten at once, so the CA can vouch for nothing else.
 *
 * Who connects trusts that CA. A controller reads it once, so a proxy that restarts
 * beside a running controller must come back with the same one: it can be kept in a
 * file, which holds the private key and is readable by its owner alone.
 */
#ifndef RINGSIDE_NET_IDENTITY_H
#define RINGSIDE_NET_IDENTITY_H

#include "proxy/base/err.h"

struct x509_st;
struct evp_pkey_st;

struct identity {
	struct x509_st *certificate;
	struct evp_pkey_st *key;
	struct x509_st *ca;
};

/*
 * What `file` keeps; where there is no such file, or what it keeps has expired, a
 * new one, which is kept there. `file` may be "": then nothing is kept. *out is
 * released with identity_finish. -EINVAL for a file that holds something else, the
 * file's -errno; the text names the file.
 */
int identity_create(struct identity *out, const char *file, struct err *err);

void identity_finish(struct identity *identity);

/* The CA as PEM, freed with free; NULL without memory. */
char *identity_ca_pem(const struct identity *identity);

#endif
