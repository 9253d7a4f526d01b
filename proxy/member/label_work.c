#include "proxy/member/label_work.h"

#include <errno.h>
#include <stdio.h>

#define PATCH_BYTES_MAX (3 * LABEL_ITEM_BYTES_MAX + 1024)
#define TARGET_BYTES_MAX (3 * LABEL_ITEM_BYTES_MAX + 1024)

static void work_end(struct label_item *item, const struct label_result *result)
{
	item->work->on_done(item->work->arg, item, result);
}

static void work_fail(struct label_item *item, const char *reason)
{
	struct label_result result = { .outcome = LABEL_FAILED,
				       .status = LABEL_LOOKUP_FAILED,
				       .reason = reason };

	work_end(item, &result);
}

/* The object's path and a query, as a text. False: it has none. */
static bool target_write(struct buf *target, const struct label_item *item,
			 const char *query)
{
	return catalog_path(item->work->catalog, item->resource, item->namespace,
			    item->name, target) == 0 &&
	       buf_append_text(target, query) == 0 &&
	       buf_append(target, slice_make("", 1)) == 0;
}

/* --- reading it again --- */

static void on_read(void *arg, const struct api_answer *answer)
{
	struct label_item *item = arg;
	struct label_result result = { .outcome = LABEL_CONFLICT };
	struct object_meta meta;
	struct err err = answer->err;

	item->call = NULL;
	if (answer->status == 404 || item->is_detached) {
		result.outcome = LABEL_GONE;
	} else if (!api_is_success(answer) || answer->json == NULL ||
		   meta_of_json(&meta, answer->arena, answer->json,
				&item->resource->keys, &err) < 0) {
		work_fail(item, err.text);
		return;
	}
	result.meta = &meta;
	work_end(item, &result);
}

static void read_start(struct label_item *item)
{
	struct buf target;
	struct api_request request = { .method = "GET", .accept = API_METADATA };

	buf_init(&target, TARGET_BYTES_MAX);
	if (target_write(&target, item, "")) {
		request.target = target.data;
		item->call = api_start(item->work->api, &request, on_read, item);
	}
	buf_finish(&target);
	if (item->call == NULL)
		work_fail(item, "no path leads to it");
}

/* --- the patch --- */

static void on_patched(void *arg, const struct api_answer *answer)
{
	struct label_item *item = arg;
	struct label_result result = { .outcome = LABEL_FAILED,
				       .status = answer->status,
				       .retry_after_ms = answer->retry_after_ms,
				       .reason = answer->err.text };

	item->call = NULL;
	if (answer->status == 409 && !item->is_detached) {
		read_start(item);
		return;
	}
	if (api_is_success(answer))
		result.outcome = LABEL_SET;
	else if (answer->status == 404 || answer->status == 409)
		result.outcome = LABEL_GONE;
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

static void patch_start(struct label_item *item, int bucket)
{
	struct buf target, body;
	struct api_request request = { .method = "PATCH",
				       .accept = API_METADATA,
				       .content_type = API_MERGE_PATCH };

	buf_init(&target, TARGET_BYTES_MAX);
	buf_init(&body, PATCH_BYTES_MAX);
	if (target_write(&target, item, "?fieldManager=ringside") &&
	    patch_write(&body, item, item->work->spec->label, bucket) == 0) {
		request.target = target.data;
		request.body = buf_slice(&body);
		item->call = api_start(item->work->api, &request, on_patched, item);
	}
	buf_finish(&target);
	buf_finish(&body);
	if (item->call == NULL)
		work_fail(item, "no path leads to it");
}

/* --- the bucket --- */

static void on_located(void *arg, struct evidence evidence, const struct err *failure)
{
	struct label_item *item = arg;
	struct label_result result = { .outcome = LABEL_FOREIGN };

	item->locate = NULL;
	if (failure != NULL) {
		work_fail(item, failure->text);
		return;
	}
	if (item->is_detached) {
		result.outcome = LABEL_GONE;
	} else if (evidence.known == PLACED_AT) {
		patch_start(item, evidence.bucket);
		return;
	}
	work_end(item, &result);
}

static int placement_of(const struct label_item *item)
{
	const struct object_meta meta = { .namespace = item->namespace,
					  .name = item->name,
					  .place = item->place };

	return ring_spec_place(item->work->spec, item->resource, &meta);
}

void label_work_start(struct label_work *work, struct label_item *item)
{
	const struct object_meta meta = { .owners = &item->owner,
					  .owners_n = 1,
					  .owner_name = item->owner.name };
	const struct owned owned = { .resource = item->resource,
				     .namespace = item->namespace,
				     .meta = &meta };

	item->work = work;
	if (item->resource->role == RESOURCE_MAIN)
		patch_start(item, placement_of(item));
	else
		item->locate =
			locate_owner_planned(work->locator, &owned, on_located, item);
}

void label_work_cancel(struct label_item *item)
{
	locate_cancel(item->locate);
	api_cancel(item->call);
	item->locate = NULL;
	item->call = NULL;
}
