#include "proxy/kube/lease.h"

#include <errno.h>

/* A text of a Lease: where it stands, the most bytes we take, our field. */
struct text_field {
	const char *under;
	const char *key;
	size_t max;
	size_t offset;
};

#define FIELD(under, key, max, field) \
	{ \
		under, key, max, offsetof(struct lease, field) \
	}

/* In the order of writing; rows of one place stand together. */
static const struct text_field metadata[] = {
	FIELD("metadata", "name", 253, name),
	FIELD("metadata", "namespace", 63, namespace),
	FIELD("metadata", "uid", 128, uid),
	FIELD("metadata", "resourceVersion", 64, resource_version),
	{ 0 },
};

static const struct text_field labels[] = {
	FIELD("metadata.labels", LEASE_LABEL_RING, 63, ring),
	{ 0 },
};

static const struct text_field annotations[] = {
	FIELD("metadata.annotations", LEASE_ANNOTATION_STATE, 63, state),
	FIELD("metadata.annotations", LEASE_ANNOTATION_SETTINGS, 128, settings),
	FIELD("metadata.annotations", LEASE_ANNOTATION_CONTROLLER, 63, controller),
	FIELD("metadata.annotations", LEASE_ANNOTATION_ACKNOWLEDGED, 63, acknowledged),
	{ 0 },
};

static const struct text_field spec[] = {
	FIELD("spec", "holderIdentity", 300, holder),
	FIELD("spec", "acquireTime", 64, acquire_time),
	FIELD("spec", "renewTime", 64, renew_time),
	{ 0 },
};

static struct slice text_at(const struct lease *lease, const struct text_field *row)
{
	return *(const struct slice *)(const void *)((const char *)lease + row->offset);
}

static int read_texts(struct lease *out, const struct json *object,
		      const struct text_field *rows, struct err *err)
{
	for (; rows->key; rows++) {
		const struct json *node =
			json_get(json_at(object, rows->under), rows->key);

		if (!node || node->type == JSON_NULL)
			continue;
		if (node->type != JSON_STRING || node->text.len > rows->max)
			return err_set(err, -EINVAL,
				       "%s %s: expected a string of at most %zu bytes",
				       rows->under, rows->key, rows->max);
		*(struct slice *)(void *)((char *)out + rows->offset) = node->text;
	}
	return 0;
}

static int read_number(int64_t *out, const struct json *object, const char *key,
		       int64_t min, struct err *err)
{
	const struct json *spec_object = json_get(object, "spec");
	const struct json *node = json_get(spec_object, key);
	int64_t value = json_int(spec_object, key, -1);

	if (!node || node->type == JSON_NULL)
		return 0;
	if (value < min || value > INT32_MAX)
		return err_set(err, -EINVAL, "spec %s: expected a number from %d to %d",
			       key, (int)min, INT32_MAX);
	*out = value;
	return 0;
}

/* Items of a list say no kind. */
static bool is_lease(const struct json *object)
{
	struct slice kind = json_text(object, "kind");

	return object && object->type == JSON_OBJECT &&
	       (kind.len == 0 || slice_is(kind, "Lease"));
}

int lease_of_json(struct lease *out, const struct json *object, struct err *err)
{
	struct lease lease = { 0 };
	int rc = 0;

	if (!is_lease(object))
		rc = err_set(err, -EINVAL, "expected a Lease");
	if (rc == 0)
		rc = read_texts(&lease, object, metadata, err);
	if (rc == 0)
		rc = read_texts(&lease, object, labels, err);
	if (rc == 0)
		rc = read_texts(&lease, object, annotations, err);
	if (rc == 0)
		rc = read_texts(&lease, object, spec, err);
	if (rc == 0)
		rc = read_number(&lease.duration_s, object, "leaseDurationSeconds", 1,
				 err);
	if (rc == 0)
		rc = read_number(&lease.transitions, object, "leaseTransitions", 0,
				 err);
	if (rc == 0 && lease.name.len == 0)
		rc = err_set(err, -EINVAL, "metadata name: expected one");
	if (rc == 0)
		*out = lease;
	return rc;
}

static int write_texts(struct buf *out, const struct lease *lease,
		       const struct text_field *rows, bool *is_first)
{
	int rc = 0;

	for (; rows->key && rc == 0; rows++) {
		struct slice text = text_at(lease, rows);

		if (text.len == 0)
			continue;
		rc = buf_printf(out, "%s\"%s\":", *is_first ? "" : ",", rows->key);
		if (rc == 0)
			rc = json_write_string(out, text);
		*is_first = false;
	}
	return rc;
}

/* A member of metadata that is a map of texts; nothing if all are empty. */
static int write_map(struct buf *out, const struct lease *lease, const char *key,
		     const struct text_field *rows)
{
	size_t start = out->len;
	bool is_empty = true;
	int rc = buf_printf(out, ",\"%s\":{", key);

	if (rc == 0)
		rc = write_texts(out, lease, rows, &is_empty);
	if (rc == 0)
		rc = buf_append_text(out, "}");
	if (rc < 0 || is_empty)
		out->len = start;
	return rc;
}

static int write_metadata(struct buf *out, const struct lease *lease)
{
	bool is_first = true;
	int rc = buf_append_text(out, "\"metadata\":{");

	if (rc == 0)
		rc = write_texts(out, lease, metadata, &is_first);
	if (rc == 0)
		rc = write_map(out, lease, "labels", labels);
	if (rc == 0)
		rc = write_map(out, lease, "annotations", annotations);
	return rc < 0 ? rc : buf_append_text(out, "}");
}

static int write_spec(struct buf *out, const struct lease *lease)
{
	bool is_first = false;
	int rc = buf_printf(out, "\"spec\":{\"leaseTransitions\":%lld",
			    (long long)lease->transitions);

	if (rc == 0 && lease->duration_s > 0)
		rc = buf_printf(out, ",\"leaseDurationSeconds\":%lld",
				(long long)lease->duration_s);
	if (rc == 0)
		rc = write_texts(out, lease, spec, &is_first);
	return rc < 0 ? rc : buf_append_text(out, "}");
}

int lease_write(struct buf *out, const struct lease *lease)
{
	size_t start = out->len;
	int rc = buf_append_text(out, "{\"apiVersion\":\"coordination.k8s.io/v1\","
				      "\"kind\":\"Lease\",");

	if (rc == 0)
		rc = write_metadata(out, lease);
	if (rc == 0)
		rc = buf_append_text(out, ",");
	if (rc == 0)
		rc = write_spec(out, lease);
	if (rc == 0)
		rc = buf_append_text(out, "}");
	if (rc < 0)
		out->len = start;
	return rc;
}
