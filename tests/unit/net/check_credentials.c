#include <errno.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#include "proxy/net/credentials.h"
#include "tests/unit/unit.h"

static char path[] = "/tmp/ringside-token-XXXXXX";

static void write_token(const char *token)
{
	static int version;
	struct timeval times[2] = { { ++version, 0 }, { version, 0 } };
	FILE *file = fopen(path, "w");

	fputs(token, file);
	fclose(file);
	/* Two writes within one tick of the file system's clock look alike. */
	ck_assert_int_eq(utimes(path, times), 0);
}

START_TEST(credentials_take_an_api_servers_url_apart)
{
	static const struct {
		struct cluster cluster;
		const char *url;
		const char *prefix;
		const char *to; /* NULL: nowhere else */
	} rows[] = {
		{ { .server = "https://10.0.0.1" }, "https://10.0.0.1:443", "", NULL },
		{ { .server = "https://a:6443/" }, "https://a:6443", "", NULL },
		{ { .server = "http://[::1]:80/k8s/c//" },
		  "http://[::1]:80",
		  "/k8s/c",
		  NULL },
		{ { .server = "https://10.0.0.1:1", .tls_server_name = "kubernetes" },
		  "https://kubernetes:1",
		  "",
		  "::10.0.0.1:1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct credentials credentials;
		struct err err;

		ck_assert_int_eq(credentials_init(&credentials, &rows[i].cluster, &err),
				 0);
		ck_assert_str_eq(credentials.url, rows[i].url);
		ck_assert_str_eq(credentials.prefix, rows[i].prefix);
		ck_assert_pstr_eq(credentials.connect_to ? credentials.connect_to->data
							 : NULL,
				  rows[i].to);
		credentials_finish(&credentials);
	}
}
END_TEST

START_TEST(credentials_refuse_a_server_that_is_no_http_url)
{
	static const char *const servers[] = { "", "ftp://a", "https://", "a b" };

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		struct cluster cluster = { .server = servers[i] };
		struct credentials credentials;
		struct err err = { "" };

		ck_assert_int_eq(credentials_init(&credentials, &cluster, &err),
				 -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, servers[i]));
	}
}
END_TEST

START_TEST(credentials_read_a_token_file_again_when_it_changes)
{
	struct cluster cluster = { .server = "http://a", .token_file = path };
	struct credentials credentials;
	struct err err;

	close(mkstemp(path));
	ck_assert_int_eq(credentials_init(&credentials, &cluster, &err), 0);
	write_token("first\n");
	ck_assert_str_eq(credentials_header(&credentials, &err),
			 "Authorization: Bearer first");
	write_token("second");
	ck_assert_str_eq(credentials_header(&credentials, &err),
			 "Authorization: Bearer second");
	ck_assert_str_eq(err.text, "");
	/* What cannot be a token leaves the last one in force, and is told. */
	write_token("two\nlines");
	ck_assert_str_eq(credentials_header(&credentials, &err),
			 "Authorization: Bearer second");
	ck_assert_ptr_nonnull(strstr(err.text, path));
	unlink(path);
	ck_assert_str_eq(credentials_header(&credentials, &err),
			 "Authorization: Bearer second");
	ck_assert_str_ne(err.text, "");
	credentials_finish(&credentials);
}
END_TEST

START_TEST(credentials_have_no_header_without_a_token)
{
	struct cluster cluster = { .server = "http://a" };
	struct credentials credentials;
	struct err err;

	ck_assert_int_eq(credentials_init(&credentials, &cluster, &err), 0);
	ck_assert_ptr_null(credentials_header(&credentials, &err));
	credentials_finish(&credentials);
	cluster.token = "from the kubeconfig";
	ck_assert_int_eq(credentials_init(&credentials, &cluster, &err), 0);
	ck_assert_str_eq(credentials_header(&credentials, &err),
			 "Authorization: Bearer from the kubeconfig");
	credentials_finish(&credentials);
}
END_TEST

UNIT_MAIN("net/credentials", credentials_take_an_api_servers_url_apart,
	  credentials_refuse_a_server_that_is_no_http_url,
	  credentials_read_a_token_file_again_when_it_changes,
	  credentials_have_no_header_without_a_token)
