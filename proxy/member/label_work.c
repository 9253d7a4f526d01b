#include "proxy/member/label_work.h"

#include <errno.h>
#include <stdio.h>

#define PATCH_BYTES_MAX (3 * LABEL_ITEM_BYTES_MAX + 1024)
#define TARGET_BYTES_MAX (3 * LABEL_ITEM_BYTES_MAX + 1024)

static void work_end(struct label_item *item, const struct label_result *result)
{
	item->work->on_done(item->work->arg, item, result);
}

/* --- the patch --- */

static void on_patched(void *arg, const struct api_answer *answer)
{
	struct label_item *item = arg;
	struct label_result result = { .outcome = LABEL_FAILED,
				       .status = answer->status,
				       .retry_after_ms = answer->retry_after_ms,
				       .reason = answer->err.text };

	item->patch = NULL;
	if (api_is_success(answer))
		result.outcome = LABEL_SET;
	else if (answer->status == 404)
		result.outcome = LABEL_GONE;
	else if (answer->status == 409)
		result.outcome = LABEL_CONFLICT;
	work_end(item, &result);
}

static int patch_write(struct buf *body, const struct label_item *item,
		       struct slice label, int bucket)
{
	int rc = buf_append_text(body, "{\"metadata\":{\"uid\":");

	if (rc == 0)
		rc = json_write_string(body, item->uid);
	if (rc == 0)
		rc = buf_append_text(body, ",\"resourceVersion\":");
	if (rc == 0)
		rc = json_write_string(body, item->resource_version);
	if (rc == 0)
		rc = buf_append_text(body, ",\"labels\":{");
	if (rc == 0)
		rc = json_write_string(body, label);
	return rc == 0 ? buf_printf(body, ":\"%d\"}}}", bucket) : rc;
}

static int target_write(struct buf *target, const struct label_item *item)
{
	int rc = catalog_path(item->work->catalog, item->resource, item->namespace,
			      item->name, target);

	if (rc == 0)
		rc = buf_append_text(target, "?fieldManager=ringside");
	return rc == 0 ? buf_append(target, slice_make("", 1)) : rc;
}

static void patch_start(struct label_item *item, int bucket)
{
	static const struct label_result failed = { .outcome = LABEL_FAILED,
						    .status = LABEL_LOOKUP_FAILED,
						    .reason = "no path leads to it" };
	struct label_work *work = item->work;
	struct buf target, body;
	struct api_request request = { .method = "PATCH",
				       .accept = API_METADATA,
				       .content_type = API_MERGE_PATCH };

	buf_init(&target, TARGET_BYTES_MAX);
	buf_init(&body, PATCH_BYTES_MAX);
	if (target_write(&target, item) == 0 &&
	    patch_write(&body, item, work->spec->label, bucket) == 0) {
		request.target = target.data;
		request.body = buf_slice(&body);
		item->patch = api_start(work->api, &request, on_patched, item);
	}
	buf_finish(&target);
	buf_finish(&body);
	if (item->patch == NULL)
		work_end(item, &failed);
}

/* --- the bucket --- */

static void on_located(void *arg, struct evidence evidence, const struct err *failure)
{
	struct label_item *item = arg;
	struct label_result result = { .outcome = LABEL_FOREIGN };

	item->locate = NULL;
	if (failure != NULL)
		result = (struct label_result){ .outcome = LABEL_FAILED,
						.status = LABEL_LOOKUP_FAILED,
						.reason = failure->text };
	else if (item->is_detached)
		result.outcome = LABEL_GONE;
	else if (evidence.known == PLACED_AT) {
		patch_start(item, evidence.bucket);
		return;
	}
	work_end(item, &result);
}

static int placement_of(const struct label_item *item)
{
	const struct ring_spec *spec = item->work->spec;
	struct object_key key = { .group = item->resource->group,
				  .resource = item->resource->resource,
				  .namespace = item->namespace,
				  .name = item->name };

	return bucket_place(spec->placement, spec->buckets, &key);
}

void label_work_start(struct label_work *work, struct label_item *item)
{
	struct object_meta meta = { .owners = &item->owner, .owners_n = 1 };

	item->work = work;
	if (item->resource->role == RESOURCE_MAIN)
		patch_start(item, placement_of(item));
	else
		item->locate = locate_owner_planned(work->locator, &meta,
						    item->namespace, on_located, item);
}

void label_work_cancel(struct label_item *item)
{
	locate_cancel(item->locate);
	api_cancel(item->patch);
	item->locate = NULL;
	item->patch = NULL;
}
