#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "proxy/net/tls.h"
#include "tests/unit/unit.h"

#define TEXT_BYTES_MAX 65536

/* A folder of the test's own, removed with what is in it. */
struct scratch {
	char folder[64];
	char certificate[96];
	char key[96];
};

static struct scratch scratch_make(void)
{
	struct scratch scratch = { "/tmp/ringside-tls-XXXXXX" };

	ck_assert_ptr_nonnull(mkdtemp(scratch.folder));
	sprintf(scratch.certificate, "%s/certificate.pem", scratch.folder);
	sprintf(scratch.key, "%s/key.pem", scratch.folder);
	return scratch;
}

static void scratch_remove(struct scratch *scratch)
{
	unlink(scratch->certificate);
	unlink(scratch->key);
	ck_assert_int_eq(rmdir(scratch->folder), 0);
}

/* With what tls_create made, as files: certificate and key. */
static void scratch_fill(struct scratch *scratch, SSL_CTX *ctx)
{
	FILE *file = fopen(scratch->certificate, "w");

	PEM_write_X509(file, SSL_CTX_get0_certificate(ctx));
	fclose(file);
	file = fopen(scratch->key, "w");
	PEM_write_PrivateKey(file, SSL_CTX_get0_privatekey(ctx), NULL, NULL, 0, NULL,
			     NULL);
	fclose(file);
}

static SSL_CTX *create_own(char **ca_pem)
{
	static const struct net_conf conf = { .certificate = "",
					      .key = "",
					      .kept = "" };
	SSL_CTX *ctx = NULL;
	struct err err = { "" };

	ck_assert_msg(tls_create(&ctx, ca_pem, &conf, &err) == 0, "%s", err.text);
	return ctx;
}

static SSL_CTX *create_client(const char *ca_pem)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *bio = BIO_new_mem_buf(ca_pem, -1);
	X509 *ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	ck_assert_ptr_nonnull(ca);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
	/* As strict as the strictest client: RFC 5280 to the letter. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	X509_free(ca);
	BIO_free(bio);
	return ctx;
}

/* A handshake in memory; what the client thinks of it. */
struct handshake {
	SSL *client;
	SSL *server;
};

static struct handshake handshake(SSL_CTX *server, SSL_CTX *client, const char *host)
{
	struct handshake both = { SSL_new(client), SSL_new(server) };
	BIO *a, *b;

	BIO_new_bio_pair(&a, 0, &b, 0);
	SSL_set_bio(both.client, a, a);
	SSL_set_bio(both.server, b, b);
	if (strchr("0123456789:", host[0]) != NULL)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(both.client), host);
	else
		SSL_set1_host(both.client, host);
	SSL_set_alpn_protos(both.client, (const unsigned char *)"\x02h2\x08http/1.1",
			    12);
	SSL_set_connect_state(both.client);
	SSL_set_accept_state(both.server);
	for (int i = 0; i < 10; i++) {
		(void)SSL_do_handshake(both.client);
		(void)SSL_do_handshake(both.server);
	}
	return both;
}

static void handshake_end(struct handshake *both)
{
	SSL_free(both->client);
	SSL_free(both->server);
}

START_TEST(tls_makes_a_certificate_for_every_name_of_an_api_server_on_this_machine)
{
	static const struct {
		const char *host;
		bool is_served;
	} rows[] = {
		{ "localhost", true },
		{ "kubernetes", true },
		{ "kubernetes.default", true },
		{ "kubernetes.default.svc", true },
		{ "127.0.0.1", true },
		{ "::1", true },
		{ "example.com", false },
		{ "127.0.0.2", false },
		{ "a.kubernetes.default", false },
	};
	char *ca_pem;
	SSL_CTX *server = create_own(&ca_pem), *client = create_client(ca_pem);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct handshake both = handshake(server, client, rows[i].host);

		ck_assert_msg(SSL_is_init_finished(both.client) == rows[i].is_served,
			      "%s: %s", rows[i].host,
			      X509_verify_cert_error_string(
				      SSL_get_verify_result(both.client)));
		handshake_end(&both);
	}
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	free(ca_pem);
}
END_TEST

START_TEST(tls_sends_the_chain_and_chooses_http2)
{
	char *ca_pem;
	SSL_CTX *server = create_own(&ca_pem), *client = create_client(ca_pem);
	struct handshake both = handshake(server, client, "localhost");
	const unsigned char *protocol;
	unsigned n;

	ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(both.client)), 2);
	SSL_get0_alpn_selected(both.client, &protocol, &n);
	ck_assert_slice(slice_make((const char *)protocol, n), "h2");
	handshake_end(&both);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	free(ca_pem);
}
END_TEST

START_TEST(tls_takes_1_2_and_nothing_older)
{
	char *ca_pem;
	SSL_CTX *server = create_own(&ca_pem), *client = create_client(ca_pem);
	struct handshake both;

	SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION);
	both = handshake(server, client, "localhost");
	ck_assert(SSL_is_init_finished(both.client));
	handshake_end(&both);
	SSL_CTX_set_security_level(client, 0);
	SSL_CTX_set_max_proto_version(client, TLS1_1_VERSION);
	both = handshake(server, client, "localhost");
	ck_assert(!SSL_is_init_finished(both.client));
	handshake_end(&both);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	free(ca_pem);
}
END_TEST

START_TEST(tls_makes_another_ca_at_each_start)
{
	char *first_pem, *second_pem;
	SSL_CTX *first = create_own(&first_pem), *second = create_own(&second_pem);
	SSL_CTX *client = create_client(first_pem);
	struct handshake both = handshake(second, client, "localhost");

	ck_assert_str_ne(first_pem, second_pem);
	ck_assert(!SSL_is_init_finished(both.client));
	handshake_end(&both);
	SSL_CTX_free(client);
	SSL_CTX_free(first);
	SSL_CTX_free(second);
	free(first_pem);
	free(second_pem);
}
END_TEST

START_TEST(tls_serves_the_files_of_the_user)
{
	struct scratch scratch = scratch_make();
	struct net_conf conf = { .certificate = scratch.certificate,
				 .key = scratch.key };
	char *ca_pem, *none = (char *)"untouched";
	SSL_CTX *own = create_own(&ca_pem), *given = NULL;
	struct err err = { "" };

	scratch_fill(&scratch, own);
	ck_assert_msg(tls_create(&given, &none, &conf, &err) == 0, "%s", err.text);
	ck_assert_ptr_null(none);
	ck_assert_int_eq(X509_cmp(SSL_CTX_get0_certificate(given),
				  SSL_CTX_get0_certificate(own)),
			 0);
	SSL_CTX_free(given);
	SSL_CTX_free(own);
	free(ca_pem);
	scratch_remove(&scratch);
}
END_TEST

START_TEST(tls_refuses_files_that_make_no_certificate_with_its_key)
{
	struct scratch scratch = scratch_make(), other = scratch_make();
	char *ca_pem, *other_pem, *out;
	SSL_CTX *own = create_own(&ca_pem), *stranger = create_own(&other_pem), *ctx;
	const struct net_conf rows[] = {
		{ .certificate = scratch.certificate, .key = "" },
		{ .certificate = "", .key = scratch.key },
		{ .certificate = scratch.certificate, .key = other.key },
		{ .certificate = scratch.key, .key = scratch.key },
		{ .certificate = "/nonexistent", .key = scratch.key },
		{ .certificate = scratch.certificate, .key = "/nonexistent" },
	};

	scratch_fill(&scratch, own);
	scratch_fill(&other, stranger);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = { "" };

		ck_assert_int_eq(tls_create(&ctx, &out, &rows[i], &err), -EINVAL);
		ck_assert_str_ne(err.text, "");
	}
	SSL_CTX_free(own);
	SSL_CTX_free(stranger);
	free(ca_pem);
	free(other_pem);
	scratch_remove(&scratch);
	scratch_remove(&other);
}
END_TEST

UNIT_MAIN("net/tls",
	  tls_makes_a_certificate_for_every_name_of_an_api_server_on_this_machine,
	  tls_sends_the_chain_and_chooses_http2, tls_takes_1_2_and_nothing_older,
	  tls_makes_another_ca_at_each_start, tls_serves_the_files_of_the_user,
	  tls_refuses_files_that_make_no_certificate_with_its_key)
