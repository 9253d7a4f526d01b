/*
 * What a process leaves behind for the one that goes on in its place, so that no
 * client has to list anew: for each resource the view that was served, and from
 * which position on all who stand there hold it. In lines:
 *
 *	ringside-views 1 <buckets> <hash of the resources and their rules>
 *	<group>/<resource> <position> <buckets of the view>
 */
#include <errno.h>
#include <inttypes.h>

#include "proxy/session/resource.h"

static int write_head(const struct sessions *sessions, struct buf *out)
{
	const struct ring_spec *spec = sessions->env.spec;

	return buf_printf(out, "ringside-views 1 %d %s\n", spec->buckets, spec->hash);
}

static int write_name(const struct resource *resource, struct buf *out)
{
	return buf_printf(out, "%.*s/%.*s ", SLICE_ARGS(resource->resource->group),
			  SLICE_ARGS(resource->resource->resource));
}

static int write_view(const struct resource *resource, struct buf *out)
{
	uint64_t from = doubts_certain_from(resource->doubts, &resource->view);
	int rc;

	if (resource->view.floor == 0 || resource->view.distrusts_positions ||
	    resource->doubts_all)
		return 0;
	rc = write_name(resource, out);
	if (rc == 0)
		rc = buf_printf(out, "%" PRIu64 " ", from);
	if (rc == 0)
		rc = bucket_set_write(&resource->view.set, out);
	return rc == 0 ? buf_append_text(out, "\n") : rc;
}

int sessions_save(const struct sessions *sessions, struct buf *out)
{
	int rc = write_head(sessions, out);

	for (int i = 0; rc == 0 && i < sessions->resources_n; i++)
		rc = write_view(&sessions->resources[i], out);
	return rc;
}

static bool is_head(const struct sessions *sessions, struct slice line)
{
	struct buf head;
	bool is_same;

	buf_init(&head, 256);
	is_same = write_head(sessions, &head) == 0 &&
		  slice_eq(buf_slice(&head), slice_make(line.data, line.len + 1));
	buf_finish(&head);
	return is_same;
}

static struct resource *resource_named(struct sessions *sessions, struct slice name)
{
	struct slice group = { 0 };

	if (!slice_split(&name, '/', &group))
		return NULL;
	for (int i = 0; i < sessions->resources_n; i++)
		if (slice_eq(sessions->resources[i].resource->group, group) &&
		    slice_eq(sessions->resources[i].resource->resource, name))
			return &sessions->resources[i];
	return NULL;
}

static int load_view(struct sessions *sessions, struct slice line)
{
	struct slice name, from;
	struct resource *resource;
	struct view view = { 0 };

	if (!slice_split(&line, ' ', &name) || !slice_split(&line, ' ', &from))
		return -EINVAL;
	resource = resource_named(sessions, name);
	if (!resource || slice_to_u64(from, &view.floor) != 0 || view.floor == 0 ||
	    bucket_set_parse(&view.set, line, sessions->env.spec->buckets) != 0)
		return -EINVAL;
	/* It becomes the past of the first one that is served. */
	resource->view = view;
	return 0;
}

int sessions_load(struct sessions *sessions, struct slice text)
{
	struct slice line;
	int n = 0;

	/* A last line without its end was never finished. */
	if (text.len == 0 || text.data[text.len - 1] != '\n' ||
	    !slice_split(&text, '\n', &line) || !is_head(sessions, line))
		return -EINVAL;
	while (slice_split(&text, '\n', &line)) {
		if (line.len == 0)
			continue;
		if (load_view(sessions, line) != 0)
			return -EINVAL;
		n++;
	}
	return n;
}
