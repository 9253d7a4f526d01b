/*
 * The labeller: gives objects of sharded resources that were created elsewhere
 * their bucket label (design, section 4). It runs on the coordinator alone. Per
 * resource a reflector follows, as metadata, what has no label or garbage; each
 * such object gets the bucket of its owner or, a main object, its placement, by
 * a merge patch with uid and resourceVersion as preconditions.
 *
 * First pass: what is there already, owned resources first, then main ones;
 * members serve a resource only after it. Objects of an owned type that belong
 * to nobody of the ring are dropped at once and remembered by uid, boundedly.
 *
 * Owned objects whose label is not their owner's are found by the audit
 * (label_audit.h), and get their owner's.
 */
#ifndef RINGSIDE_MEMBER_LABELLER_H
#define RINGSIDE_MEMBER_LABELLER_H

#include "proxy/base/metric.h"
#include "proxy/member/conf.h"
#include "proxy/net/locate.h"

/*
 * Objects that wait to be labelled, over all resources; more stay unread. Each
 * resource (and namespace, where they are named) has its share, of
 * LABELLER_SHARE_MIN at least: what cannot be labelled holds up nothing else.
 */
#define LABELLER_QUEUE_MAX 512
#define LABELLER_SHARE_MIN 8
/* Objects that have failed so often that they do not count in that. */
#define LABELLER_ASIDE_MAX 4096
/* Objects known to belong to nobody, and for how long. */
#define LABELLER_FOREIGN_MAX 100000
#define LABELLER_FOREIGN_AGE_MS (10 * 60 * 1000)
/*
 * Where owners are named without a uid, objects are listed so often, and what was
 * known of those that belong to nobody is forgotten in between.
 */
#define LABELLER_RELIST_MS (3 * 60 * 1000)

struct labeller_env {
	struct loop *loop;
	const struct api *api;
	const struct ring_spec *spec;
	const struct catalog *catalog;
	struct locator *locator;
	const struct member_conf *conf;
	const char *const *namespaces; /* NULL-terminated; empty: all */
	int64_t relist_ms;             /* 0: LABELLER_RELIST_MS */
	/* The first pass over this resource is complete. */
	void (*on_labelled)(void *arg, int resource);
	void *arg;
};

struct labeller;

/*
 * Starts at once, a resource as soon as the catalog knows what it takes. labelled:
 * bit i says that resource i had its first pass before. What env points to outlives
 * the labeller. on_labelled comes from the loop.
 */
struct labeller *labeller_create(const struct labeller_env *env, uint32_t labelled);

/* Patches under way may still have their effect. Fine inside on_labelled; NULL too. */
void labeller_destroy(struct labeller *labeller);

/* Other values of concurrency and rate, from now on. */
void labeller_reload(struct labeller *labeller, const struct member_conf *conf);

enum {
	LABELLER_LABELLED,  /* objects given a label */
	LABELLER_UNRELATED, /* objects dropped, as they belong to nobody of the ring */
	LABELLER_GARBAGE,   /* labels seen that name no bucket */
	LABELLER_MISPLACED, /* labels seen that are not the owner's */
	LABELLER_CONFLICTS, /* patches that met a newer object */
	LABELLER_FAILURES,  /* patches and look-ups that failed otherwise */
	LABELLER_WAITING,   /* gauge: objects that wait */
	LABELLER_OLDEST_MS, /* gauge: for how long the oldest of them has waited */
	LABELLER_METRICS_N,
};

extern const struct metric labeller_metrics[];

/* LABELLER_METRICS_N values; they outlive each labeller of the process. */
void labeller_count_into(struct labeller *labeller, int64_t *values);

#endif
