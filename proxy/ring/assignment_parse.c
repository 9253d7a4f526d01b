#include <errno.h>
#include <inttypes.h>

#include "proxy/ring/agreement.h"
#include "proxy/ring/assignment.h"

struct reading {
	struct assignment *out;
	struct arena *arena;
	const struct ring_spec *spec;
	struct err *err;
	const char *key; /* of what is being read */
	int line;
	struct bucket_set named;
};

static int reading_fail(const struct reading *r, const char *what)
{
	if (r->line > 0)
		return err_set(r->err, -EINVAL, "%s, line %d: %s", r->key, r->line,
			       what);
	return err_set(r->err, -EINVAL, "%s: %s", r->key, what);
}

/* A canonical decimal number. */
static int number_parse(struct slice text, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t value;

	if (slice_to_u64(text, &value) < 0 || (text.len > 1 && text.data[0] == '0') ||
	    value < min || value > max)
		return -EINVAL;
	*out = value;
	return 0;
}

static int read_number(struct reading *r, struct slice text, uint64_t min, uint64_t max,
		       uint64_t *out)
{
	if (number_parse(text, min, max, out) < 0)
		return err_set(r->err, -EINVAL,
			       "%s: expected a number from %" PRIu64 " to %" PRIu64,
			       r->key, min, max);
	return 0;
}

static int read_int(struct reading *r, struct slice text, int max, int *out)
{
	uint64_t value = 0;
	int rc = read_number(r, text, 1, (uint64_t)max, &value);

	if (rc == 0)
		*out = (int)value;
	return rc;
}

static int read_format(struct reading *r, struct slice text)
{
	uint64_t format;

	if (number_parse(text, 0, UINT64_MAX, &format) < 0)
		return reading_fail(r, "expected a number");
	if (format != ASSIGNMENT_FORMAT)
		return err_set(r->err, -EINVAL,
			       "format: expected %d, found %" PRIu64
			       ": written by another version of ringside",
			       ASSIGNMENT_FORMAT, format);
	return 0;
}

static int read_buckets(struct reading *r, struct slice text)
{
	return read_int(r, text, BUCKETS_MAX, &r->out->buckets);
}

static int read_placement(struct reading *r, struct slice text)
{
	for (int i = PLACEMENT_NAMESPACE_NAME; i <= PLACEMENT_LABEL; i++) {
		if (!slice_is(text, agreement_placement((enum placement_key)i)))
			continue;
		r->out->placement = (enum placement_key)i;
		return 0;
	}
	return reading_fail(r, "expected namespace,name or namespace or name or label");
}

static int read_resources(struct reading *r, struct slice text)
{
	bool is_hash = text.len == sizeof(r->spec->hash) - 1;

	for (size_t i = 0; i < text.len && is_hash; i++)
		is_hash = strchr("0123456789abcdef", text.data[i]) && text.data[i];
	if (!is_hash)
		return reading_fail(r, "expected a hash of 16 hexadecimal digits");
	r->out->resources = arena_copy(r->arena, text);
	return 0;
}

static int read_shards(struct reading *r, struct slice text)
{
	return read_int(r, text, ASSIGNMENT_MEMBERS_MAX, &r->out->shards);
}

static int read_generation(struct reading *r, struct slice text)
{
	return read_number(r, text, 0, UINT64_MAX, &r->out->generation);
}

static int read_epoch(struct reading *r, struct slice text)
{
	return read_number(r, text, 1, UINT64_MAX, &r->out->epoch);
}

static bool list_has(struct slice list, const char *name)
{
	struct slice part;

	while (slice_split(&list, ',', &part))
		if (slice_is(part, name))
			return true;
	return false;
}

/* A name that the spec does not have belongs to members with other resources. */
static int read_labelled(struct reading *r, struct slice text)
{
	for (int i = 0; i < r->spec->resources_n; i++)
		if (list_has(text,
			     ring_resource_name(&r->spec->resources[i], r->arena)))
			r->out->labelled |= UINT32_C(1) << i;
	return 0;
}

/* Each line ends with a newline, except perhaps the last. */
static int read_lines(struct reading *r, struct slice text,
		      int (*read_line)(struct reading *r, struct slice line))
{
	struct slice line;
	int rc = 0;

	while (rc == 0 && slice_split(&text, '\n', &line)) {
		r->line++;
		rc = read_line(r, line);
	}
	return rc;
}

static int read_member(struct reading *r, struct slice line)
{
	if (!identity_is_valid(line))
		return reading_fail(r, "expected <member>/<incarnation>");
	if (assignment_member(r->out, line) >= 0)
		return reading_fail(r, "this member is named twice");
	if (r->out->members_n == ASSIGNMENT_MEMBERS_MAX)
		return reading_fail(r, "too many members");
	r->out->members[r->out->members_n++] = arena_copy(r->arena, line);
	return 0;
}

static int read_members(struct reading *r, struct slice text)
{
	int rc = read_lines(r, text, read_member);

	r->out->active_n = r->out->members_n;
	return rc;
}

static int read_leaving(struct reading *r, struct slice text)
{
	return read_lines(r, text, read_member);
}

static int read_holder(struct reading *r, struct slice text, int *member)
{
	*member = slice_is(text, ASSIGNMENT_NOBODY) ? -1
						    : assignment_member(r->out, text);
	if (*member < 0 && !slice_is(text, ASSIGNMENT_NOBODY))
		return reading_fail(r, "the owner or target is not among the members");
	return 0;
}

static int read_owner(struct reading *r, struct slice line)
{
	struct slice text, owner, since, target;
	struct assigned_bucket bucket;
	struct bucket_set set;

	if (!slice_split(&line, ' ', &text) || !slice_split(&line, ' ', &owner) ||
	    !slice_split(&line, ' ', &since))
		return reading_fail(r, "expected <buckets> <owner> <since> [<target>]");
	if (!slice_split(&line, ' ', &target))
		target = owner;
	if (line.len > 0)
		return reading_fail(r, "expected <buckets> <owner> <since> [<target>]");
	if (text.len == 0 || bucket_set_parse(&set, text, r->out->buckets) < 0)
		return reading_fail(r, "expected buckets such as 0-84,170 in ascending "
				       "order, all below the number of buckets");
	if (number_parse(since, 0, r->out->epoch, &bucket.since) < 0)
		return reading_fail(r, "since: expected a number up to the epoch");
	if (read_holder(r, owner, &bucket.owner) < 0 ||
	    read_holder(r, target, &bucket.target) < 0)
		return -EINVAL;
	for (int b = 0; b < r->out->buckets; b++) {
		if (!bucket_set_has(&set, b))
			continue;
		if (bucket_set_has(&r->named, b))
			return reading_fail(r, "a bucket is named twice");
		bucket_set_add(&r->named, b);
		r->out->bucket[b] = bucket;
	}
	return 0;
}

/* What no line names is nobody's. */
static int read_owners(struct reading *r, struct slice text)
{
	for (int b = 0; b < BUCKETS_MAX; b++)
		r->out->bucket[b] =
			(struct assigned_bucket){ .owner = -1, .target = -1 };
	return read_lines(r, text, read_owner);
}

/* In the order of reading: what is below needs what is above. */
static const struct {
	const char *key;
	bool is_optional;
	int (*read)(struct reading *r, struct slice text);
} keys[] = {
	{ "format", false, read_format },
	{ "buckets", false, read_buckets },
	{ "placement", false, read_placement },
	{ "resources", false, read_resources },
	{ "shards", false, read_shards },
	{ "generation", false, read_generation },
	{ "epoch", false, read_epoch },
	{ "labelled", false, read_labelled },
	{ "members", false, read_members },
	{ "leaving", true, read_leaving },
	{ "owners", false, read_owners },
};

int assignment_parse(struct assignment *out, struct arena *arena,
		     const struct ring_spec *spec, const struct json *data,
		     struct err *err)
{
	struct assignment read = { 0 };
	struct reading r = { .out = &read, .arena = arena, .spec = spec, .err = err };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct json *value = json_get(data, keys[i].key);
		int rc;

		r.key = keys[i].key;
		r.line = 0;
		if (!value && keys[i].is_optional)
			continue;
		if (!value || value->type != JSON_STRING)
			return reading_fail(&r, "expected a text");
		rc = keys[i].read(&r, value->text);
		if (rc < 0)
			return rc;
	}
	*out = read;
	return 0;
}
