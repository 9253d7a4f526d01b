#include "proxy/ring/assignment.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "proxy/ring/agreement.h"
#include "proxy/ring/claim.h"

#define TEXT_BYTES_MAX (1 << 20) /* of a whole ConfigMap */

bool identity_is_valid(struct slice identity)
{
	if (identity.len > IDENTITY_BYTES_MAX || identity_member(identity).len == 0)
		return false;
	for (size_t i = 0; i < identity.len; i++)
		if (identity.data[i] <= ' ' || identity.data[i] > '~')
			return false;
	return true;
}

/* --- writing --- */

static int write_members(struct buf *out, const struct assignment *assignment, int from,
			 int to)
{
	int rc = 0;

	for (int i = from; i < to && rc == 0; i++) {
		assert(identity_is_valid(assignment->members[i]) &&
		       "whoever came from outside was checked");
		rc = buf_printf(out, "%.*s\n", SLICE_ARGS(assignment->members[i]));
	}
	return rc;
}

static int write_active(struct buf *out, const struct assignment *assignment,
			const struct ring_spec *spec)
{
	return write_members(out, assignment, 0, assignment->active_n);
}

static int write_leaving(struct buf *out, const struct assignment *assignment,
			 const struct ring_spec *spec)
{
	return write_members(out, assignment, assignment->active_n,
			     assignment->members_n);
}

static struct slice holder_text(const struct assignment *assignment, int member)
{
	return member < 0 ? SLICE_LITERAL(ASSIGNMENT_NOBODY)
			  : assignment->members[member];
}

static bool is_alike(const struct assigned_bucket *a, const struct assigned_bucket *b)
{
	return a->owner == b->owner && a->target == b->target && a->since == b->since;
}

/* One line for all buckets that are alike. */
static int write_owner(struct buf *out, const struct assignment *assignment,
		       const struct assigned_bucket *bucket,
		       const struct bucket_set *alike)
{
	int rc = bucket_set_write(alike, out);

	if (rc == 0)
		rc = buf_printf(out, " %.*s %" PRIu64,
				SLICE_ARGS(holder_text(assignment, bucket->owner)),
				bucket->since);
	if (rc == 0 && bucket->target != bucket->owner)
		rc = buf_printf(out, " %.*s",
				SLICE_ARGS(holder_text(assignment, bucket->target)));
	if (rc == 0)
		rc = buf_append_text(out, "\n");
	return rc;
}

static int write_owners(struct buf *out, const struct assignment *assignment,
			const struct ring_spec *spec)
{
	static const struct assigned_bucket unnamed = { .owner = -1, .target = -1 };
	struct bucket_set written = { 0 };
	int rc = 0;

	for (int b = 0; b < assignment->buckets && rc == 0; b++) {
		const struct assigned_bucket *bucket = &assignment->bucket[b];
		struct bucket_set alike = { 0 };

		if (bucket_set_has(&written, b) || is_alike(bucket, &unnamed))
			continue;
		for (int other = b; other < assignment->buckets; other++) {
			if (!is_alike(bucket, &assignment->bucket[other]))
				continue;
			bucket_set_add(&alike, other);
			bucket_set_add(&written, other);
		}
		rc = write_owner(out, assignment, bucket, &alike);
	}
	return rc;
}

static int write_labelled(struct buf *out, const struct assignment *assignment,
			  const struct ring_spec *spec)
{
	struct arena *arena = arena_create();
	const char *comma = "";
	int rc = 0;

	for (int i = 0; i < spec->resources_n && rc == 0; i++) {
		if (!(assignment->labelled >> i & 1))
			continue;
		rc = buf_printf(out, "%s%s", comma,
				ring_resource_name(&spec->resources[i], arena));
		comma = ",";
	}
	arena_destroy(arena);
	return rc;
}

/* Appends ,"key":"<what write appends>". */
static int write_text(struct buf *out, const struct assignment *assignment,
		      const struct ring_spec *spec, const char *key,
		      int (*write)(struct buf *, const struct assignment *,
				   const struct ring_spec *))
{
	struct buf text;
	int rc;

	buf_init(&text, TEXT_BYTES_MAX);
	rc = write(&text, assignment, spec);
	if (rc == 0)
		rc = buf_printf(out, ",\"%s\":", key);
	if (rc == 0)
		rc = json_write_string(out, buf_slice(&text));
	buf_finish(&text);
	return rc;
}

static int write_head(struct buf *out, const struct assignment *assignment)
{
	return buf_printf(out,
			  "{\"format\":\"%d\",\"buckets\":\"%d\",\"placement\":\"%s\","
			  "\"resources\":\"%.*s\",\"shards\":\"%d\","
			  "\"generation\":\"%" PRIu64 "\",\"epoch\":\"%" PRIu64 "\"",
			  ASSIGNMENT_FORMAT, assignment->buckets,
			  agreement_placement(assignment->placement),
			  SLICE_ARGS(assignment->resources), assignment->shards,
			  assignment->generation, assignment->epoch);
}

int assignment_write(struct buf *out, const struct assignment *assignment,
		     const struct ring_spec *spec)
{
	size_t start = out->len;
	int rc = write_head(out, assignment);

	if (rc == 0)
		rc = write_text(out, assignment, spec, "labelled", write_labelled);
	if (rc == 0)
		rc = write_text(out, assignment, spec, "members", write_active);
	if (rc == 0 && assignment->members_n > assignment->active_n)
		rc = write_text(out, assignment, spec, "leaving", write_leaving);
	if (rc == 0)
		rc = write_text(out, assignment, spec, "owners", write_owners);
	if (rc == 0)
		rc = buf_append_text(out, "}");
	if (rc < 0)
		out->len = start;
	return rc;
}

/* --- asking --- */

int assignment_member(const struct assignment *assignment, struct slice identity)
{
	for (int i = 0; i < assignment->members_n; i++)
		if (slice_eq(assignment->members[i], identity))
			return i;
	return -1;
}

struct bucket_set assignment_owned(const struct assignment *assignment,
				   struct slice identity)
{
	int member = assignment_member(assignment, identity);
	struct bucket_set owned = { 0 };

	for (int b = 0; b < assignment->buckets && member >= 0; b++)
		if (assignment->bucket[b].owner == member)
			bucket_set_add(&owned, b);
	return owned;
}

bool assignment_names(const struct assignment *assignment, struct slice identity)
{
	int member = assignment_member(assignment, identity);

	for (int b = 0; b < assignment->buckets && member >= 0; b++)
		if (assignment->bucket[b].owner == member ||
		    assignment->bucket[b].target == member)
			return true;
	return false;
}
