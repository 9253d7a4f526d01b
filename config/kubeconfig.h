/*
 * Where the API server is and who we are there: from a kubeconfig (its chosen
 * context) or from a Pod's environment and service account. See "Organizing
 * Cluster Access Using kubeconfig Files" in the documentation of Kubernetes.
 */
#ifndef RINGSIDE_CONFIG_KUBECONFIG_H
#define RINGSIDE_CONFIG_KUBECONFIG_H

#include "proxy/base/arena.h"
#include "proxy/base/err.h"
#include "proxy/net/cluster.h"

/*
 * Reads the kubeconfig. Data fields (certificate-authority-data, ...) are decoded
 * into PEM text; relative file names are taken from the kubeconfig's folder. Exec
 * plugins, auth providers, proxy-url and basic auth are refused by name. Texts
 * are in the arena. -EINVAL with file:line:column.
 */
int kubeconfig_load(struct cluster *out, struct arena *arena, const char *file,
		    const char *context, struct err *err);

/*
 * From KUBERNETES_SERVICE_HOST and _PORT and the folder
 * /var/run/secrets/kubernetes.io/serviceaccount (or RINGSIDE_SERVICEACCOUNT).
 * -ENOENT when this is no Pod.
 */
int kubeconfig_in_cluster(struct cluster *out, struct arena *arena, struct err *err);

/*
 * Writes a kubeconfig for the controller beside us: server url, our CA's PEM
 * (empty for http), the credentials of `cluster` by reference where they are
 * files (token files, certificates) and by value where they are values. Mode
 * 0600, replaced atomically. -errno.
 */
int kubeconfig_write(const char *file, const char *url, const char *ca_pem,
		     const struct cluster *cluster, struct err *err);

#endif
