#include "config/kubeconfig.h"

#include <errno.h>

#include "config/base64.h"
#include "config/names.h"
#include "config/node.h"
#include "proxy/base/file.h"

#define KUBECONFIG_BYTES_MAX (1 << 20)

/* A kubeconfig while it is read. */
struct kubeconfig {
	struct arena *arena;
	char *folder; /* absolute: what relative file names start from */
	const struct node *root;
};

/* kubectl takes empty values for absent ones, and writes them. */
static bool is_absent(const struct node *node)
{
	return !node || node->is_null ||
	       (node->type == NODE_SCALAR ? node->text.len == 0 : !node->first);
}

/* Into *out the text under key; NULL when it is absent. */
static int read_text(const struct node *mapping, const char *key, const char **out,
		     struct err *err)
{
	const struct node *node = node_get(mapping, key);
	int rc;

	*out = NULL;
	if (is_absent(node))
		return 0;
	if ((rc = node_expect(node, NODE_SCALAR, err)) < 0)
		return rc;
	for (size_t i = 0; i < node->text.len; i++)
		if ((unsigned char)node->text.data[i] < ' ' ||
		    node->text.data[i] == 0x7f)
			return place_error(&node->place, err,
					   "%s: expected one line without control "
					   "characters",
					   key);
	*out = node->text.data;
	return 0;
}

/* The name of a file; relative ones are taken from the kubeconfig's folder. */
static int read_file_name(const struct kubeconfig *kubeconfig,
			  const struct node *mapping, const char *key, const char **out,
			  struct err *err)
{
	int rc = read_text(mapping, key, out, err);

	if (rc == 0 && *out && (*out)[0] != '/')
		*out = arena_printf(kubeconfig->arena, "%s/%s", kubeconfig->folder,
				    *out);
	return rc;
}

/* PEM text that is given as base64. */
static int read_pem(const struct kubeconfig *kubeconfig, const struct node *mapping,
		    const char *key, const char **out, struct err *err)
{
	const struct node *node = node_get(mapping, key);
	struct slice pem;
	int rc;

	*out = NULL;
	if (is_absent(node))
		return 0;
	if ((rc = node_expect(node, NODE_SCALAR, err)) < 0)
		return rc;
	if (base64_decode(&pem, kubeconfig->arena, node->text) < 0)
		return place_error(&node->place, err, "%s: expected base64", key);
	if (slice_find(pem, '\0') >= 0 || !strstr(pem.data, "-----BEGIN "))
		return place_error(&node->place, err, "%s: expected PEM text in base64",
				   key);
	*out = pem.data;
	return 0;
}

static int read_bool(const struct node *mapping, const char *key, bool *out,
		     struct err *err)
{
	const struct node *node = node_get(mapping, key);

	*out = false;
	if (is_absent(node))
		return 0;
	if (!slice_is(node->text, "true") && !slice_is(node->text, "false"))
		return place_error(&node->place, err, "%s: expected true or false",
				   key);
	*out = slice_is(node->text, "true");
	return 0;
}

/* keys: NULL-terminated; what we cannot do must not be passed over. */
static int refuse_keys(const struct node *mapping, const char *const *keys,
		       const char *instead, struct err *err)
{
	for (; *keys; keys++) {
		const struct node *node = node_get(mapping, *keys);

		if (!is_absent(node))
			return place_error(&node->key_place, err,
					   "%s is not supported; expected %s", *keys,
					   instead);
	}
	return 0;
}

static int read_server(const struct kubeconfig *kubeconfig, const struct node *mapping,
		       const char **out, struct err *err)
{
	const struct node *node = node_get(mapping, "server");
	struct slice url, host;
	int rc = read_text(mapping, "server", out, err);

	if (rc < 0)
		return rc;
	if (!*out)
		return place_error(&mapping->place, err,
				   "'server' is missing: expected a URL such as "
				   "https://10.96.0.1:443");
	url = node->text;
	while (url.len > 0 && url.data[url.len - 1] == '/')
		url.len--;
	host = slice_from(url, slice_starts_with(url, "https://")  ? 8
			       : slice_starts_with(url, "http://") ? 7
								   : url.len);
	if (host.len == 0 || host.data[0] == '/' || slice_find(host, '@') >= 0 ||
	    slice_find(host, '?') >= 0 || slice_find(host, '#') >= 0 ||
	    slice_find(host, ' ') >= 0)
		return place_error(&node->place, err,
				   "server: expected a URL such as "
				   "https://10.96.0.1:443, without user and query");
	*out = arena_text(kubeconfig->arena, url);
	return 0;
}

static int read_cluster(const struct kubeconfig *kubeconfig, const struct node *mapping,
			struct cluster *out, struct err *err)
{
	static const char *const refused[] = { "proxy-url", NULL };
	int rc;

	if ((rc = refuse_keys(mapping, refused, "a server that is reached directly",
			      err)) < 0 ||
	    (rc = read_server(kubeconfig, mapping, &out->server, err)) < 0 ||
	    (rc = read_text(mapping, "tls-server-name", &out->tls_server_name, err)) <
		    0 ||
	    (rc = read_bool(mapping, "insecure-skip-tls-verify", &out->is_insecure,
			    err)) < 0 ||
	    (rc = read_file_name(kubeconfig, mapping, "certificate-authority",
				 &out->ca_file, err)) < 0 ||
	    (rc = read_pem(kubeconfig, mapping, "certificate-authority-data",
			   &out->ca_pem, err)) < 0)
		return rc;
	if (out->is_insecure && (out->ca_file || out->ca_pem))
		return place_error(
			&node_get(mapping, "insecure-skip-tls-verify")->place, err,
			"insecure-skip-tls-verify and a certificate authority exclude "
			"each other");
	return 0;
}

static int read_user(const struct kubeconfig *kubeconfig, const struct node *mapping,
		     struct cluster *out, struct err *err)
{
	static const char *const refused[] = {
		"exec",   "auth-provider", "username",      "password", "as",
		"as-uid", "as-groups",     "as-user-extra", NULL
	};
	int rc;

	if ((rc = refuse_keys(mapping, refused,
			      "token, tokenFile, or client-certificate and client-key",
			      err)) < 0 ||
	    (rc = read_text(mapping, "token", &out->token, err)) < 0 ||
	    (rc = read_file_name(kubeconfig, mapping, "tokenFile", &out->token_file,
				 err)) < 0 ||
	    (rc = read_file_name(kubeconfig, mapping, "client-certificate",
				 &out->certificate_file, err)) < 0 ||
	    (rc = read_pem(kubeconfig, mapping, "client-certificate-data",
			   &out->certificate_pem, err)) < 0 ||
	    (rc = read_file_name(kubeconfig, mapping, "client-key", &out->key_file,
				 err)) < 0 ||
	    (rc = read_pem(kubeconfig, mapping, "client-key-data", &out->key_pem,
			   err)) < 0)
		return rc;
	if (!(out->certificate_file || out->certificate_pem) !=
	    !(out->key_file || out->key_pem))
		return place_error(&mapping->place, err,
				   "client-certificate and client-key belong together: "
				   "expected both or none");
	return 0;
}

/*
 * Into *out what the list has under that name: of `contexts` and `context` the
 * mapping "context" of the entry whose "name" is name. from: where it was named.
 */
static int find_entry(const struct kubeconfig *kubeconfig, const char *const kind[2],
		      const struct node *from, const struct node **out, struct err *err)
{
	const struct node *list = node_get(kubeconfig->root, kind[0]);
	int rc = list ? node_expect(list, NODE_LIST, err) : 0;

	if (rc < 0)
		return rc;
	for (const struct node *entry = list ? list->first : NULL; entry;
	     entry = entry->next) {
		const struct node *name = node_get(entry, "name");
		const struct node *value = node_get(entry, kind[1]);

		if (!name || !slice_eq(name->text, from->text))
			continue;
		if (!value) {
			place_error(&entry->place, err, "'%s' is missing", kind[1]);
			return -EINVAL;
		}
		*out = value;
		return node_expect(value, NODE_MAPPING, err);
	}
	place_error(&from->place, err, "%s '%.*s' is not among %s", kind[1],
		    SLICE_ARGS(from->text), kind[0]);
	return -EINVAL;
}

/* As find_entry, of the name that stands under key; *out NULL when it is absent. */
static int follow(const struct kubeconfig *kubeconfig, const struct node *mapping,
		  const char *const kind[2], const struct node **out, struct err *err)
{
	const struct node *from = node_get(mapping, kind[1]);
	int rc;

	*out = NULL;
	if (is_absent(from))
		return 0;
	if ((rc = node_expect(from, NODE_SCALAR, err)) < 0)
		return rc;
	return find_entry(kubeconfig, kind, from, out, err);
}

/* The context that was asked for, else the current one. */
static int find_context(const struct kubeconfig *kubeconfig, const char *asked,
			const struct node **out, struct err *err)
{
	static const char *const kind[] = { "contexts", "context" };
	const struct node *current = node_get(kubeconfig->root, "current-context");
	struct node from = { .place = kubeconfig->root->place };
	int rc;

	if (asked && asked[0]) {
		from.text = slice_of(asked);
		return find_entry(kubeconfig, kind, &from, out, err);
	}
	if (is_absent(current)) {
		place_error(&kubeconfig->root->place, err,
			    "no context is chosen: expected current-context, or the "
			    "option upstream.context");
		return -EINVAL;
	}
	if ((rc = node_expect(current, NODE_SCALAR, err)) < 0)
		return rc;
	return find_entry(kubeconfig, kind, current, out, err);
}

/* It becomes part of URLs. */
static int read_namespace(const struct node *context, const char **out, struct err *err)
{
	int rc = read_text(context, "namespace", out, err);

	if (rc == 0 && *out && !is_dns_label(slice_of(*out)))
		return place_error(&node_get(context, "namespace")->place, err,
				   "namespace: expected " DNS_LABEL_RULE);
	return rc;
}

static int read_context(const struct kubeconfig *kubeconfig, const char *asked,
			struct cluster *out, struct err *err)
{
	static const char *const clusters[] = { "clusters", "cluster" };
	static const char *const users[] = { "users", "user" };
	const struct node *context, *cluster, *user;
	int rc;

	if ((rc = find_context(kubeconfig, asked, &context, err)) < 0 ||
	    (rc = read_namespace(context, &out->namespace, err)) < 0 ||
	    (rc = follow(kubeconfig, context, clusters, &cluster, err)) < 0 ||
	    (rc = follow(kubeconfig, context, users, &user, err)) < 0)
		return rc;
	if (!cluster)
		return place_error(&context->place, err, "'cluster' is missing");
	if ((rc = read_cluster(kubeconfig, cluster, out, err)) < 0)
		return rc;
	return user ? read_user(kubeconfig, user, out, err) : 0;
}

int kubeconfig_load(struct cluster *out, struct arena *arena, const char *file,
		    const char *context, struct err *err)
{
	struct kubeconfig kubeconfig = { .arena = arena };
	struct cluster cluster = { 0 };
	struct slice text;
	struct node *root;
	int rc;

	rc = file_read(&text, arena, file, KUBECONFIG_BYTES_MAX, err);
	if (rc == -ENOENT && strchr(file, ':'))
		return err_set(err, rc,
			       "%s: there is no such file; several kubeconfigs are not "
			       "merged: expected one",
			       file);
	if (rc < 0 ||
	    (rc = node_parse(&root, arena, arena_text(arena, slice_of(file)), text,
			     err)) < 0 ||
	    (rc = node_expect(root, NODE_MAPPING, err)) < 0)
		return rc;
	kubeconfig.root = root;
	kubeconfig.folder = file_absolute(arena, file);
	*strrchr(kubeconfig.folder, '/') = '\0';
	if ((rc = read_context(&kubeconfig, context, &cluster, err)) < 0)
		return rc;
	*out = cluster;
	return 0;
}
