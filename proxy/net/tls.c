#include "proxy/net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <h2o.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* A clock of the client's may be behind ours. */
#define PAST_S 3600L
#define VALID_DAYS 3650
#define SERIAL_BITS 127
/* What HTTP/2 allows of TLS 1.2 (RFC 9113, 9.2.2); TLS 1.3 has its own list. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

#define SERVED_NAMES \
	"DNS:localhost,DNS:kubernetes,DNS:kubernetes.default," \
	"DNS:kubernetes.default.svc,IP:127.0.0.1,IP:::1"

struct extension {
	int nid;
	const char *value;
};

static const struct extension ca_extensions[] = {
	{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
	{ NID_key_usage, "critical,keyCertSign,cRLSign" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_undef, NULL },
};

static const struct extension serving_extensions[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "serverAuth" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid:always" },
	{ NID_subject_alt_name, SERVED_NAMES },
	{ NID_undef, NULL },
};

/* A certificate with its key; a CA has no issuer. */
struct identity {
	X509 *certificate;
	EVP_PKEY *key;
};

static void identity_finish(struct identity *identity)
{
	X509_free(identity->certificate);
	EVP_PKEY_free(identity->key);
}

static int fail(struct err *err, const char *what)
{
	char reason[256];
	unsigned long code = ERR_peek_last_error();

	ERR_error_string_n(code, reason, sizeof(reason));
	ERR_clear_error();
	return err_set(err, -EINVAL, "%s: %s", what, code != 0 ? reason : "failed");
}

static bool add_extensions(X509 *certificate, X509 *issuer,
			   const struct extension *extensions)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	for (; extensions->value != NULL; extensions++) {
		X509_EXTENSION *one = X509V3_EXT_conf_nid(
			NULL, &context, extensions->nid, extensions->value);
		bool added = one != NULL && X509_add_ext(certificate, one, -1) == 1;

		X509_EXTENSION_free(one);
		if (!added)
			return false;
	}
	return true;
}

static bool set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	bool is_set =
		number != NULL &&
		BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) ==
			1 &&
		BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;

	BN_free(number);
	return is_set;
}

static bool set_name(X509 *certificate, const char *name)
{
	return X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
					  MBSTRING_ASC, (const unsigned char *)name, -1,
					  -1, 0) == 1;
}

/* Fills what it can: identity_finish also after a failure. */
static int identity_make(struct identity *out, const struct identity *issuer,
			 const char *name, const struct extension *extensions,
			 struct err *err)
{
	X509 *x509 = X509_new();

	out->certificate = x509;
	out->key = EVP_EC_gen("P-256");
	if (x509 == NULL || out->key == NULL)
		return fail(err, "cannot make a key");
	if (issuer == NULL)
		issuer = out;
	if (X509_set_version(x509, X509_VERSION_3) != 1 || !set_serial(x509) ||
	    X509_gmtime_adj(X509_getm_notBefore(x509), -PAST_S) == NULL ||
	    X509_time_adj_ex(X509_getm_notAfter(x509), VALID_DAYS, 0, NULL) == NULL ||
	    X509_set_pubkey(x509, out->key) != 1 || !set_name(x509, name) ||
	    X509_set_issuer_name(x509, X509_get_subject_name(issuer->certificate)) !=
		    1 ||
	    !add_extensions(x509, issuer->certificate, extensions) ||
	    X509_sign(x509, issuer->key, EVP_sha256()) == 0)
		return fail(err, "cannot make a certificate");
	return 0;
}

static char *certificate_pem(X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long n;

	if (bio != NULL && PEM_write_bio_X509(bio, certificate) == 1) {
		n = BIO_get_mem_data(bio, &data);
		pem = strndup(data, (size_t)n);
	}
	BIO_free(bio);
	return pem;
}

static int use_own(SSL_CTX *ctx, char **ca_pem, struct err *err)
{
	struct identity ca = { 0 }, serving = { 0 };
	char *pem = NULL;
	int rc = identity_make(&ca, NULL, "ringside", ca_extensions, err);

	if (rc == 0)
		rc = identity_make(&serving, &ca, "localhost", serving_extensions, err);
	if (rc == 0 && ((pem = certificate_pem(ca.certificate)) == NULL ||
			SSL_CTX_use_certificate(ctx, serving.certificate) != 1 ||
			SSL_CTX_use_PrivateKey(ctx, serving.key) != 1 ||
			SSL_CTX_add1_chain_cert(ctx, ca.certificate) != 1))
		rc = fail(err, "cannot use the certificate that was made");
	if (rc == 0)
		*ca_pem = pem;
	else
		free(pem);
	identity_finish(&serving);
	identity_finish(&ca);
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
		rc = use_own(ctx, &pem, err);
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

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			text += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

int tls_write_file(const char *path, const char *text, struct err *err)
{
	char *temporary = NULL;
	int rc, fd;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		abort();
	fd = mkostemp(temporary, O_CLOEXEC);
	rc = fd < 0 ? -errno : write_all(fd, text);
	if (rc == 0 && fchmod(fd, 0644) != 0)
		rc = -errno;
	if (fd >= 0 && close(fd) != 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(temporary, path) != 0)
		rc = -errno;
	if (rc != 0 && fd >= 0)
		unlink(temporary);
	free(temporary);
	return rc == 0 ? 0
		       : err_set(err, rc, "cannot write %s: %s", path, strerror(-rc));
}
