#include "proxy/net/identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "proxy/base/arena.h"
#include "proxy/base/file.h"
#include "proxy/base/log.h"

/* A clock of the client's may be behind ours. */
#define PAST_S 3600L
#define VALID_DAYS 3650
#define SERIAL_BITS 127
#define KEPT_BYTES_MAX 65536

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

/* A certificate with its key. */
struct signed_key {
	X509 *certificate;
	EVP_PKEY *key;
};

static void signed_key_finish(struct signed_key *one)
{
	X509_free(one->certificate);
	EVP_PKEY_free(one->key);
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

/* Fills what it can: signed_key_finish also after a failure. A CA has no issuer. */
static int sign(struct signed_key *out, const struct signed_key *issuer,
		const char *name, const struct extension *extensions, struct err *err)
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

static int make(struct identity *out, struct err *err)
{
	struct signed_key ca = { 0 }, serving = { 0 };
	int rc = sign(&ca, NULL, "ringside", ca_extensions, err);

	if (rc == 0)
		rc = sign(&serving, &ca, "localhost", serving_extensions, err);
	if (rc == 0) {
		*out = (struct identity){ serving.certificate, serving.key,
					  ca.certificate };
		serving = (struct signed_key){ 0 };
		ca.certificate = NULL;
	}
	signed_key_finish(&serving);
	signed_key_finish(&ca);
	return rc;
}

/* Reads what write_kept wrote: key, certificate, CA. */
static int parse(struct identity *out, struct slice pem, const char *file,
		 struct err *err)
{
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);

	ERR_clear_error();
	/* The empty password: an encrypted key is an error, not a question. */
	out->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	out->certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	out->ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (out->key != NULL && out->certificate != NULL && out->ca != NULL &&
	    X509_check_private_key(out->certificate, out->key) == 1 &&
	    X509_verify(out->certificate, X509_get0_pubkey(out->ca)) == 1)
		return 0;
	ERR_clear_error();
	return err_set(err, -EINVAL,
		       "%s: expected the key, the certificate and the CA that an "
		       "earlier start kept; without the file new ones are made",
		       file);
}

static int read_kept(struct identity *out, const char *file, struct err *err)
{
	struct arena *arena = arena_create();
	struct slice pem;
	int rc = file_read(&pem, arena, file, KEPT_BYTES_MAX, err);

	if (rc == 0)
		rc = parse(out, pem, file, err);
	arena_destroy(arena);
	if (rc == 0 && X509_cmp_current_time(X509_get0_notAfter(out->certificate)) <= 0)
		rc = err_set(err, -ESTALE, "%s: has expired", file);
	return rc;
}

static int write_kept(const struct identity *identity, const char *file,
		      struct err *err)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long n;
	int rc;

	if (bio == NULL ||
	    PEM_write_bio_PrivateKey(bio, identity->key, NULL, NULL, 0, NULL, NULL) !=
		    1 ||
	    PEM_write_bio_X509(bio, identity->certificate) != 1 ||
	    PEM_write_bio_X509(bio, identity->ca) != 1) {
		BIO_free(bio);
		return fail(err, file);
	}
	n = BIO_get_mem_data(bio, &data);
	rc = file_replace(file, slice_make(data, (size_t)n), 0600, err);
	BIO_free(bio);
	return rc;
}

int identity_create(struct identity *out, const char *file, struct err *err)
{
	struct identity identity = { 0 };
	struct err why = { "" };
	int rc = -ENOENT;

	if (file[0] != '\0')
		rc = read_kept(&identity, file, &why);
	if (rc == -ENOENT || rc == -ESTALE) {
		if (rc == -ESTALE)
			log_warn("tls",
				 "the kept certificate is replaced; "
				 "clients must trust the new CA",
				 log_text("reason", why.text));
		identity_finish(&identity);
		rc = make(&identity, &why);
		if (rc == 0 && file[0] != '\0')
			rc = write_kept(&identity, file, &why);
	}
	if (rc != 0) {
		identity_finish(&identity);
		return err_set(err, rc, "%s", why.text);
	}
	*out = identity;
	return 0;
}

void identity_finish(struct identity *identity)
{
	X509_free(identity->certificate);
	X509_free(identity->ca);
	EVP_PKEY_free(identity->key);
	*identity = (struct identity){ 0 };
}

char *identity_ca_pem(const struct identity *identity)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long n;

	if (bio != NULL && PEM_write_bio_X509(bio, identity->ca) == 1) {
		n = BIO_get_mem_data(bio, &data);
		pem = strndup(data, (size_t)n);
	}
	BIO_free(bio);
	return pem;
}
