/*
 * Our own calls to the API server, with the member's own identity: Leases, the
 * assignment, labels, look-ups, discovery. JSON only; answers are bounded.
 */
#ifndef RINGSIDE_NET_API_H
#define RINGSIDE_NET_API_H

#include "proxy/base/arena.h"
#include "proxy/kube/list.h"
#include "proxy/net/upstream.h"

/* Answers above this are an error: our lists are paged. */
#define API_ANSWER_BYTES_MAX (16 << 20)
#define API_TIMEOUT_MS 10000

#define API_JSON "application/json"
#define API_MERGE_PATCH "application/merge-patch+json"
/* Accept for the metadata of one object, or of a list of them. */
#define API_METADATA "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
#define API_METADATA_LIST \
	"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

struct api {
	struct loop *loop;
	struct upstream *upstream;
	const char *user_agent; /* "ringside/<version> (member)" */
};

struct api_request {
	const char *method;
	const char *target; /* path and query; copied */
	const char *accept; /* NULL: JSON */
	const char *content_type;
	struct slice body;  /* copied */
	int64_t timeout_ms; /* 0: API_TIMEOUT_MS */
};

struct api_answer {
	/* 0 when there is no answer: err says why, `result` what is known. */
	int status;
	enum upstream_result result;
	int64_t retry_after_ms;  /* from Retry-After, 0 if none */
	int64_t sent_ms;         /* our clock, just before the request was sent */
	const struct json *json; /* the body; NULL if it is not JSON or empty */
	struct arena *arena;     /* holds json; ends after the callback */
	struct err err; /* for a person: also the Status message of a refusal */
};

struct api_call;

/*
 * Starts the call; on_answer comes from the loop, once, unless cancelled
 * before. The answer is borrowed until on_answer returns.
 */
struct api_call *api_start(const struct api *api, const struct api_request *request,
			   void (*on_answer)(void *arg,
					     const struct api_answer *answer),
			   void *arg);

/* on_answer will not come; the request may still have had its effect. NULL is fine. */
void api_cancel(struct api_call *call);

/* Whether the call was answered with 2xx. */
static inline bool api_is_success(const struct api_answer *answer)
{
	return answer->status >= 200 && answer->status < 300;
}

#endif
