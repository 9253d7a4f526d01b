/*
 * What Kubernetes accepts as a name
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/names/).
 */
#ifndef RINGSIDE_CONFIG_NAMES_H
#define RINGSIDE_CONFIG_NAMES_H

#include "proxy/base/slice.h"

#define DNS_LABEL_BYTES_MAX 63
#define DNS_SUBDOMAIN_BYTES_MAX 253

/* For messages: what is_dns_label wants. */
#define DNS_LABEL_RULE \
	"a DNS label: lower case letters, digits, and '-' in between, at most 63"

bool is_dns_label(struct slice name);

/* DNS labels with dots between them. */
bool is_dns_subdomain(struct slice name);

/* For messages: what is_label_key wants. */
#define LABEL_KEY_RULE \
	"the key of a label or annotation, such as app.kubernetes.io/name, and not " \
	"one of ringside's own"

/*
 * A key of labels or annotations, of which
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ says:
 * a DNS subdomain and "/", if it has a prefix, and a name of at most 63 characters.
 */
bool is_label_key(struct slice key);

#endif
