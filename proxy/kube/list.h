/*
 * Answers of the API server to our own calls, which are asked for in JSON and in
 * bounded pages: lists, watch events, discovery.
 */
#ifndef RINGSIDE_KUBE_LIST_H
#define RINGSIDE_KUBE_LIST_H

#include "proxy/kube/json.h"

struct list_head {
	struct slice resource_version;
	struct slice continue_token; /* "" on the last page */
	const struct json *items;    /* an array, or null without children */
};

/* -EINVAL when it is no list, or one without a resourceVersion. */
int list_of_json(struct list_head *out, const struct json *object, struct err *err);

enum watch_event_type {
	WATCH_ADDED,
	WATCH_MODIFIED,
	WATCH_DELETED,
	WATCH_BOOKMARK,
	WATCH_ERROR,
};

struct watch_event {
	enum watch_event_type type;
	const struct json *object;
	struct slice resource_version; /* of the object; "" for an error */
	int64_t code;                  /* of the Status of an ERROR */
};

/*
 * One line of a JSON watch stream, parsed. -EINVAL when it is no event, or when
 * an object that is no error has no resourceVersion.
 */
int watch_event_of_json(struct watch_event *out, const struct json *event,
			struct err *err);

/*
 * The `continue` token of kube-apiserver is base64 (raw URL or standard) of
 * {"v":"meta.k8s.io/v1","rv":<resourceVersion of the list>,"start":...}
 * (k8s.io/apiserver pkg/storage/continue.go). The list's resourceVersion, or
 * -EINVAL when the token is not of this form or its rv is not positive.
 */
int list_continue_version(struct slice token, uint64_t *out);

#endif
