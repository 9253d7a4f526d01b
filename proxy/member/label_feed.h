/*
 * The feed of one resource: brings, as metadata, every object that has no bucket
 * label or garbage in it (or, of another kind of feed: every one that has a label),
 * and goes on doing so. One reflector for all namespaces, or one for each that is
 * named; each is a source with a number of its own.
 */
#ifndef RINGSIDE_MEMBER_LABEL_FEED_H
#define RINGSIDE_MEMBER_LABEL_FEED_H

#include "proxy/kube/meta.h"
#include "proxy/net/catalog.h"

/* What a feed tells; metadata is borrowed. The words are the reflector's. */
struct label_feed_events {
	void (*on_list)(void *arg, int source);
	void (*on_object)(void *arg, int source, const struct object_meta *meta);
	void (*on_gone)(void *arg, int source, const struct object_meta *meta);
	void (*on_synced)(void *arg, int source);
	/* An object whose metadata make no sense was left out, or an API failure. */
	void (*on_failure)(void *arg);
	bool (*has_room)(void *arg, int source);
};

struct label_feed_env {
	const struct api *api;
	const struct ring_spec *spec;
	const struct catalog *catalog;
	const char *const *namespaces; /* NULL-terminated; empty: all */
	int page;                      /* objects of one LIST page */
	bool is_labelled;              /* brings what has a label */
	/*
	 * How often objects whose owner is named without a uid are listed anew: it may
	 * be made later than they, and no event of theirs tells of it.
	 */
	int64_t relist_ms;
	const struct label_feed_events *events;
	void *arg;
};

struct label_feed;

/*
 * env outlives it. Its sources are numbered from first_source on. The resource
 * must be known to the catalog.
 */
struct label_feed *label_feed_create(const struct label_feed_env *env,
				     const struct ring_resource *resource,
				     int first_source);

/* Not from inside an event. NULL is fine. */
void label_feed_destroy(struct label_feed *feed);

int label_feed_sources(const struct label_feed *feed);

/* There is room again. */
void label_feed_resume(struct label_feed *feed, int source);

#endif
