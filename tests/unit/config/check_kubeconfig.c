#include "config/kubeconfig.h"

#include <errno.h>

#include "proxy/base/buf.h"
#include "tests/unit/scratch.h"

#define PEM "-----BEGIN X-----\nsEcReT\n-----END X-----\n"
/* PEM in base64. */
#define DATA "LS0tLS1CRUdJTiBYLS0tLS0Kc0VjUmVUCi0tLS0tRU5EIFgtLS0tLQo="

/* Everything that a kubeconfig may say to us, at its place. */
#define CONFIG(cluster, user) \
	"apiVersion: v1\n" \
	"kind: Config\n" \
	"current-context: dev\n" \
	"contexts:\n" \
	"- name: other\n" \
	"  context: {cluster: none}\n" \
	"- name: dev\n" \
	"  context: {cluster: c, user: u}\n" \
	"clusters:\n" \
	"- name: c\n" \
	"  cluster: " cluster "\n" \
	"users:\n" \
	"- name: u\n" \
	"  user: " user "\n"

static struct arena *arena;
static struct cluster cluster;
static struct err err;

static int load_bytes(struct slice text, const char *context)
{
	int rc;

	arena_destroy(arena);
	arena = arena_create();
	err.text[0] = '\0';
	scratch_enter();
	scratch_write_bytes("kc", text);
	rc = kubeconfig_load(&cluster, arena, "kc", context, &err);
	scratch_leave();
	return rc;
}

static void load(const char *text, const char *context)
{
	int rc = load_bytes(slice_of(text), context);

	ck_assert_msg(rc == 0, "'%s' gives %s", text, err.text);
}

static void end(void)
{
	arena_destroy(arena);
	arena = NULL;
}

START_TEST(a_kubeconfig_names_the_server_and_the_credentials)
{
	load("current-context: dev\n"
	     "contexts:\n"
	     "- context: {cluster: c, user: u, namespace: foo}\n"
	     "  name: dev\n"
	     "clusters:\n"
	     "- cluster:\n"
	     "    server: https://10.96.0.1:443/\n"
	     "    certificate-authority: pki/ca.crt\n"
	     "    certificate-authority-data: " DATA "\n"
	     "    tls-server-name: kubernetes\n"
	     "    extensions: [{name: x, extension: {}}]\n"
	     "  name: c\n"
	     "users:\n"
	     "- user:\n"
	     "    token: t0k3n\n"
	     "    tokenFile: /run/token\n"
	     "    client-certificate: crt\n"
	     "    client-certificate-data: " DATA "\n"
	     "    client-key: ../key\n"
	     "    client-key-data: |\n"
	     "      LS0tLS1CRUdJTiBYLS0tLS0K\n"
	     "      c0VjUmVUCi0tLS0tRU5EIFgtLS0tLQo=\n"
	     "    username: \"\"\n"
	     "    auth-provider: null\n"
	     "    as-groups: []\n"
	     "  name: u\n",
	     NULL);
	ck_assert_str_eq(cluster.server, "https://10.96.0.1:443");
	ck_assert_str_eq(cluster.ca_pem, PEM);
	ck_assert_str_eq(cluster.tls_server_name, "kubernetes");
	ck_assert(!cluster.is_insecure);
	ck_assert_str_eq(cluster.token, "t0k3n");
	ck_assert_str_eq(cluster.token_file, "/run/token");
	ck_assert_str_eq(cluster.certificate_pem, PEM);
	ck_assert_str_eq(cluster.key_pem, PEM);
	ck_assert_str_eq(cluster.namespace, "foo");
	/* Relative to the kubeconfig's folder, which is where we stood. */
	ck_assert_str_eq(cluster.ca_file,
			 arena_printf(arena, "%s/pki/ca.crt", scratch_folder));
	ck_assert_str_eq(cluster.certificate_file,
			 arena_printf(arena, "%s/crt", scratch_folder));
	ck_assert_str_eq(cluster.key_file,
			 arena_printf(arena, "%s/../key", scratch_folder));
	end();
}
END_TEST

START_TEST(what_a_kubeconfig_does_not_say_is_null)
{
	load(CONFIG("{server: 'http://[::1]:8001'}", "{}"), "");
	ck_assert_str_eq(cluster.server, "http://[::1]:8001");
	ck_assert_ptr_null(cluster.tls_server_name);
	ck_assert_ptr_null(cluster.ca_pem);
	ck_assert_ptr_null(cluster.ca_file);
	ck_assert_ptr_null(cluster.token);
	ck_assert_ptr_null(cluster.token_file);
	ck_assert_ptr_null(cluster.certificate_pem);
	ck_assert_ptr_null(cluster.certificate_file);
	ck_assert_ptr_null(cluster.key_pem);
	ck_assert_ptr_null(cluster.key_file);
	ck_assert_ptr_null(cluster.namespace);
	end();
}
END_TEST

START_TEST(another_context_may_be_asked_for)
{
	static const char text[] =
		"current-context: a\n"
		"contexts: [{name: a, context: {cluster: c, user: u}},\n"
		"           {name: b, context: {cluster: d}}]\n"
		"clusters: [{name: c, cluster: {server: 'https://c'}},\n"
		"           {name: d, cluster: {server: 'https://d/k8s/x',\n"
		"                               insecure-skip-tls-verify: true}}]\n"
		"users: [{name: u, user: {token: t}}]\n";

	load(text, NULL);
	ck_assert_str_eq(cluster.server, "https://c");
	ck_assert_str_eq(cluster.token, "t");
	load(text, "b");
	ck_assert_str_eq(cluster.server, "https://d/k8s/x");
	ck_assert(cluster.is_insecure);
	ck_assert_ptr_null(cluster.token);
	ck_assert_int_eq(load_bytes(slice_of(text), "c"), -EINVAL);
	ck_assert_str_eq(err.text, "kc:1:1: context 'c' is not among contexts");
	end();
}
END_TEST

START_TEST(a_kubeconfig_may_be_json)
{
	load("{\"apiVersion\":\"v1\",\"kind\":\"Config\",\"current-context\":\"a\","
	     "\"contexts\":[{\"name\":\"a\",\"context\":{\"cluster\":\"c\","
	     "\"user\":\"u\"}}],\n\t\"clusters\":[{\"name\":\"c\",\"cluster\":"
	     "{\"server\":\"https:\\/\\/c\"}}],\"preferences\":{},"
	     "\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"123\"}}]}",
	     NULL);
	ck_assert_str_eq(cluster.server, "https://c");
	ck_assert_str_eq(cluster.token, "123");
	end();
}
END_TEST

struct refusal {
	const char *text;
	const char *message;
};

static void check_refusals(const struct refusal *cases, size_t n)
{
	memset(&cluster, 0, sizeof(cluster));
	for (size_t i = 0; i < n; i++) {
		int rc = load_bytes(slice_of(cases[i].text), NULL);

		ck_assert_msg(rc == -EINVAL, "'%s' gives %d", cases[i].text, rc);
		ck_assert_str_eq(err.text, cases[i].message);
		ck_assert_ptr_null(cluster.server);
	}
	end();
}

#define CONTEXT(context) \
	"current-context: a\n" \
	"contexts: [{name: a, context: " context "}]\n"
#define CLUSTERS "clusters: [{name: c, cluster: {}}]\n"
#define GOOD "{server: 'https://c'}"
#define SERVER_EXPECTED \
	"server: expected a URL such as https://10.96.0.1:443, without user and query"
#define INSTEAD "expected token, tokenFile, or client-certificate and client-key"

START_TEST(a_context_is_refused_at_the_place)
{
	static const struct refusal cases[] = {
		{ "", "kc:1:1: no context is chosen: expected current-context, or the "
		      "option upstream.context" },
		{ "[]", "kc:1:1: expected a mapping, found a list" },
		{ "current-context: a\n",
		  "kc:1:18: context 'a' is not among contexts" },
		{ "current-context: a\ncontexts: {}\n",
		  "kc:2:11: contexts: expected a list, found a mapping" },
		{ "current-context: a\ncontexts: [a, {name: a}]\n",
		  "kc:2:15: 'context' is missing" },
		{ CONTEXT("b"), "kc:2:31: context: expected a mapping, found text" },
		{ CONTEXT("{}"), "kc:2:31: 'cluster' is missing" },
		{ CONTEXT("{cluster: c}"),
		  "kc:2:41: cluster 'c' is not among clusters" },
		{ CONTEXT("{namespace: A/b}"),
		  "kc:2:43: namespace: expected a DNS label: lower case letters, "
		  "digits, and '-' in between, at most 63" },
		{ CONTEXT("{cluster: c, user: u}") CLUSTERS "users: [{name: u}]\n",
		  "kc:4:9: 'user' is missing" },
		{ CONTEXT("{cluster: c, user: v}") CLUSTERS,
		  "kc:2:50: user 'v' is not among users" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(a_cluster_is_refused_at_the_place)
{
	static const struct refusal cases[] = {
		{ CONFIG("{}", "{}"), "kc:11:12: 'server' is missing: expected a URL "
				      "such as https://10.96.0.1:443" },
		{ CONFIG("{server: 'c:443'}", "{}"), "kc:11:21: " SERVER_EXPECTED },
		{ CONFIG("{server: 'https://'}", "{}"), "kc:11:21: " SERVER_EXPECTED },
		{ CONFIG("{server: 'https:///x'}", "{}"),
		  "kc:11:21: " SERVER_EXPECTED },
		{ CONFIG("{server: 'https://a:b@c'}", "{}"),
		  "kc:11:21: " SERVER_EXPECTED },
		{ CONFIG("{server: 'https://c?x'}", "{}"),
		  "kc:11:21: " SERVER_EXPECTED },
		{ CONFIG("{server: \"https://c\\r\\nx\"}", "{}"),
		  "kc:11:21: server: expected one line without control characters" },
		{ CONFIG("{server: 'https://c', proxy-url: 'http://p'}", "{}"),
		  "kc:11:34: proxy-url is not supported; expected a server that is "
		  "reached directly" },
		{ CONFIG("{server: 'https://c', insecure-skip-tls-verify: yes}", "{}"),
		  "kc:11:60: insecure-skip-tls-verify: expected true or false" },
		{ CONFIG("{server: 'https://c', insecure-skip-tls-verify: true, "
			 "certificate-authority: ca}",
			 "{}"),
		  "kc:11:60: insecure-skip-tls-verify and a certificate authority "
		  "exclude each other" },
		{ CONFIG("{server: 'https://c', certificate-authority-data: 'a b'}",
			 "{}"),
		  "kc:11:62: certificate-authority-data: expected base64" },
		{ CONFIG("{server: 'https://c', certificate-authority-data: Zm9v}",
			 "{}"),
		  "kc:11:62: certificate-authority-data: expected PEM text in base64" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(a_user_is_refused_at_the_place)
{
	static const struct refusal cases[] = {
		{ CONFIG(GOOD, "{exec: {command: aws}}"),
		  "kc:14:10: exec is not supported; " INSTEAD },
		{ CONFIG(GOOD, "{auth-provider: {name: gcp}}"),
		  "kc:14:10: auth-provider is not supported; " INSTEAD },
		{ CONFIG(GOOD, "{username: a, password: b}"),
		  "kc:14:10: username is not supported; " INSTEAD },
		{ CONFIG(GOOD, "{password: b}"),
		  "kc:14:10: password is not supported; " INSTEAD },
		{ CONFIG(GOOD, "{token: t, as: admin}"),
		  "kc:14:20: as is not supported; " INSTEAD },
		{ CONFIG(GOOD, "{token: t, as-groups: [g]}"),
		  "kc:14:20: as-groups is not supported; " INSTEAD },
		{ CONFIG(GOOD, "{token: \"a\\nb\"}"),
		  "kc:14:17: token: expected one line without control characters" },
		{ CONFIG(GOOD, "{token: [a]}"),
		  "kc:14:17: token: expected text, found a list" },
		{ CONFIG(GOOD, "{client-certificate: a}"),
		  "kc:14:9: client-certificate and client-key belong together: "
		  "expected both or none" },
		{ CONFIG(GOOD, "{client-key-data: " DATA "}"),
		  "kc:14:9: client-certificate and client-key belong together: "
		  "expected both or none" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(a_kubeconfig_is_bounded_and_one_file)
{
	static char large[(1 << 20) + 1];

	memset(large, ' ', sizeof(large));
	ck_assert_int_eq(load_bytes(slice_make(large, sizeof(large)), NULL), -EFBIG);
	ck_assert_int_eq(kubeconfig_load(&cluster, arena, "/no/a:/no/b", NULL, &err),
			 -ENOENT);
	ck_assert_str_eq(err.text,
			 "/no/a:/no/b: there is no such file; several kubeconfigs are "
			 "not merged: expected one");
	ck_assert_int_eq(kubeconfig_load(&cluster, arena, "/no/a", NULL, &err),
			 -ENOENT);
	ck_assert_str_eq(err.text,
			 "/no/a: cannot be opened: No such file or directory");
	end();
}
END_TEST

/* no_secrets: neither as it stands nor decoded, in whatever the error is. */
static void check_no_secret(void)
{
	ck_assert_msg(!strstr(err.text, "sEcReT") && !strstr(err.text, "c0VjUmVU"),
		      "told: %s", err.text);
}

START_TEST(no_secrets)
{
	static const char *const users[] = {
		"{token: [sEcReT]}",
		"{token: {sEcReT: 1}}",
		"{token: \"sEcReT\\n\"}",
		"{token: *sEcReT}",
		"{token: !sEcReT x}",
		"{token: sEcReT, token: sEcReT}",
		"{token: \"sEcReT",
		"{token: sEcReT, client-key-data: c0VjUmVU!}",
		"{token: sEcReT, client-key-data: c0VjUmVU}",
		"{client-certificate-data: sEcReT, client-key-data: " DATA "}",
		"{client-key-data: " DATA "}",
		"{username: sEcReT, password: sEcReT}",
		"{password: sEcReT}",
		"{exec: {command: c, env: [{name: TOKEN, value: sEcReT}]}}",
		"{auth-provider: {config: {access-token: sEcReT}}}",
		"{token: sEcReT, as: sEcReT}",
		"sEcReT",
		"[sEcReT]",
	};

	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		struct buf text;

		buf_init(&text, 65536);
		buf_printf(&text, CONFIG(GOOD, "%s"), users[i]);
		ck_assert_msg(load_bytes(buf_slice(&text), NULL) < 0, "%s", users[i]);
		check_no_secret();
		buf_finish(&text);
	}
	ck_assert_int_lt(
		load_bytes(slice_of(CONFIG("{server: 'https://u:sEcReT@c'}", "{}")),
			   NULL),
		0);
	check_no_secret();
	end();
}
END_TEST

START_TEST(no_secrets_whatever_is_damaged)
{
	static const char text[] =
		CONFIG(GOOD, "{token: sEcReT, client-certificate-data: " DATA
			     ", client-key-data: " DATA "}");
	static const char bytes[] = "\0\n\t :,[]{}\"'#&*!|>%@`-?\x7f\xff";
	char damaged[sizeof(text)];

	load(text, NULL);
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		if (load_bytes(slice_make(text, at), NULL) < 0)
			check_no_secret();
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			memcpy(damaged, text, sizeof(text));
			damaged[at] = bytes[i];
			if (load_bytes(slice_make(damaged, sizeof(text) - 1), NULL) < 0)
				check_no_secret();
		}
	}
	end();
}
END_TEST

UNIT_MAIN("config/kubeconfig", a_kubeconfig_names_the_server_and_the_credentials,
	  what_a_kubeconfig_does_not_say_is_null, another_context_may_be_asked_for,
	  a_kubeconfig_may_be_json, a_context_is_refused_at_the_place,
	  a_cluster_is_refused_at_the_place, a_user_is_refused_at_the_place,
	  a_kubeconfig_is_bounded_and_one_file, no_secrets,
	  no_secrets_whatever_is_damaged)
