#include "tests/unit/net/fake_api.h"

#include <fcntl.h>
#include <stdio.h>

#include "proxy/base/log.h"

#define TOO_LONG_MS 20000
#define TURNS 12

struct transfer {
	struct fake_api *fake;
	struct list node;
	const struct upstream_events *events;
	void *arg;
	struct arena *arena;
	char *line;
	char *accept;
	struct slice request_body;
	struct loop_task serve;
	struct loop_task tell;
	struct header fields[2];
	struct upstream_head head;
	struct buf body;
	enum upstream_result result;
	bool is_answered;
	bool is_head_told;
	bool is_ended, is_end_told;
	bool is_telling, is_closed;
};

/* --- the backend --- */

static void transfer_free(struct transfer *transfer)
{
	buf_finish(&transfer->body);
	arena_destroy(transfer->arena);
	free(transfer);
}

static void transfer_tell(void *arg)
{
	struct transfer *transfer = arg;
	const struct upstream_events *events = transfer->events;
	struct err err = { "the connection broke" };

	transfer->is_telling = true;
	if (transfer->head.status != 0 && !transfer->is_head_told) {
		transfer->is_head_told = true;
		if (events->on_head != NULL)
			events->on_head(transfer->arg, &transfer->head);
	}
	if (!transfer->is_closed && transfer->body.len > 0)
		events->on_bytes(transfer->arg);
	if (!transfer->is_closed && transfer->is_ended && !transfer->is_end_told) {
		transfer->is_end_told = true;
		events->on_end(transfer->arg, transfer->result, &err);
	}
	transfer->is_telling = false;
	if (transfer->is_closed)
		transfer_free(transfer);
}

static void transfer_serve(void *arg)
{
	struct transfer *transfer = arg;

	if (transfer->events->may_send != NULL)
		(void)transfer->events->may_send(transfer->arg);
	if (transfer->fake->serve != NULL)
		transfer->fake->serve(transfer->fake->arg, transfer);
	else if (transfer->fake->is_waiting)
		loop_stop(transfer->fake->loop);
}

static struct transfer *transfer_begin(struct upstream *upstream,
				       const struct upstream_request *request,
				       const struct upstream_events *events, void *arg)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));

	transfer->fake = (struct fake_api *)upstream;
	transfer->events = events;
	transfer->arg = arg;
	transfer->arena = arena_create();
	transfer->line = arena_printf(transfer->arena, "%.*s %.*s",
				      SLICE_ARGS(request->method),
				      SLICE_ARGS(request->target));
	for (size_t i = 0; i < request->headers_n; i++)
		if (slice_is_nocase(request->headers[i].name, "accept"))
			transfer->accept =
				arena_text(transfer->arena, request->headers[i].value);
	transfer->request_body = arena_copy(transfer->arena, request->body);
	buf_init(&transfer->body, 64 << 20);
	list_init(&transfer->node);
	list_add(&transfer->fake->open, &transfer->node);
	loop_task_init(&transfer->serve, transfer_serve, transfer);
	loop_task_init(&transfer->tell, transfer_tell, transfer);
	loop_task_start(transfer->fake->loop, &transfer->serve);
	return transfer;
}

static struct slice transfer_bytes(const struct transfer *transfer)
{
	return buf_slice(&transfer->body);
}

static void transfer_drop(struct transfer *transfer, size_t n)
{
	buf_consume(&transfer->body, n);
}

static void transfer_forget(struct transfer *transfer)
{
	list_remove(&transfer->node);
	loop_task_stop(&transfer->serve);
	loop_task_stop(&transfer->tell);
	transfer->is_closed = true;
	if (!transfer->is_telling)
		transfer_free(transfer);
}

static void backend_destroy(struct upstream *upstream)
{
	(void)upstream;
}

static const struct upstream_backend fake_backend = {
	.name = "a test",
	.start = transfer_begin,
	.peek = transfer_bytes,
	.take = transfer_drop,
	.close = transfer_forget,
	.destroy = backend_destroy,
};

/* --- running --- */

static void on_too_long(void *arg)
{
	(void)arg;
	ck_abort_msg("waited in vain");
}

static void on_turn(void *arg)
{
	struct fake_api *fake = arg;

	if (fake->on_turn != NULL)
		fake->on_turn();
	if (--fake->turns_left > 0)
		loop_task_start(fake->loop, &fake->turn);
	else
		loop_stop(fake->loop);
}

struct fake_api *fake_create(void)
{
	struct fake_api *fake = calloc(1, sizeof(*fake));

	/* Lines are made, and not shown: what they say is no part of a test. */
	log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_LEVEL_DEBUG);
	fake->super.backend = &fake_backend;
	fake->loop = loop_create();
	fake->api = (struct api){ .loop = fake->loop,
				  .upstream = &fake->super,
				  .user_agent = "ringside/test" };
	list_init(&fake->open);
	loop_task_init(&fake->turn, on_turn, fake);
	loop_timer_init(&fake->too_long, on_too_long, fake);
	return fake;
}

void fake_destroy(struct fake_api *fake)
{
	ck_assert(list_is_empty(&fake->open));
	loop_timer_stop(&fake->too_long);
	loop_destroy(fake->loop);
	free(fake);
}

static struct transfer *first_unanswered(const struct fake_api *fake)
{
	for (struct list *node = fake->open.next; node != &fake->open;
	     node = node->next) {
		struct transfer *transfer = LIST_OWNER(node, struct transfer, node);

		if (!transfer->is_answered)
			return transfer;
	}
	return NULL;
}

size_t fake_unanswered(const struct fake_api *fake)
{
	size_t n = 0;

	for (struct list *node = fake->open.next; node != &fake->open;
	     node = node->next)
		n += !LIST_OWNER(node, struct transfer, node)->is_answered;
	return n;
}

bool fake_is_open(const struct fake_api *fake, const struct transfer *transfer)
{
	LIST_EACH(node, &fake->open)
		if (LIST_OWNER(node, struct transfer, node) == transfer)
			return true;
	return false;
}

size_t fake_open(const struct fake_api *fake)
{
	return list_count(&fake->open);
}

struct transfer *fake_expect(struct fake_api *fake, const char *text)
{
	struct transfer *transfer;

	loop_timer_start(fake->loop, &fake->too_long, TOO_LONG_MS);
	fake->is_waiting = true;
	while ((transfer = first_unanswered(fake)) == NULL)
		loop_run(fake->loop);
	fake->is_waiting = false;
	loop_timer_stop(&fake->too_long);
	ck_assert_msg(slice_starts_with(slice_of(transfer->line), text),
		      "asked '%s', not '%s'", transfer->line, text);
	return transfer;
}

void fake_settle(struct fake_api *fake)
{
	fake->turns_left = TURNS;
	loop_task_start(fake->loop, &fake->turn);
	loop_run(fake->loop);
}

void fake_run_until(struct fake_api *fake, const bool *is_true)
{
	loop_timer_start(fake->loop, &fake->too_long, TOO_LONG_MS);
	while (!*is_true)
		fake_settle(fake);
	loop_timer_stop(&fake->too_long);
}

/* --- what is asked and answered --- */

const char *fake_line(const struct transfer *transfer)
{
	return transfer->line;
}

const char *fake_accept(const struct transfer *transfer)
{
	return transfer->accept;
}

struct slice fake_body(const struct transfer *transfer)
{
	return transfer->request_body;
}

void fake_begin(struct transfer *transfer, int status, const char *field)
{
	struct slice rest = slice_of(field), name = { 0 };

	transfer->fields[0] = (struct header){ SLICE_LITERAL("Content-Type"),
					       SLICE_LITERAL("application/json") };
	transfer->head = (struct upstream_head){ .status = status,
						 .headers = transfer->fields,
						 .headers_n = 1,
						 .content_length = -1 };
	if (field != NULL && slice_split(&rest, ':', &name)) {
		size_t i = slice_is(name, "Content-Type") ? 0 : 1;

		transfer->fields[i] = (struct header){ name, slice_trim(rest) };
		transfer->head.headers_n = i + 1;
	}
	transfer->is_answered = true;
	loop_task_start(transfer->fake->loop, &transfer->tell);
}

void fake_send_bytes(struct transfer *transfer, struct slice bytes)
{
	ck_assert_int_eq(buf_append(&transfer->body, bytes), 0);
	loop_task_start(transfer->fake->loop, &transfer->tell);
}

void fake_send(struct transfer *transfer, const char *bytes)
{
	fake_send_bytes(transfer, slice_of(bytes));
}

void fake_end(struct transfer *transfer, enum upstream_result result)
{
	transfer->is_answered = true;
	transfer->is_ended = true;
	transfer->result = result;
	loop_task_start(transfer->fake->loop, &transfer->tell);
}

void fake_answer(struct transfer *transfer, int status, const char *body)
{
	fake_begin(transfer, status, NULL);
	fake_send(transfer, body);
	fake_end(transfer, UPSTREAM_COMPLETE);
}
