/*
 * The audit of the labels that are there: now and then the coordinator reads, as
 * metadata and one by one (a request for each resource, however many they are), the
 * objects that have a bucket label, those that others belong to first, and tells of
 * each owned one whose label is not its owner's. Somebody who does not come through the
 * ring has given it to another owner, or its owner to another bucket; no watch of ours
 * tells of that, as each follows what has no label.
 *
 * It reads; what comes of it is the labeller's business. An object whose owner is not
 * found, or has no label, is passed over: its own label stands.
 */
#ifndef RINGSIDE_MEMBER_LABEL_AUDIT_H
#define RINGSIDE_MEMBER_LABEL_AUDIT_H

#include "proxy/member/label_feed.h"

/* Owners that are remembered during one audit; of more, the ones read last. */
#define LABEL_AUDIT_OWNERS_MAX 100000

struct label_audit_events {
	/* Its label is not its owner's. Borrowed. source: which of the namespaces. */
	void (*on_misplaced)(void *arg, const struct ring_resource *resource,
			     int source, const struct object_meta *meta);
	void (*on_failure)(void *arg);
	/* Whether more, were it all misplaced, may be told. */
	bool (*has_room)(void *arg, const struct ring_resource *resource, int source);
};

struct label_audit;

/*
 * feed_env says what is read and how; its events and arg are not used. The first
 * audit begins after every_ms, the next so long after the end of the last; 0: never.
 * What is pointed to outlives it.
 */
struct label_audit *label_audit_create(const struct label_feed_env *feed_env,
				       int64_t every_ms,
				       const struct label_audit_events *events,
				       void *arg);

/* Not from inside an event. NULL is fine. */
void label_audit_destroy(struct label_audit *audit);

/* There may be room again. */
void label_audit_resume(struct label_audit *audit);

/* Another pace; an audit that is under way goes on. */
void label_audit_reload(struct label_audit *audit, int64_t every_ms);

#endif
