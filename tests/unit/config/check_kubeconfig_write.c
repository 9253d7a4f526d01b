#include <errno.h>
#include <sys/stat.h>

#include "config/kubeconfig.h"
#include "proxy/base/file.h"
#include "tests/unit/scratch.h"

#define PEM "-----BEGIN X-----\nsEcReT\n-----END X-----\n"
#define URL "https://127.0.0.1:7443"

static struct arena *arena;
static struct err err;

/* What a kubeconfig written for given leads to. */
static struct cluster write_and_load(const struct cluster *given, const char *ca_pem)
{
	struct cluster back;
	struct stat stat_of_kc;
	int rc;

	rc = kubeconfig_write("kc", URL, ca_pem, given, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	ck_assert_int_eq(stat("kc", &stat_of_kc), 0);
	ck_assert_uint_eq(stat_of_kc.st_mode & 07777, 0600);
	rc = kubeconfig_load(&back, arena, "kc", NULL, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	return back;
}

static void begin(void)
{
	arena = arena_create();
	scratch_enter();
}

static void end(void)
{
	scratch_leave();
	arena_destroy(arena);
}

static void check_text(const char *have, const char *want)
{
	ck_assert(!have == !want);
	if (want)
		ck_assert_str_eq(have, want);
}

START_TEST(a_kubeconfig_is_written_in_one_shape)
{
	const struct cluster given = {
		.server = "https://10.96.0.1:443",
		.ca_pem = PEM,
		.token = "t",
		.token_file = "/run/token",
		.namespace = "foo",
	};
	struct slice text;

	begin();
	ck_assert_int_eq(kubeconfig_write("kc", URL, "CA", &given, &err), 0);
	ck_assert_int_eq(file_read(&text, arena, "kc", 65536, &err), 0);
	ck_assert_slice(text, "apiVersion: \"v1\"\n"
			      "kind: \"Config\"\n"
			      "current-context: \"ringside\"\n"
			      "clusters:\n"
			      "- name: \"ringside\"\n"
			      "  cluster:\n"
			      "    server: \"https://127.0.0.1:7443\"\n"
			      "    certificate-authority-data: \"Q0E=\"\n"
			      "contexts:\n"
			      "- name: \"ringside\"\n"
			      "  context:\n"
			      "    cluster: \"ringside\"\n"
			      "    user: \"ringside\"\n"
			      "    namespace: \"foo\"\n"
			      "users:\n"
			      "- name: \"ringside\"\n"
			      "  user:\n"
			      "    token: \"t\"\n"
			      "    tokenFile: \"/run/token\"\n");
	end();
}
END_TEST

START_TEST(what_is_written_leads_to_the_proxy_with_the_same_credentials)
{
	static const struct cluster cases[] = {
		{ .server = "https://up" },
		{ .server = "https://up", .token = "123" },
		{ .server = "https://up",
		  .token = "a: 'b' \"c\" #d\\{}[]&*!|>%@`\xc3\xa9" },
		{ .server = "https://up", .token = "null" },
		{ .server = "https://up", .token_file = "/run/secrets/t o k e n" },
		{ .server = "https://up", .certificate_pem = PEM, .key_pem = PEM "2" },
		{ .server = "https://up",
		  .certificate_file = "/c",
		  .key_file = "/k",
		  .namespace = "ns" },
	};

	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cluster back = write_and_load(&cases[i], PEM "3");

		ck_assert_str_eq(back.server, URL);
		ck_assert_str_eq(back.ca_pem, PEM "3");
		ck_assert_ptr_null(back.ca_file);
		check_text(back.token, cases[i].token);
		check_text(back.token_file, cases[i].token_file);
		check_text(back.certificate_pem, cases[i].certificate_pem);
		check_text(back.certificate_file, cases[i].certificate_file);
		check_text(back.key_pem, cases[i].key_pem);
		check_text(back.key_file, cases[i].key_file);
		check_text(back.namespace, cases[i].namespace);
	}
	end();
}
END_TEST

START_TEST(without_tls_there_is_no_ca)
{
	const struct cluster given = { .server = "https://up", .token = "t" };

	begin();
	ck_assert_ptr_null(write_and_load(&given, "").ca_pem);
	ck_assert_ptr_null(write_and_load(&given, NULL).ca_pem);
	end();
}
END_TEST

START_TEST(values_win_over_files_as_when_they_are_read)
{
	const struct cluster given = {
		.server = "https://up",
		.certificate_pem = PEM,
		.certificate_file = "/c",
		.key_pem = PEM,
		.key_file = "/k",
	};
	struct cluster back;

	begin();
	back = write_and_load(&given, PEM);
	ck_assert_str_eq(back.certificate_pem, PEM);
	ck_assert_ptr_null(back.certificate_file);
	ck_assert_ptr_null(back.key_file);
	end();
}
END_TEST

START_TEST(a_long_token_stays_in_one_piece)
{
	struct cluster given = { .server = "https://up" };
	char *token;

	begin();
	token = arena_alloc(arena, 100001);
	for (int i = 0; i < 100000; i++)
		token[i] = "abc def."[i % 8];
	given.token = token;
	ck_assert_str_eq(write_and_load(&given, PEM).token, token);
	end();
}
END_TEST

START_TEST(a_failed_write_changes_nothing_and_tells_no_secret)
{
	struct cluster given = { .server = "https://up", .token = "sEcReT\xff" };
	struct slice text;

	begin();
	scratch_write("kc", "former");
	ck_assert_int_eq(kubeconfig_write("kc", URL, PEM, &given, &err), -EINVAL);
	ck_assert_str_eq(err.text,
			 "kc: cannot be written: a text of the credentials is "
			 "too long or no UTF-8");
	given.token = "sEcReT";
	ck_assert_int_eq(kubeconfig_write("none/kc", URL, PEM, &given, &err), -ENOENT);
	ck_assert_str_eq(err.text,
			 "none/kc: cannot be written: No such file or directory");
	ck_assert_int_eq(file_read(&text, arena, "kc", 100, &err), 0);
	ck_assert_slice(text, "former");
	ck_assert_int_eq(scratch_count(), 1);
	end();
}
END_TEST

UNIT_MAIN("config/kubeconfig_write", a_kubeconfig_is_written_in_one_shape,
	  what_is_written_leads_to_the_proxy_with_the_same_credentials,
	  without_tls_there_is_no_ca, values_win_over_files_as_when_they_are_read,
	  a_long_token_stays_in_one_piece,
	  a_failed_write_changes_nothing_and_tells_no_secret)
