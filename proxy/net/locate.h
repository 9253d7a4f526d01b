/*
 * Which bucket an object belongs to, by evidence: its label, else (for an owned
 * resource) its owner's, up the chain. The evidence is the object as the API
 * server has it, fetched as metadata with our own identity, or learned from the answer
 * to a write, and cached: by its name alone an object is known for LOCATE_AGE_MS at
 * most, as names are reused; by its uid too, for LOCATE_AGED_MS (takes_aged).
 *
 * An owner is who bears the name and the uid of the reference (or the name alone,
 * where a label or annotation names it). Where there is no such object (any more),
 * where nobody up the chain is of the ring's kinds, and where the chain is deeper than
 * LOCATE_DEPTH_MAX, the object is foreign.
 */
#ifndef RINGSIDE_NET_LOCATE_H
#define RINGSIDE_NET_LOCATE_H

#include "filters/filter.h"
#include "proxy/base/metric.h"
#include "proxy/kube/meta.h"
#include "proxy/net/owner.h"

#define LOCATE_AGE_MS 5000
#define LOCATE_AGED_MS 60000
#define LOCATE_ENTRIES_MAX 20000
#define LOCATE_DEPTH_MAX 8

struct locator;
struct locate_call;

/*
 * failure is NULL when the evidence stands, else why it could not be had (the
 * API server was not reached, refused us): nothing is known then.
 */
typedef void locate_done(void *arg, struct evidence evidence,
			 const struct err *failure);

enum {
	LOCATOR_KNOWN,          /* answered by what was learned before */
	LOCATOR_KNOWN_AGED,     /* ... long before, of the same uid */
	LOCATOR_JOINED,         /* ... by what was being asked already */
	LOCATOR_FETCHED_NEW,    /* asked of the API server: never heard of */
	LOCATOR_FETCHED_OLD,    /* ... or too long ago */
	LOCATOR_FETCHED_REUSED, /* ... or as another object of that name */
	LOCATOR_METRICS_N,
};

extern const struct metric locator_metrics[];

/* LOCATOR_METRICS_N of them, as long as the locator. */
const int64_t *locator_values(const struct locator *locator);

/* All three outlive it. */
struct locator *locator_create(const struct api *api, const struct catalog *catalog,
			       const struct ring_spec *spec);
/* Calls under way are cancelled. Not from inside a done. NULL is fine. */
void locator_destroy(struct locator *locator);

/*
 * done comes from the loop, once, unless cancelled; never from inside this call. The
 * question's uid is what the asker believes and guards the cache alone: the evidence
 * is about the object that bears the name now.
 */
struct locate_call *locate_object(struct locator *locator,
				  const struct locate_question *question,
				  locate_done *done, void *arg);

/*
 * The same for an object whose metadata is at hand (a body, a watch event): by
 * its owner. PLACED_FOREIGN at once when no owner is of the ring's kinds.
 */
struct locate_call *locate_owner(struct locator *locator, const struct owned *owned,
				 locate_done *done, void *arg);

/*
 * The same for who labels: an unlabelled main owner counts as placed where its
 * own label will say, so this knows PLACED_AT and PLACED_FOREIGN only.
 */
struct locate_call *locate_owner_planned(struct locator *locator,
					 const struct owned *owned, locate_done *done,
					 void *arg);

/* Notes an object as the API server had it at at_ms. */
void locator_learn(struct locator *locator, const struct owned *object, int64_t at_ms);

/* done will not come. NULL is fine. */
void locate_cancel(struct locate_call *call);

#endif
