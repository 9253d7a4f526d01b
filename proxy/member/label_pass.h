/*
 * The first pass over one resource: what its sources' LISTs bring must have its
 * label, or be gone, before members serve the resource. An object counts from the
 * LIST that brings it until it leaves the queue, through conflicts, retries and a
 * LIST that begins anew. Bookkeeping and log lines; no I/O, time is handed in.
 */
#ifndef RINGSIDE_MEMBER_LABEL_PASS_H
#define RINGSIDE_MEMBER_LABEL_PASS_H

#include "proxy/member/label_work.h"

/* How often progress is told. */
#define LABEL_PASS_PROGRESS_MS 2000

struct label_pass_source {
	bool is_synced;
	unsigned list; /* how many LISTs it has begun */
};

struct label_pass {
	const struct ring_resource *resource;
	char *name;
	int first_source;
	int sources_n; /* 0: not started */
	struct label_pass_source *sources;
	int synced_n;
	bool is_done;
	size_t left;     /* objects of the first pass in the queue */
	int64_t objects; /* those that were given a label */
	int64_t started_ms;
	int64_t told_ms;
	int refused_status; /* what was logged last, and when; 0: never */
	int64_t refused_ms;
};

/* Texts and tables come from the arena. is_done: it had its first pass before. */
void label_pass_init(struct label_pass *pass, struct arena *arena,
		     const struct ring_resource *resource, bool is_done);

/* Its sources are numbered from first_source on. */
void label_pass_start(struct label_pass *pass, struct arena *arena, int first_source,
		      int sources_n, int64_t now_ms);

/* A source begins a LIST; it has completed one. */
void label_pass_on_list(struct label_pass *pass, int source);
void label_pass_on_synced(struct label_pass *pass, int source);

/* The item enters the queue in the place of former (or NULL), or leaves it. */
void label_pass_enter(struct label_pass *pass, struct label_item *item,
		      const struct label_item *former);
void label_pass_leave(struct label_pass *pass, const struct label_item *item);

/* Whether the last LIST of its source has not brought the item. */
bool label_pass_has_lost(const struct label_pass *pass, const struct label_item *item);

/* True once, when the pass is complete; logs it. */
bool label_pass_completes(struct label_pass *pass, int64_t now_ms);

/* Log lines: how far it is, now and then; why an item got no label, once. */
void label_pass_tell(struct label_pass *pass, int64_t now_ms);
void label_pass_tell_failure(struct label_pass *pass, const struct label_item *item,
			     const struct label_result *result, int64_t now_ms);

#endif
