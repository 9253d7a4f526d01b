/*
 * A reflector (client-go's word): keeps somebody informed of all objects under
 * one path, by LIST in pages and WATCH from there, for as long as it lives. It
 * comes back by itself after every failure, with backoff, and lists again when
 * its position is gone. It stores nothing; who listens does.
 */
#ifndef RINGSIDE_NET_REFLECTOR_H
#define RINGSIDE_NET_REFLECTOR_H

#include "proxy/net/api.h"

/* One frame of a watch may be this long; objects are at most 1.5 MiB in etcd. */
#define REFLECTOR_FRAME_BYTES_MAX (4 << 20)

struct reflector_events {
	/* A new LIST begins: what is not reported until on_synced is gone. */
	void (*on_list)(void *arg);
	/* An object, from a LIST or an ADDED or MODIFIED event; borrowed. */
	void (*on_object)(void *arg, const struct json *object);
	/* DELETED, or it left the selector. */
	void (*on_gone)(void *arg, const struct json *object);
	/* The LIST is complete; the WATCH begins. */
	void (*on_synced)(void *arg);
	/* A LIST or WATCH failed and will be tried again; for the log. */
	void (*on_failure)(void *arg, const struct api_answer *answer);
	/*
	 * Asked after each event of a WATCH and each page of a LIST (a page is told
	 * as a whole): false pauses reading until reflector_resume, so that who
	 * works through many objects bounds what waits. May be NULL.
	 */
	bool (*has_room)(void *arg);
};

struct reflector_source {
	const char *path;     /* "/apis/apps/v1/deployments"; copied */
	const char *selector; /* labelSelector, not escaped; NULL: none; copied */
	const char *fields;   /* fieldSelector, likewise */
	bool metadata_only;
	int limit; /* page size of the LIST; 0: 500 */
	/*
	 * Instead of a LIST, a WATCH that begins with what there is (KEP-3157): one
	 * request, whatever the number of objects. Pages, where the API server knows
	 * no such WATCH.
	 */
	bool streams_list;
};

struct reflector;

/*
 * Begins at once; events come from the loop. api outlives it; source and events
 * are copied.
 */
struct reflector *reflector_create(const struct api *api,
				   const struct reflector_source *source,
				   const struct reflector_events *events, void *arg);
/* No event comes after it. Not from inside one. NULL is fine. */
void reflector_destroy(struct reflector *reflector);

/* Reads on after has_room said no. */
void reflector_resume(struct reflector *reflector);

#endif
