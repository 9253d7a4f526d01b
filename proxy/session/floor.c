#include "proxy/session/floor.h"

#include <errno.h>
#include <stdlib.h>

#include "proxy/base/log.h"
#include "proxy/kube/list.h"
#include "proxy/session/step.h"

#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define TARGET_BYTES_MAX 2048

/* What the answer to our write comes to: it may come after we were stopped. */
struct floor_ticket {
	struct floor_reader *reader; /* NULL: nobody waits for it any more */
};

static void floor_fail(struct floor_reader *reader, const char *what, const char *why)
{
	/* Of a row of failures, the first is told. */
	if (!reader->has_failed)
		log_warn("session",
			 "could not read the floor of a view; trying on, requests wait",
			 log_slice("resource", reader->resource->resource),
			 log_text("step", what), log_text("error", why));
	reader->has_failed = true;
	loop_timer_start(reader->env->loop, &reader->again,
			 backoff_next_ms(&reader->backoff, backoff_random()));
}

static int version_of_answer(uint64_t *out, const struct api_answer *answer,
			     struct err *err)
{
	struct list_head head;
	int rc;

	if (!api_is_success(answer)) {
		*err = answer->err;
		return -EIO;
	}
	if (answer->json == NULL)
		return err_set(err, -EINVAL, "the answer is no JSON");
	rc = list_of_json(&head, answer->json, err);
	if (rc == 0 && slice_to_u64(head.resource_version, out) != 0)
		rc = err_set(err, -EINVAL, "resourceVersion is no number");
	return rc;
}

static void on_list(void *arg, const struct api_answer *answer)
{
	struct floor_reader *reader = arg;
	struct err err;
	uint64_t floor = 0;

	reader->call = NULL;
	if (version_of_answer(&floor, answer, &err) != 0) {
		floor_fail(reader, "list", err.text);
		return;
	}
	reader->on_known(reader->arg, floor,
			 session_floor_is_foreign(floor, reader->written));
}

static void floor_list(struct floor_reader *reader)
{
	static const struct slice none = { 0 };
	struct api_request request = { .method = "GET", .accept = API_METADATA_LIST };
	struct buf target;
	int rc;

	buf_init(&target, TARGET_BYTES_MAX);
	rc = catalog_path(reader->env->catalog, reader->resource, none, none, &target);
	/* Without a resourceVersion: a consistent read. */
	if (rc == 0)
		rc = buf_append(&target, slice_make("?limit=1", sizeof("?limit=1")));
	if (rc == 0) {
		request.target = target.data;
		reader->call = api_start(reader->env->api, &request, on_list, reader);
	} else {
		floor_fail(reader, "list",
			   rc == -ENOENT ? "the API server does not serve it yet"
					 : "no path");
	}
	buf_finish(&target);
}

static void on_written(void *arg, uint64_t version)
{
	struct floor_ticket *ticket = arg;
	struct floor_reader *reader = ticket->reader;

	free(ticket);
	if (reader == NULL)
		return;
	reader->ticket = NULL;
	reader->written = version;
	if (version == 0)
		floor_fail(reader, "write", "our Lease could not be written");
	else
		floor_list(reader);
}

static void floor_write(struct floor_reader *reader)
{
	struct floor_ticket *ticket = malloc(sizeof(*ticket));

	if (ticket == NULL)
		abort();
	ticket->reader = reader;
	reader->ticket = ticket;
	reader->env->write_barrier(reader->env->barrier_arg, on_written, ticket);
}

static void on_again(void *arg)
{
	struct floor_reader *reader = arg;

	if (reader->written == 0)
		floor_write(reader);
	else
		floor_list(reader);
}

void floor_init(struct floor_reader *reader)
{
	loop_timer_init(&reader->again, on_again, reader);
}

void floor_start(struct floor_reader *reader)
{
	floor_stop(reader);
	backoff_init(&reader->backoff, BACKOFF_MIN_MS, BACKOFF_MAX_MS);
	reader->written = 0;
	reader->has_failed = false;
	floor_write(reader);
}

void floor_restart_read(struct floor_reader *reader)
{
	if (reader->call == NULL)
		return; /* it has yet to begin */
	api_cancel(reader->call);
	reader->call = NULL;
	floor_list(reader);
}

void floor_stop(struct floor_reader *reader)
{
	if (reader->ticket != NULL)
		reader->ticket->reader = NULL;
	reader->ticket = NULL;
	api_cancel(reader->call);
	reader->call = NULL;
	loop_timer_stop(&reader->again);
}
