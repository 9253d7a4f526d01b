/*
 * What an HTTP request asks of the Kubernetes API: verb, group, version,
 * resource, namespace, name, subresource. It reads a request line exactly as
 * kube-apiserver does (k8s.io/apiserver pkg/endpoints/request, RequestInfo: the
 * path is percent-decoded as a whole, then trimmed and split at "/"), because a
 * path that we read differently would slip past the narrowing. As there, a LIST
 * or WATCH whose fieldSelector demands one metadata.name has that name, and
 * /namespaces/x itself is the resource namespaces in the namespace x.
 *
 * Nothing here is sharded or not; that is the ring's business.
 */
#ifndef RINGSIDE_KUBE_REQUEST_H
#define RINGSIDE_KUBE_REQUEST_H

#include "proxy/base/arena.h"
#include "proxy/base/err.h"

enum kube_verb {
	KUBE_VERB_NONE, /* not about a resource: /healthz, /apis, /openapi */
	KUBE_VERB_GET,
	KUBE_VERB_LIST,
	KUBE_VERB_WATCH,
	KUBE_VERB_CREATE,
	KUBE_VERB_UPDATE,
	KUBE_VERB_PATCH,
	KUBE_VERB_DELETE,
	KUBE_VERB_DELETECOLLECTION,
	KUBE_VERB_CONNECT, /* exec, attach, portforward, proxy: whatever the method */
	KUBE_VERB_OTHER,   /* a method that the API does not know */
};

struct kube_request {
	enum kube_verb verb;
	/* Borrowed from the request line, byte exact. */
	struct slice method;
	struct slice path;
	struct slice query; /* without "?" */
	/* Decoded; in the arena. Empty where the request has none. */
	struct slice group; /* "" is the core group */
	struct slice version;
	struct slice resource;
	struct slice namespace;
	struct slice name;
	struct slice subresource;
	/* /api/v1/watch/...: the old way to ask for a WATCH. */
	bool is_deprecated_watch;
	/* The name is the one that a LIST's or WATCH's fieldSelector demands. */
	bool is_named_by_selector;
	/*
	 * The path, once decoded, has empty or dot segments or control bytes, its
	 * encoding is broken, it is not in origin-form, or the query that tells a
	 * LIST from a WATCH is uncertain: servers differ in how they read that. The
	 * fields are then those of the cleaned path, one reading among others:
	 * where something is at stake the request is refused whatever they say.
	 */
	bool is_ambiguous;
};

/* As kubectl writes it: "list". "" for KUBE_VERB_NONE. */
const char *kube_verb_name(enum kube_verb verb);

/* Whether the verb changes something (fenced): create ... connect. */
bool kube_verb_is_mutating(enum kube_verb verb);

/* A PUT or PATCH of a collection: the API has no such thing (405). */
static inline bool kube_request_is_unserved(const struct kube_request *request)
{
	return request->name.len == 0 &&
	       (request->verb == KUBE_VERB_UPDATE || request->verb == KUBE_VERB_PATCH);
}

/*
 * target: origin-form ("/path?query"). Never fails on odd input: what cannot be
 * read with certainty is marked is_ambiguous.
 */
void kube_request_parse(struct kube_request *out, struct arena *arena,
			struct slice method, struct slice target);

#endif
