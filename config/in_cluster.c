/* The API server of the Pod that we run in. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/kubeconfig.h"
#include "config/names.h"
#include "proxy/base/file.h"

#define SERVICEACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/* The file of that name, which must be there. */
static int find_file(struct arena *arena, const char *folder, const char *name,
		     const char **out, struct err *err)
{
	const char *file = arena_printf(arena, "%s/%s", folder, name);

	if (access(file, R_OK) < 0) {
		int rc = -errno;

		return err_set(err, rc, "%s: cannot be read: %s", file, strerror(-rc));
	}
	*out = file;
	return 0;
}

/* NULL when there is none, or nothing that is a name. */
static const char *read_namespace(struct arena *arena, const char *folder)
{
	const char *file = arena_printf(arena, "%s/namespace", folder);
	struct slice text;

	if (file_read(&text, arena, file, 2 * DNS_LABEL_BYTES_MAX, NULL) < 0)
		return NULL;
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	return is_dns_label(text) ? arena_text(arena, text) : NULL;
}

int kubeconfig_in_cluster(struct cluster *out, struct arena *arena, struct err *err)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");
	const char *port = getenv("KUBERNETES_SERVICE_PORT");
	const char *folder = getenv("RINGSIDE_SERVICEACCOUNT");
	struct cluster cluster = { 0 };
	uint64_t number;
	int rc;

	if (!host || !host[0] || !port || !port[0])
		return err_set(err, -ENOENT,
			       "this is no Pod (KUBERNETES_SERVICE_HOST and _PORT are "
			       "not set): expected a kubeconfig");
	if (slice_to_u64(slice_of(port), &number) < 0 || number < 1 || number > 65535)
		return err_set(err, -EINVAL,
			       "KUBERNETES_SERVICE_PORT: expected a port");
	folder = file_absolute(arena, folder && folder[0] ? folder : SERVICEACCOUNT);
	if ((rc = find_file(arena, folder, "token", &cluster.token_file, err)) < 0 ||
	    (rc = find_file(arena, folder, "ca.crt", &cluster.ca_file, err)) < 0)
		return rc;
	cluster.namespace = read_namespace(arena, folder);
	cluster.server = strchr(host, ':')
				 ? arena_printf(arena, "https://[%s]:%s", host, port)
				 : arena_printf(arena, "https://%s:%s", host, port);
	*out = cluster;
	return 0;
}
