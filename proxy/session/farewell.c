#include "proxy/session/farewell.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/base/clock.h"
#include "proxy/base/log.h"
#include "proxy/kube/list_reader.h"
#include "proxy/kube/query.h"
#include "proxy/net/headers.h"
#include "proxy/session/move.h"
#include "proxy/session/retelling.h"

/* Frames are retold as long as less than this waits to be taken. */
#define READY_BYTES (64u * 1024)
#define FRAME_BYTES_MAX (LIST_ITEM_BYTES_MAX + READY_BYTES)
#define OUT_BYTES_MAX (FRAME_BYTES_MAX + 2 * READY_BYTES)
#define TARGET_BYTES_MAX (64u * 1024)
#define UID_BYTES 128

const struct metric farewells_metrics[] = {
	[FAREWELLS_LOOKED_UP] = { "ringside_farewells_looked_up_total", NULL,
				  METRIC_COUNTER,
				  "Deletions that were looked up before they were "
				  "told, as onRelease is suppress." },
	[FAREWELLS_HUSHED] = { "ringside_farewells_suppressed_total", NULL,
			       METRIC_COUNTER,
			       "Deletions that were not told: the object has left the "
			       "shard and exists." },
	[FAREWELLS_UNKNOWN] = { "ringside_farewells_unknown_total", NULL,
				METRIC_COUNTER,
				"Watches that were broken off before a deletion that "
				"could not be looked up." },
};

struct farewell {
	struct upstream super;
	int refs;
	struct farewell_plan plan;
	struct upstream *around;
	struct transfer *transfer;
	const struct upstream_events *events;
	void *arg;
	struct loop_task work;
	struct retelling retelling;
	struct buf out; /* what waits to be taken */
	struct api_call *lookup;
	char uid[UID_BYTES]; /* of the object that is looked up */
	enum upstream_result result;
	struct err err;
	bool is_retold; /* else it passes as it is */
	bool is_done;   /* nothing more will be received */
	bool is_end_told;
	bool is_closed;
};

bool farewell_is_wanted(const struct ring_resource *resource, struct slice accept)
{
	return resource->on_release != RELEASE_DELETED && move_is_possible(accept);
}

/* --- telling the exchange; any event may close the transfer --- */

static struct slice waiting(const struct farewell *farewell)
{
	return farewell->transfer ? transfer_peek(farewell->around, farewell->transfer)
				  : slice_make(NULL, 0);
}

static void tell_end(struct farewell *farewell)
{
	if (farewell->is_closed || farewell->is_end_told)
		return;
	farewell->is_end_told = true;
	farewell->events->on_end(farewell->arg, farewell->result, &farewell->err);
}

static void close_around(struct farewell *farewell)
{
	if (farewell->transfer != NULL)
		transfer_close(farewell->around, farewell->transfer);
	farewell->transfer = NULL;
	api_cancel(farewell->lookup);
	farewell->lookup = NULL;
}

/* What waits goes on, and nothing behind it. */
static void break_off(struct farewell *farewell, const char *what)
{
	log_warn("session", "a watch is broken off before an event that cannot be told",
		 log_slice("resource", farewell->plan.resource->resource),
		 log_text("reason", what));
	err_set(&farewell->err, -EINVAL, "%s", what);
	farewell->result = UPSTREAM_BROKEN;
	farewell->is_done = true;
	close_around(farewell);
}

/* --- what became of an object --- */

enum fate { FATE_GONE, FATE_ELSEWHERE, FATE_UNKNOWN };

/* Whether the object is among those of its name that the client's selectors match. */
static bool has_object(const struct farewell *farewell, const struct json *items,
		       struct arena *arena)
{
	static const struct meta_keys none;
	struct object_meta meta;
	struct err err;

	for (const struct json *item = items ? items->first : NULL; item != NULL;
	     item = item->next)
		if (meta_of_json(&meta, arena, item, &none, &err) == 0 &&
		    slice_is(meta.uid, farewell->uid))
			return true;
	return false;
}

static enum fate fate_of(const struct farewell *farewell,
			 const struct api_answer *answer)
{
	struct list_head list;
	struct err err;

	if (answer->status == 404) /* the resource itself is gone */
		return FATE_GONE;
	if (!api_is_success(answer) || answer->json == NULL ||
	    list_of_json(&list, answer->json, &err) < 0)
		return FATE_UNKNOWN;
	return has_object(farewell, list.items, answer->arena) ? FATE_ELSEWHERE
							       : FATE_GONE;
}

static void on_found(void *arg, const struct api_answer *answer)
{
	struct farewell *farewell = arg;
	enum fate fate = fate_of(farewell, answer);
	int rc = 0;

	farewell->lookup = NULL;
	if (fate == FATE_GONE)
		rc = retelling_tell(&farewell->retelling, &farewell->out);
	else if (fate == FATE_ELSEWHERE)
		rc = retelling_hush(&farewell->retelling, &farewell->out);
	farewell->plan.values[FAREWELLS_HUSHED] += fate == FATE_ELSEWHERE;
	farewell->plan.values[FAREWELLS_UNKNOWN] += fate == FATE_UNKNOWN;
	if (fate == FATE_UNKNOWN)
		break_off(farewell, answer->err.text[0] ? answer->err.text
							: "the look-up makes no sense");
	else if (rc < 0)
		break_off(farewell, "it has no metadata that can be read");
	loop_task_start(farewell->plan.api->loop, &farewell->work);
}

static int write_selector(struct buf *out, const char *key, struct slice theirs,
			  const char *ours)
{
	struct buf text;
	int rc;

	buf_init(&text, TARGET_BYTES_MAX);
	rc = buf_printf(&text, "%.*s%s%s", SLICE_ARGS(theirs),
			theirs.len > 0 && ours[0] != '\0' ? "," : "", ours);
	if (rc == 0)
		rc = buf_printf(out, "&%s=", key);
	if (rc == 0)
		rc = query_escape(out, buf_slice(&text));
	buf_finish(&text);
	return rc;
}

/*
 * The client's own selectors, without ours: what it let go of itself is not found, as
 * is what is gone.
 */
static int write_target(const struct farewell *farewell, const struct object_meta *meta,
			struct arena *arena, struct buf *out)
{
	static const struct slice any = { 0 };
	const struct farewell_plan *plan = &farewell->plan;
	int rc = catalog_path(plan->catalog, plan->resource, meta->namespace, any, out);

	if (rc == 0)
		rc = buf_append_text(out, "?pretty=false");
	if (rc == 0)
		rc = write_selector(out, "fieldSelector", plan->field_selector,
				    arena_printf(arena, "metadata.name=%.*s",
						 SLICE_ARGS(meta->name)));
	if (rc == 0 && plan->label_selector.len > 0)
		rc = write_selector(out, "labelSelector", plan->label_selector, "");
	return rc < 0 ? rc : buf_append(out, slice_make("", 1));
}

static int start_lookup(struct farewell *farewell, const struct object_meta *meta,
			struct arena *arena)
{
	struct api_request request = { .method = "GET", .accept = API_METADATA_LIST };
	struct buf target;
	int rc;

	buf_init(&target, TARGET_BYTES_MAX);
	rc = write_target(farewell, meta, arena, &target);
	if (rc == 0) {
		request.target = target.data;
		farewell->lookup =
			api_start(farewell->plan.api, &request, on_found, farewell);
		farewell->plan.values[FAREWELLS_LOOKED_UP]++;
	}
	buf_finish(&target);
	return rc;
}

/* A DELETED: of what is being deleted, it is true; of all else we must know. */
static int look_up(struct farewell *farewell)
{
	static const struct meta_keys none;
	struct arena *arena = arena_create();
	struct object_meta meta;
	struct err err;
	int rc = retelling_subject(&farewell->retelling, arena, &none, &meta, &err);

	if (rc == 0 && (meta.uid.len == 0 || meta.uid.len >= sizeof(farewell->uid)))
		rc = -EINVAL;
	if (rc == 0 && meta.is_deleting)
		rc = retelling_tell(&farewell->retelling, &farewell->out);
	else if (rc == 0) {
		memcpy(farewell->uid, meta.uid.data, meta.uid.len);
		farewell->uid[meta.uid.len] = '\0';
		rc = start_lookup(farewell, &meta, arena);
	}
	arena_destroy(arena);
	return rc;
}

/* --- retelling --- */

static void retell(struct farewell *farewell)
{
	struct slice bytes;
	size_t n;
	int rc = 0;

	while (rc >= 0 && farewell->lookup == NULL && farewell->out.len < READY_BYTES &&
	       (bytes = waiting(farewell)).len > 0) {
		rc = retelling_take(&farewell->retelling, bytes, &n, clock_wall_s(),
				    &farewell->out);
		if (rc < 0)
			break;
		transfer_take(farewell->around, farewell->transfer, n);
		if (rc == RETELLING_ASKS)
			rc = look_up(farewell);
	}
	if (rc < 0)
		break_off(farewell, "it is no watch event that can be read");
	else if (farewell->is_done && farewell->lookup == NULL &&
		 waiting(farewell).len == 0 &&
		 !retelling_is_idle(&farewell->retelling) &&
		 farewell->result == UPSTREAM_COMPLETE)
		break_off(farewell, "the API server's watch ends inside an event");
}

static void work(void *arg)
{
	struct farewell *farewell = arg;

	if (farewell->is_closed)
		return;
	farewell->refs++;
	if (farewell->is_retold)
		retell(farewell);
	/* Also without bytes: what is asked about a move may have changed. */
	farewell->events->on_bytes(farewell->arg);
	if (farewell->is_done && farewell->lookup == NULL && waiting(farewell).len == 0)
		tell_end(farewell);
	farewell_unref(farewell);
}

/* --- the events of the transfer --- */

static bool may_send(void *arg)
{
	struct farewell *farewell = arg;

	return farewell->events->may_send == NULL ||
	       farewell->events->may_send(farewell->arg);
}

static void on_head(void *arg, const struct upstream_head *head)
{
	struct farewell *farewell = arg;
	enum kube_encoding encoding = encoding_of_content_type(
		headers_get(head->headers, head->headers_n, "content-type"));
	struct slice coding =
		headers_get(head->headers, head->headers_n, "content-encoding");

	farewell->is_retold = head->status == 200 &&
			      (encoding == KUBE_JSON || encoding == KUBE_PROTOBUF) &&
			      (coding.len == 0 || slice_is_nocase(coding, "identity"));
	retelling_init(&farewell->retelling, farewell->plan.resource->on_release,
		       encoding, FRAME_BYTES_MAX);
	farewell->retelling.allows_bookmarks = farewell->plan.allows_bookmarks;
	farewell->events->on_head(farewell->arg, head);
}

static void on_bytes(void *arg)
{
	work(arg);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct farewell *farewell = arg;

	farewell->is_done = true;
	farewell->result = result;
	if (err != NULL)
		farewell->err = *err;
	if (farewell->is_retold)
		work(farewell);
	else
		tell_end(farewell);
}

static const struct upstream_events events = {
	.may_send = may_send,
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

/* --- the way --- */

static struct farewell *farewell_of(const struct transfer *transfer)
{
	return (struct farewell *)(void *)(uintptr_t)transfer;
}

static struct transfer *way_start(struct upstream *super,
				  const struct upstream_request *request,
				  const struct upstream_events *to, void *arg)
{
	struct farewell *farewell = (struct farewell *)super;

	assert(farewell->events == NULL && "it is one answer");
	farewell->refs++;
	farewell->events = to;
	farewell->arg = arg;
	farewell->transfer =
		transfer_start(farewell->around, request, &events, farewell);
	return (struct transfer *)(void *)farewell;
}

static struct slice way_peek(const struct transfer *transfer)
{
	const struct farewell *farewell = farewell_of(transfer);

	return farewell->is_retold ? buf_slice(&farewell->out) : waiting(farewell);
}

static void way_take(struct transfer *transfer, size_t n)
{
	struct farewell *farewell = farewell_of(transfer);

	if (n == 0)
		return;
	if (!farewell->is_retold) {
		transfer_take(farewell->around, farewell->transfer, n);
		return;
	}
	buf_consume(&farewell->out, n);
	loop_task_start(farewell->plan.api->loop, &farewell->work);
}

static void way_close(struct transfer *transfer)
{
	struct farewell *farewell = farewell_of(transfer);

	farewell->is_closed = true;
	loop_task_stop(&farewell->work);
	close_around(farewell);
	farewell_unref(farewell);
}

static const struct upstream_backend way = {
	.name = "a farewell",
	.start = way_start,
	.peek = way_peek,
	.take = way_take,
	.close = way_close,
};

struct farewell *farewell_create(struct upstream *around,
				 const struct farewell_plan *plan)
{
	struct farewell *farewell = calloc(1, sizeof(*farewell));

	if (farewell == NULL)
		abort();
	farewell->super.backend = &way;
	farewell->refs = 1;
	farewell->around = around;
	farewell->plan = *plan;
	buf_init(&farewell->out, OUT_BYTES_MAX);
	loop_task_init(&farewell->work, work, farewell);
	return farewell;
}

void farewell_unref(struct farewell *farewell)
{
	if (farewell == NULL || --farewell->refs > 0)
		return;
	retelling_finish(&farewell->retelling);
	buf_finish(&farewell->out);
	free(farewell);
}

struct upstream *farewell_way(struct farewell *farewell)
{
	return &farewell->super;
}

bool farewell_is_idle(const struct farewell *farewell)
{
	return farewell->out.len == 0 && retelling_is_idle(&farewell->retelling);
}
