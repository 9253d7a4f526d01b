#include "proxy/report.h"

#include <inttypes.h>

static int write_text(struct buf *out, const char *key, struct slice value)
{
	int rc = buf_printf(out, "\"%s\":", key);

	if (rc == 0)
		rc = json_write_string(out, value);
	return rc == 0 ? buf_append_text(out, ",") : rc;
}

static int write_set(struct buf *out, const char *key, const struct bucket_set *set)
{
	int rc = buf_printf(out, "\"%s\":\"", key);

	if (rc == 0)
		rc = bucket_set_write(set, out);
	return rc == 0 ? buf_append_text(out, "\",") : rc;
}

static const char *peer_state_name(enum peer_state state)
{
	static const char *const names[] = {
		[PEER_ALIVE] = "alive",
		[PEER_SILENT] = "silent",
		[PEER_ENDED] = "ended",
		[PEER_RELEASED] = "released",
	};

	return names[state];
}

static int write_peer(struct buf *out, const struct membership_report *members,
		      const struct peer *peer)
{
	struct slice identity = slice_of(peer->identity);
	const struct assignment *assignment = members->assignment;
	struct bucket_set owned = { 0 };
	int index = -1, active = 0, rc;

	if (assignment != NULL) {
		index = assignment_member(assignment, identity);
		active = assignment->active_n;
		owned = assignment_owned(assignment, identity);
	}
	rc = buf_append_text(out, "{");
	if (rc == 0)
		rc = write_text(out, "identity", identity);
	return rc != 0 ? rc
		       : buf_printf(
				 out, "\"state\":\"%s\",\"active\":%s,\"buckets\":%d}",
				 peer_state_name(roster_state(peer, members->now_ms)),
				 index >= 0 && index < active ? "true" : "false",
				 bucket_set_count(&owned));
}

static int write_peers(struct buf *out, const struct membership_report *members)
{
	int rc = buf_append_text(out, "\"members\":[");

	for (int i = 0; rc == 0 && i < members->peers_n; i++) {
		if (i > 0)
			rc = buf_append_text(out, ",");
		if (rc == 0)
			rc = write_peer(out, members, members->peers[i]);
	}
	return rc == 0 ? buf_append_text(out, "],") : rc;
}

static int write_lock(struct buf *out, const struct stake_report *lock)
{
	int rc = buf_append_text(out, "{");

	if (rc == 0)
		rc = write_text(out, "namespace", lock->lock->namespace);
	if (rc == 0)
		rc = write_text(out, "name", lock->lock->name);
	if (rc == 0)
		rc = write_text(out, "holder", lock->holder);
	return rc == 0 ? buf_printf(out, "\"state\":\"%s\"}", lock->state) : rc;
}

static int write_locks(struct buf *out, const struct membership_report *members)
{
	int rc = buf_append_text(out, "\"locks\":[");

	for (int i = 0; rc == 0 && i < members->locks_n; i++) {
		if (i > 0)
			rc = buf_append_text(out, ",");
		if (rc == 0)
			rc = write_lock(out, &members->locks[i]);
	}
	return rc == 0 ? buf_append_text(out, "],") : rc;
}

static int write_resource(struct buf *out,
			  const struct sessions_resource_report *resource)
{
	static const struct bucket_set none;
	const struct view *view = resource->view;
	struct arena *arena = arena_create();
	int rc = buf_append_text(out, "{");

	if (rc == 0)
		rc = write_text(
			out, "resource",
			slice_of(ring_resource_name(resource->resource, arena)));
	if (rc == 0)
		rc = write_set(out, "view", view != NULL ? &view->set : &none);
	if (rc == 0)
		rc = buf_printf(out,
				"\"role\":\"%s\",\"floor\":\"%" PRIu64
				"\",\"state\":\"%s\",\"sessions\":%zu}",
				resource->resource->role == RESOURCE_MAIN ? "main"
									  : "owned",
				view != NULL ? view->floor : 0, resource->state,
				resource->sessions);
	arena_destroy(arena);
	return rc;
}

static int write_resources(struct buf *out, const struct sessions *sessions)
{
	struct sessions_resource_report resources[SPEC_RESOURCES_MAX];
	int n = sessions_report(sessions, resources);
	int rc = buf_append_text(out, "\"resources\":[");

	for (int i = 0; rc == 0 && i < n; i++) {
		if (i > 0)
			rc = buf_append_text(out, ",");
		if (rc == 0)
			rc = write_resource(out, &resources[i]);
	}
	return rc == 0 ? buf_append_text(out, "]}\n") : rc;
}

static int write_self(struct buf *out, const struct report *report,
		      const struct membership_report *members)
{
	const struct ring *ring = report->ring;
	int64_t right = ring->right_until_ms - report->now_ms;
	int rc = buf_append_text(out, "{");

	if (rc == 0)
		rc = write_text(out, "ring", report->spec->ring);
	if (rc == 0)
		rc = write_text(out, "member", slice_of(report->member->id));
	if (rc == 0)
		rc = write_text(out, "identity", slice_of(members->identity));
	if (rc == 0)
		rc = write_text(out, "state", slice_of(ring_state_name(ring->state)));
	if (rc == 0)
		rc = write_text(out, "reason", slice_of(ring->reason));
	if (rc == 0)
		rc = write_text(out, "coordinator", slice_of(members->coordinator));
	if (rc == 0)
		rc = write_text(
			out, "controller",
			slice_of(members->complaint[0] ? members->complaint : "alive"));
	if (rc == 0)
		rc = write_set(out, "owned", &ring->owned);
	return rc != 0 ? rc
		       : buf_printf(out,
				    "\"epoch\":%" PRIu64
				    ",\"buckets\":%d,\"owned_count\":%d,"
				    "\"right_ms\":%" PRId64 ",",
				    ring->epoch, report->spec->buckets,
				    bucket_set_count(&ring->owned),
				    right > 0 ? right : 0);
}

int report_write(const struct report *report, struct buf *out)
{
	struct membership_report members;
	int rc;

	membership_report(report->membership, &members);
	rc = write_self(out, report, &members);
	if (rc == 0)
		rc = write_peers(out, &members);
	if (rc == 0)
		rc = write_locks(out, &members);
	return rc == 0 ? write_resources(out, report->sessions) : rc;
}
