#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "proxy/base/file.h"
#include "proxy/net/identity.h"
#include "tests/unit/scratch.h"

static struct err err;

static struct identity create(const char *file)
{
	struct identity identity;

	ck_assert_msg(identity_create(&identity, file, &err) == 0, "%s", err.text);
	ck_assert_int_eq(X509_check_private_key(identity.certificate, identity.key), 1);
	ck_assert_int_eq(
		X509_verify(identity.certificate, X509_get0_pubkey(identity.ca)), 1);
	return identity;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return X509_cmp(a->certificate, b->certificate) == 0 &&
	       X509_cmp(a->ca, b->ca) == 0 && EVP_PKEY_eq(a->key, b->key) == 1;
}

START_TEST(what_is_kept_nowhere_is_another_at_each_start)
{
	struct identity first = create(""), second = create("");

	ck_assert(!is_same(&first, &second));
	ck_assert_int_ne(X509_cmp(first.ca, second.ca), 0);
	identity_finish(&first);
	identity_finish(&second);
}
END_TEST

START_TEST(what_is_kept_in_a_file_is_the_same_at_the_next_start)
{
	struct identity first, second;
	struct stat of_file;

	scratch_enter();
	umask(0);
	first = create("kept.pem");
	second = create("kept.pem");
	ck_assert(is_same(&first, &second));
	ck_assert_int_eq(stat("kept.pem", &of_file), 0);
	ck_assert_uint_eq(of_file.st_mode & 07777, 0600);
	identity_finish(&first);
	identity_finish(&second);
	scratch_leave();
}
END_TEST

/* Keeps a certificate like one of ours, but until `seconds` from now. */
static void keep_until(const char *file, long seconds)
{
	struct identity made = create("");
	FILE *out = fopen(file, "w");

	X509_gmtime_adj(X509_getm_notAfter(made.certificate), seconds);
	X509_set_pubkey(made.ca, made.key); /* so that we can sign in the CA's name */
	ck_assert_int_gt(X509_sign(made.certificate, made.key, EVP_sha256()), 0);
	ck_assert_int_gt(X509_sign(made.ca, made.key, EVP_sha256()), 0);
	PEM_write_PrivateKey(out, made.key, NULL, NULL, 0, NULL, NULL);
	PEM_write_X509(out, made.certificate);
	PEM_write_X509(out, made.ca);
	fclose(out);
	identity_finish(&made);
}

START_TEST(what_has_expired_is_replaced)
{
	static const struct {
		long seconds;
		bool is_kept;
	} rows[] = { { 3600, true }, { -1, false } };

	scratch_enter();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_create();
		struct slice before, after;
		struct identity identity;

		keep_until("kept.pem", rows[i].seconds);
		ck_assert_int_eq(file_read(&before, arena, "kept.pem", 65536, &err), 0);
		identity = create("kept.pem");
		ck_assert_int_eq(file_read(&after, arena, "kept.pem", 65536, &err), 0);
		ck_assert_int_eq(slice_eq(before, after), rows[i].is_kept);
		ck_assert_int_gt(
			X509_cmp_current_time(X509_get0_notAfter(identity.certificate)),
			0);
		identity_finish(&identity);
		arena_destroy(arena);
	}
	scratch_leave();
}
END_TEST

/* A file with the parts of two others, each cut at a line that starts a part. */
static void mix(struct arena *arena, const char *key_of, const char *rest_of)
{
	struct slice key, rest;
	FILE *out = fopen("kept.pem", "w");
	const char *end = "-----END PRIVATE KEY-----\n";

	ck_assert_int_eq(file_read(&key, arena, key_of, 65536, &err), 0);
	ck_assert_int_eq(file_read(&rest, arena, rest_of, 65536, &err), 0);
	fwrite(key.data, 1, (size_t)(strstr(key.data, end) - key.data) + strlen(end),
	       out);
	fputs(strstr(rest.data, end) + strlen(end), out);
	fclose(out);
}

START_TEST(a_file_that_holds_something_else_is_an_error_and_stays)
{
	static const char *const texts[] = { "", "garbage",
					     "-----BEGIN CERTIFICATE-----",
					     "-----BEGIN PRIVATE KEY-----\nAAAA\n" };
	struct arena *arena = arena_create();
	struct identity out = { 0 }, a, b;

	scratch_enter();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct slice after;

		scratch_write("kept.pem", texts[i]);
		ck_assert_int_eq(identity_create(&out, "kept.pem", &err), -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "kept.pem: expected the key"));
		ck_assert_int_eq(file_read(&after, arena, "kept.pem", 65536, &err), 0);
		ck_assert_slice(after, texts[i]);
	}
	a = create("a.pem");
	b = create("b.pem");
	mix(arena, "a.pem", "b.pem");
	ck_assert_int_eq(identity_create(&out, "kept.pem", &err), -EINVAL);
	mix(arena, "a.pem", "a.pem");
	ck_assert_int_eq(identity_create(&out, "kept.pem", &err), 0);
	identity_finish(&out);
	ck_assert_int_eq(identity_create(&out, "none/kept.pem", &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "none/kept.pem"));
	identity_finish(&a);
	identity_finish(&b);
	arena_destroy(arena);
	scratch_leave();
}
END_TEST

UNIT_MAIN("net/identity", what_is_kept_nowhere_is_another_at_each_start,
	  what_is_kept_in_a_file_is_the_same_at_the_next_start,
	  what_has_expired_is_replaced,
	  a_file_that_holds_something_else_is_an_error_and_stays)
