#include "proxy/net/tls.h"

#include <errno.h>
#include <stdlib.h>

#include <h2o.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "proxy/net/identity.h"

/* What HTTP/2 allows of TLS 1.2 (RFC 9113, 9.2.2); TLS 1.3 has its own list. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

static int fail(struct err *err, const char *what)
{
	char reason[256];
	unsigned long code = ERR_peek_last_error();

	ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, -EINVAL, "%s: %s", what, code != 0 ? reason : "failed");
}

static int use_own(SSL_CTX *ctx, char **ca_pem, const char *file, struct err *err)
{
	struct identity own;
	char *pem;
	int rc = identity_create(&own, file, err);

	if (rc != 0)
		return rc;
	pem = identity_ca_pem(&own);
	if (pem == NULL || SSL_CTX_use_certificate(ctx, own.certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, own.key) != 1 ||
	    SSL_CTX_add1_chain_cert(ctx, own.ca) != 1)
		rc = fail(err, "cannot use the certificate that was made");
	if (rc == 0)
		*ca_pem = pem;
	else
		free(pem);
	identity_finish(&own);
	return rc;
}

/* An encrypted key is an error, not a question on the terminal. */
static int no_password(char *out, int size, int is_writing, void *arg)
{
	(void)out;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static int use_files(SSL_CTX *ctx, const struct net_conf *conf, struct err *err)
{
	if (conf->certificate[0] == '\0' || conf->key[0] == '\0')
		return err_set(err, -EINVAL,
			       "tls.certificate and tls.key: expected both or none");
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	if (SSL_CTX_use_certificate_chain_file(ctx, conf->certificate) != 1)
		return fail(err, conf->certificate);
	if (SSL_CTX_use_PrivateKey_file(ctx, conf->key, SSL_FILETYPE_PEM) != 1)
		return fail(err, conf->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return fail(err, "tls.certificate and tls.key do not belong together");
	return 0;
}

int tls_create(struct ssl_ctx_st **out, char **ca_pem, const struct net_conf *conf,
	       struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char *pem = NULL;
	int rc;

	ERR_clear_error();
	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1)
		rc = fail(err, "TLS");
	else if (conf->certificate[0] != '\0' || conf->key[0] != '\0')
		rc = use_files(ctx, conf, err);
	else
		rc = use_own(ctx, &pem, conf->kept, err);
	if (rc != 0) {
		SSL_CTX_free(ctx);
		return rc;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	/* Tickets resume sessions; nothing is kept here for clients that left. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	h2o_ssl_register_alpn_protocols(ctx, h2o_alpn_protocols);
	*out = ctx;
	*ca_pem = pem;
	return 0;
}
