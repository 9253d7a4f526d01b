#include "proxy/net/renamer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "proxy/kube/frame.h"
#include "proxy/net/headers.h"

/* Frames are renamed as long as less than this waits to be taken. */
#define READY_BYTES (64 * 1024)

enum renamer_form { UNKNOWN, PLAIN, WHOLE, FRAMES };

struct renamer {
	struct upstream super;
	int refs;
	struct loop *loop;
	struct upstream *upstream;
	struct transfer *transfer;
	struct rename rename;
	const struct upstream_events *events;
	void *arg;
	struct loop_task work;
	enum renamer_form form;
	enum kube_encoding encoding;
	struct upstream_head head;
	struct frame_scanner scanner;
	struct buf in;  /* the answer, or frame, that is not whole yet */
	struct buf out; /* what waits to be taken */
	enum upstream_result result;
	struct err err;
	bool is_watch;
	bool is_head_request;
	bool is_done; /* nothing more will be received */
	bool is_head_told;
	bool is_end_told;
	bool is_closed;
};

static void unref(struct renamer *renamer)
{
	if (--renamer->refs > 0)
		return;
	loop_task_stop(&renamer->work);
	buf_finish(&renamer->in);
	buf_finish(&renamer->out);
	free(renamer);
}

/* --- telling the exchange; any event may close the transfer --- */

static void tell_head(struct renamer *renamer)
{
	if (renamer->is_closed || renamer->is_head_told)
		return;
	renamer->is_head_told = true;
	renamer->events->on_head(renamer->arg, &renamer->head);
}

static void tell_bytes(struct renamer *renamer)
{
	if (!renamer->is_closed && !renamer->is_end_told)
		renamer->events->on_bytes(renamer->arg);
}

static void tell_end(struct renamer *renamer)
{
	if (renamer->is_closed || renamer->is_end_told)
		return;
	renamer->is_end_told = true;
	renamer->events->on_end(renamer->arg, renamer->result, &renamer->err);
}

static void break_off(struct renamer *renamer, const char *what)
{
	err_set(&renamer->err, -EINVAL, "the answer about a lock: %s", what);
	renamer->result = UPSTREAM_BROKEN;
	renamer->is_done = true;
	if (!renamer->is_closed && renamer->transfer)
		transfer_close(renamer->upstream, renamer->transfer);
	renamer->transfer = NULL;
	tell_end(renamer);
}

/* --- renaming --- */

static struct slice waiting(const struct renamer *renamer)
{
	return renamer->transfer ? transfer_peek(renamer->upstream, renamer->transfer)
				 : slice_make(NULL, 0);
}

/* Takes n bytes into `in`. */
static int gather(struct renamer *renamer, struct slice bytes, size_t n)
{
	int rc = buf_append(&renamer->in, slice_make(bytes.data, n));

	if (rc == 0)
		transfer_take(renamer->upstream, renamer->transfer, n);
	else
		break_off(renamer, "it is above 1 MiB");
	return rc;
}

static void rename_frames(struct renamer *renamer)
{
	struct slice bytes;
	struct err err;
	size_t n;
	int rc;

	while (renamer->out.len < READY_BYTES && (bytes = waiting(renamer)).len > 0) {
		rc = frame_scan(&renamer->scanner, bytes, &n, &err);
		if (rc < 0) {
			break_off(renamer, err.text);
			return;
		}
		if (gather(renamer, bytes, n) < 0)
			return;
		if (rc == 0)
			continue;
		if (rename_frame(&renamer->out, renamer->encoding,
				 buf_slice(&renamer->in), &renamer->rename, &err) < 0) {
			break_off(renamer, err.text);
			return;
		}
		buf_clear(&renamer->in);
	}
}

static void rename_whole(struct renamer *renamer)
{
	struct slice bytes;
	struct err err;

	while (renamer->transfer && (bytes = waiting(renamer)).len > 0)
		if (gather(renamer, bytes, bytes.len) < 0)
			return;
	if (!renamer->is_done || renamer->is_head_told)
		return;
	if (renamer->result != UPSTREAM_COMPLETE) {
		tell_end(renamer);
		return;
	}
	if (renamer->in.len > 0 &&
	    rename_body(&renamer->out, renamer->encoding, buf_slice(&renamer->in),
			&renamer->rename, &err) < 0) {
		break_off(renamer, err.text);
		return;
	}
	renamer->head.content_length = (int64_t)renamer->out.len;
	tell_head(renamer);
}

static void work(void *arg)
{
	struct renamer *renamer = arg;
	size_t before = renamer->out.len;

	if (renamer->is_closed)
		return;
	renamer->refs++;
	if (renamer->form == WHOLE)
		rename_whole(renamer);
	else if (renamer->form == FRAMES)
		rename_frames(renamer);
	if (renamer->is_head_told && renamer->out.len > before)
		tell_bytes(renamer);
	if (!renamer->is_closed && renamer->is_done && renamer->is_head_told &&
	    waiting(renamer).len == 0) {
		if (renamer->in.len > 0 && renamer->form == FRAMES &&
		    renamer->result == UPSTREAM_COMPLETE)
			break_off(renamer, "it ends inside an event");
		tell_end(renamer);
	}
	unref(renamer);
}

/* --- the events of the transfer --- */

static bool may_send(void *arg)
{
	struct renamer *renamer = arg;

	return !renamer->events->may_send || renamer->events->may_send(renamer->arg);
}

static enum renamer_form form_of(const struct renamer *renamer,
				 const struct upstream_head *head)
{
	struct slice coding =
		headers_get(head->headers, head->headers_n, "content-encoding");
	bool is_readable = (renamer->encoding == KUBE_JSON ||
			    renamer->encoding == KUBE_PROTOBUF) &&
			   (coding.len == 0 || slice_is_nocase(coding, "identity"));

	if (renamer->is_head_request || head->content_length == 0)
		return PLAIN;
	if (is_readable)
		return renamer->is_watch && head->status == 200 ? FRAMES : WHOLE;
	return head->status >= 400 ? PLAIN : UNKNOWN;
}

static void on_head(void *arg, const struct upstream_head *head)
{
	struct renamer *renamer = arg;

	renamer->head = *head;
	renamer->encoding = encoding_of_content_type(
		headers_get(head->headers, head->headers_n, "content-type"));
	/* What is forbidden must be said by its true name: so it stands in a Role. */
	renamer->rename.keeps_messages = head->status == 403;
	renamer->form = form_of(renamer, head);
	renamer->refs++;
	if (renamer->form == UNKNOWN)
		break_off(renamer, "it is neither JSON nor protobuf");
	else if (renamer->form == FRAMES)
		frame_init(&renamer->scanner, renamer->encoding);
	if (renamer->form == PLAIN || renamer->form == FRAMES)
		tell_head(renamer);
	unref(renamer);
}

static void on_bytes(void *arg)
{
	struct renamer *renamer = arg;

	if (renamer->form == PLAIN)
		tell_bytes(renamer);
	else
		work(renamer);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct renamer *renamer = arg;

	renamer->is_done = true;
	renamer->result = result;
	if (err)
		renamer->err = *err;
	if (renamer->form == PLAIN || renamer->form == UNKNOWN)
		tell_end(renamer);
	else
		work(renamer);
}

static const struct upstream_events events = {
	.may_send = may_send,
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

/* --- the way --- */

static struct renamer *renamer_of(const struct transfer *transfer)
{
	return (struct renamer *)(void *)(uintptr_t)transfer;
}

static struct transfer *way_start(struct upstream *super,
				  const struct upstream_request *request,
				  const struct upstream_events *to, void *arg)
{
	struct renamer *renamer = (struct renamer *)super;

	assert(!renamer->events && "one transfer");
	renamer->events = to;
	renamer->arg = arg;
	renamer->is_head_request = slice_is(request->method, "HEAD");
	renamer->transfer =
		transfer_start(renamer->upstream, request, &events, renamer);
	return (struct transfer *)(void *)renamer;
}

static struct slice way_peek(const struct transfer *transfer)
{
	const struct renamer *renamer = renamer_of(transfer);

	return renamer->form == PLAIN ? waiting(renamer) : buf_slice(&renamer->out);
}

static void way_take(struct transfer *transfer, size_t n)
{
	struct renamer *renamer = renamer_of(transfer);

	if (n == 0)
		return;
	if (renamer->form == PLAIN) {
		transfer_take(renamer->upstream, renamer->transfer, n);
		return;
	}
	buf_consume(&renamer->out, n);
	loop_task_start(renamer->loop, &renamer->work);
}

static void way_close(struct transfer *transfer)
{
	struct renamer *renamer = renamer_of(transfer);

	renamer->is_closed = true;
	loop_task_stop(&renamer->work);
	if (renamer->transfer)
		transfer_close(renamer->upstream, renamer->transfer);
	renamer->transfer = NULL;
	unref(renamer);
}

static const struct upstream_backend way = {
	.name = "a renamer",
	.start = way_start,
	.peek = way_peek,
	.take = way_take,
	.close = way_close,
};

struct upstream *renamer_way(struct loop *loop, struct upstream *upstream,
			     const struct rename *rename, bool is_watch)
{
	struct renamer *renamer = calloc(1, sizeof(*renamer));

	if (!renamer)
		abort();
	renamer->super.backend = &way;
	renamer->refs = 1;
	renamer->loop = loop;
	renamer->upstream = upstream;
	renamer->rename = *rename;
	renamer->is_watch = is_watch;
	buf_init(&renamer->in, RENAMER_BYTES_MAX);
	buf_init(&renamer->out, 2 * (size_t)RENAMER_BYTES_MAX);
	loop_task_init(&renamer->work, work, renamer);
	return &renamer->super;
}
