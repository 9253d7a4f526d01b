/*
 * The filter contract. A filter is a const table of hooks that see a request as
 * values, never sockets or wire bytes, and answer PASS or REPLY. It does no I/O,
 * keeps no state and never waits: what it must know is declared first (wants), the
 * exchange gathers it once for all filters, and only then the hooks run.
 *
 * Everything in a filter_call is borrowed until the hook returns. A hook edits the
 * query, allocates from the arena, and sets the fields under "results" (another
 * body is one of them); nothing else. So a unit test drives a filter with plain
 * structs.
 *
 * Order: on_request of each filter as the chain lists them, then the exchange
 * connects, then on_send of each. The first REPLY ends the chain.
 */
#ifndef RINGSIDE_FILTERS_FILTER_H
#define RINGSIDE_FILTERS_FILTER_H

#include "proxy/kube/meta.h"
#include "proxy/kube/query.h"
#include "proxy/kube/rename.h"
#include "proxy/kube/request.h"
#include "proxy/kube/status.h"
#include "proxy/ring/ring.h"
#include "proxy/ring/view.h"

/* Bits of what a filter must know before its hooks can run. */
enum filter_need {
	FILTER_NEEDS_NOTHING = 0,
	FILTER_NEEDS_BODY = 1,   /* the metadata that the body claims */
	FILTER_NEEDS_OBJECT = 2, /* where the object named in the path belongs */
	/*
	 * Where the owner named in the body belongs. Wanted together with the object,
	 * it may be left out where the object is there.
	 */
	FILTER_NEEDS_OWNER = 4,
	/* The keys of the object's labels, if the body is a merge patch that drops
	 * them all. */
	FILTER_NEEDS_LABELS = 8,
};

/* What is known about where an object belongs. */
enum placement_known {
	PLACED_UNKNOWN, /* not asked, or it could not be found out */
	PLACED_ABSENT,  /* there is no such object */
	PLACED_NOWHERE, /* it exists and is the ring's, but has no valid bucket label */
	PLACED_FOREIGN, /* it belongs to nobody of the ring */
	PLACED_AT,      /* in the bucket told */
};

/*
 * Evidence comes from the API server (or the uid-keyed cache), never from a
 * body. An unlabelled object of an owned resource has its owner's place.
 */
struct evidence {
	enum placement_known known;
	int bucket;   /* of PLACED_AT */
	bool is_aged; /* known for long: good for letting pass, not for refusing */
};

/* Why the fence let a write not pass. */
enum fence_refusal {
	FENCE_PASSED,
	FENCE_FOREIGN,    /* its bucket is another member's, or on its way there */
	FENCE_NO_RIGHT,   /* this member may write nothing now */
	FENCE_UNLABELLED, /* the object, or its owner, has no bucket yet */
	FENCE_UNKNOWN,    /* whose it is could not be known */
	FENCE_BLIND,      /* it may exist already, and its maker not know */
	FENCE_REFUSALS_N,
};

enum filter_verdict {
	FILTER_PASS,
	FILTER_REPLY, /* answer with `reply`; nothing goes upstream */
};

struct filter_call {
	const struct kube_request *request;
	struct slice content_type;            /* of the request; "" if it has none */
	const struct ring_resource *resource; /* NULL: not about a sharded resource */
	const struct ring_spec *spec;
	const struct ring *ring; /* pinned at admission; in on_send the current one */
	/* Of the resource, for LIST, WATCH and DELETECOLLECTION; NULL otherwise. */
	const struct view *view;
	struct query *query; /* on_request may edit it */
	struct arena *arena; /* of the exchange */
	uint64_t random;     /* drawn for this request */
	struct slice bytes;  /* of the body, as it came */
	/* Gathered where somebody wanted it. */
	const struct object_meta *body; /* NULL: not wanted, or not readable */
	bool is_body_unreadable;        /* wanted, but it could not be read */
	struct evidence object;         /* FILTER_NEEDS_OBJECT */
	/* FILTER_NEEDS_OWNER; PLACED_FOREIGN: the body names no owner of the ring. */
	struct evidence owner;
	const struct slice *label_keys; /* FILTER_NEEDS_LABELS */
	size_t label_keys_n;
	int64_t now_ms;
	/* on_send, of a create: who makes it may lack what it made before. */
	bool is_blind;

	/* Results; zeroed before the first hook. */
	struct status reply;  /* of FILTER_REPLY; texts static or in the arena */
	bool strips_encoding; /* ask upstream without compression */
	/* Set by on_request of election: the lock that the request is about, in the
	 * spec; its answer bears lock->alias instead of lock->name. */
	const struct ring_lock *lock;
	struct slice path; /* that leaves instead of the request's; "": that one */
	/* Set by on_request of label and election: the body that leaves instead of
	 * `bytes`, and the bucket that it says (BUCKET_NONE: it was given none). */
	struct slice edited; /* in the arena */
	bool is_edited;
	int label;
	/*
	 * Set by on_send of the fence when it lets a mutating request of a sharded
	 * resource pass: the bucket whose release ends it (BUCKET_NONE: no bucket's,
	 * BUCKET_ALL: any of the member's), and whether it is counted in flight
	 * until it is answered. A CONNECT is not counted: a release cuts it.
	 */
	int bucket;
	bool is_counted;
	enum fence_refusal refusal; /* set by the fence, for the count */
};

struct filter {
	const char *name;
	/*
	 * Which needs (bits) this request has, judged by its head alone: request,
	 * content_type, resource, spec and ring are set, nothing else. Pure. NULL:
	 * none.
	 */
	unsigned (*wants)(const struct filter_call *call);
	/* All that was wanted is there. May edit the query. NULL: passes. */
	enum filter_verdict (*on_request)(struct filter_call *call);
	/*
	 * The last word: the connection is up, `ring` is the current one, and the
	 * bytes leave as soon as this passes. NULL: passes.
	 */
	enum filter_verdict (*on_send)(struct filter_call *call);
};

/* The controller's lock is this member's own, and fails with its right. */
extern const struct filter filter_election;
/* LIST, WATCH and DELETECOLLECTION see this member's shard alone. */
extern const struct filter filter_narrow;
/* What this member's controller writes bears its bucket label. */
extern const struct filter filter_label;
/* Writes leave only for buckets that this member owns. */
extern const struct filter filter_fence;

/* A chain is a NULL-terminated array of filters. All needs, joined. */
unsigned filter_chain_wants(const struct filter *const *chain,
			    const struct filter_call *call);

/* Runs the hooks in order up to the first that replies. */
enum filter_verdict filter_chain_on_request(const struct filter *const *chain,
					    struct filter_call *call);
enum filter_verdict filter_chain_on_send(const struct filter *const *chain,
					 struct filter_call *call);

#endif
