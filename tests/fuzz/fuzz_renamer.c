#include "proxy/net/renamer.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define BYTES_MAX (8u << 20)
#define TURNS_MAX 100

/* The way upstream whose answer is the input, in pieces. */
struct transfer {
	struct upstream super;
	const struct upstream_events *events;
	void *arg;
	struct buf body;
	bool is_closed;
};

static struct transfer *start(struct upstream *upstream,
			      const struct upstream_request *request,
			      const struct upstream_events *events, void *arg)
{
	struct transfer *transfer = (struct transfer *)upstream;

	(void)request;
	transfer->events = events;
	transfer->arg = arg;
	return transfer;
}

static struct slice peek(const struct transfer *transfer)
{
	return buf_slice(&transfer->body);
}

static void take(struct transfer *transfer, size_t n)
{
	FUZZ_ASSERT(!transfer->is_closed && n <= transfer->body.len);
	buf_consume(&transfer->body, n);
}

static void close_it(struct transfer *transfer)
{
	transfer->is_closed = true;
}

static const struct upstream_backend backend = {
	.name = "a fuzzer",
	.start = start,
	.peek = peek,
	.take = take,
	.close = close_it,
};

/* What the exchange is told. */
struct outcome {
	enum upstream_result result;
	int64_t content_length;
	struct buf bytes;
	bool has_head, is_ended;
};

static void on_head(void *arg, const struct upstream_head *head)
{
	struct outcome *out = arg;

	FUZZ_ASSERT(!out->has_head && !out->is_ended);
	out->has_head = true;
	out->content_length = head->content_length;
}

static void on_bytes(void *arg)
{
	const struct outcome *out = arg;

	FUZZ_ASSERT(out->has_head && !out->is_ended);
}

static void on_end(void *arg, enum upstream_result result, const struct err *err)
{
	struct outcome *out = arg;

	FUZZ_ASSERT(!out->is_ended);
	out->is_ended = true;
	out->result = result;
	FUZZ_ASSERT(result == UPSTREAM_COMPLETE || err->text[0] != '\0');
}

static const struct upstream_events events = {
	.on_head = on_head,
	.on_bytes = on_bytes,
	.on_end = on_end,
};

/* What kind of answer it is, besides its bytes. */
struct kind {
	const char *method;
	const char *content_type;
	int status;
	bool is_watch;
	bool breaks; /* it ends badly */
};

static struct kind take_kind(struct slice *input)
{
	static const char *const types[] = { "application/json",
					     "application/vnd.kubernetes.protobuf",
					     "text/plain", "application/cbor" };
	static const int statuses[] = { 200, 403, 404, 500 };

	return (struct kind){
		.method = fuzz_choice(input, 8) == 7 ? "HEAD" : "GET",
		.content_type = types[fuzz_choice(input, 4)],
		.status = statuses[fuzz_choice(input, 4)],
		.is_watch = fuzz_choice(input, 2) == 1,
		.breaks = fuzz_choice(input, 8) == 7,
	};
}

/* Takes a part of what waits: as clients do that have little room. */
static void drain(struct outcome *out, struct upstream *way, struct transfer *renamed,
		  size_t most)
{
	struct slice bytes = transfer_peek(way, renamed);
	size_t n = bytes.len < most ? bytes.len : most;

	FUZZ_ASSERT(buf_append(&out->bytes, slice_make(bytes.data, n)) == 0);
	transfer_take(way, renamed, n);
}

/* Upstream's part: head, pieces, end; each seen by the loop. */
static void answer(struct transfer *from, const struct kind *kind, struct slice input,
		   size_t chunk, struct loop *loop)
{
	struct header field = { SLICE_LITERAL("Content-Type"),
				slice_of(kind->content_type) };
	struct upstream_head head = { .status = kind->status,
				      .headers = &field,
				      .headers_n = 1,
				      .content_length = -1 };
	struct err broken = { "it broke" };

	from->events->on_head(from->arg, &head);
	while (input.len > 0 && !from->is_closed) {
		size_t n = input.len < chunk ? input.len : chunk;

		FUZZ_ASSERT(buf_append(&from->body, slice_make(input.data, n)) == 0);
		input = slice_from(input, n);
		from->events->on_bytes(from->arg);
		loop_turn(loop);
	}
	if (!from->is_closed)
		from->events->on_end(from->arg,
				     kind->breaks ? UPSTREAM_BROKEN : UPSTREAM_COMPLETE,
				     &broken);
}

static void ask(struct outcome *out, const struct kind *kind, struct slice input,
		size_t chunk)
{
	static const struct rename rename = { .from = SLICE_LITERAL("lock.ringside-a"),
					      .to = SLICE_LITERAL("lock") };
	static struct loop *loop;
	const struct upstream_request request = { .method = slice_of(kind->method) };
	struct transfer from = { .super.backend = &backend };
	struct transfer *renamed;
	struct upstream *way;

	if (loop == NULL)
		loop = loop_create();
	*out = (struct outcome){ .is_ended = false };
	buf_init(&out->bytes, BYTES_MAX);
	buf_init(&from.body, BYTES_MAX);
	way = renamer_way(loop, &from.super, &rename, kind->is_watch);
	renamed = transfer_start(way, &request, &events, out);
	answer(&from, kind, input, chunk, loop);
	/* As slowly as it came. */
	for (int i = 0; transfer_peek(way, renamed).len > 0 || i < TURNS_MAX; i++) {
		drain(out, way, renamed, chunk);
		loop_turn(loop);
		if (out->is_ended && transfer_peek(way, renamed).len == 0)
			break;
	}
	FUZZ_ASSERT(out->is_ended);
	transfer_close(way, renamed);
	loop_turn(loop);
	buf_finish(&from.body);
}

static void check(const struct outcome *part, const struct outcome *whole)
{
	FUZZ_ASSERT(part->result == whole->result);
	FUZZ_ASSERT(part->has_head == whole->has_head);
	FUZZ_ASSERT(part->content_length == whole->content_length);
	FUZZ_ASSERT(slice_eq(buf_slice(&part->bytes), buf_slice(&whole->bytes)));
}

/* However an answer about a lock is cut, it comes back as the same one. */
void fuzz_one(struct arena *arena, struct slice input)
{
	struct kind kind = take_kind(&input);
	struct outcome whole, part;

	(void)arena;
	ask(&whole, &kind, input, input.len + 1);
	if (whole.content_length >= 0 && whole.result == UPSTREAM_COMPLETE)
		FUZZ_ASSERT((size_t)whole.content_length == whole.bytes.len);
	for (size_t chunk = 1; chunk < 8; chunk += 2) {
		ask(&part, &kind, input, chunk);
		check(&part, &whole);
		buf_finish(&part.bytes);
	}
	buf_finish(&whole.bytes);
}
