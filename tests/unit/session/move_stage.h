/*
 * A move on a stage: the API server's side is answered by the test, in pieces of any
 * size; the client reads as much at a time as it likes, and may leave behind any byte.
 */
#ifndef RINGSIDE_UNIT_SESSION_MOVE_STAGE_H
#define RINGSIDE_UNIT_SESSION_MOVE_STAGE_H

#include "proxy/session/move.h"

#include "tests/unit/net/fake_api.c"  // NOLINT(bugprone-suspicious-include)
#include "tests/unit/net/fake_ring.c" // NOLINT(bugprone-suspicious-include)

/* The client stands at 90, under the view of bucket 1; now it is that of bucket 2. */
#define R 90
#define F 100
#define LIST "GET /foos?pretty=false&limit=500&labelSelector="
/* Small ones: as many as there may be. */
#define NEXT \
	"GET /foos?pretty=false&limit=10000&labelSelector=" \
	"bucket.ringside.dev%2Fr%20in%20%281%29&continue=t"
#define LEFT LIST "bucket.ringside.dev%2Fr%20in%20%281%29"
#define CAME LIST "bucket.ringside.dev%2Fr%20in%20%282%29"
#define AT_R "&resourceVersion=90&resourceVersionMatch=Exact"
#define AT_F "&resourceVersion=100&resourceVersionMatch=Exact"
#define WATCH_FROM(version) "GET /foos?watch=1&resourceVersion=" version

#define OBJECT(name, version, bucket) \
	"{\"apiVersion\":\"g/v1\",\"kind\":\"Foo\",\"metadata\":{\"name\":\"" name \
	"\",\"namespace\":\"n\",\"resourceVersion\":\"" version \
	"\",\"labels\":{\"bucket.ringside.dev/r\":\"" bucket "\"}}}"
#define LIST_OF(version, more, items) \
	"{\"apiVersion\":\"g/v1\",\"items\":[" items "],\"kind\":\"FooList\"," \
	"\"metadata\":{\"continue\":\"" more "\",\"resourceVersion\":\"" version \
	"\"}}"
#define EVENT(type, object) "{\"type\":\"" type "\",\"object\":" object "}\n"
/* As the API server makes it, and as we do. */
#define BOOKMARK(version) \
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\"," \
	"\"metadata\":{\"resourceVersion\":\"" version "\"}}}\n"
#define OUR_BOOKMARK(version) \
	"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Foo\",\"apiVersion\":\"g/v1\"," \
	"\"metadata\":{\"resourceVersion\":\"" version \
	"\",\"creationTimestamp\":null}}}\n"
/* As nobody writes it, so that it shows if somebody writes it anew. */
#define KEPT \
	"{ \"object\" : {\"metadata\": {\"resourceVersion\":\"95\",\"name\":\"k\"," \
	"\"labels\":{\"bucket.ringside.dev/r\":\"3\"}}} , \"type\":\"MODIFIED\"}\n"

/* --- the API server --- */

#define ANSWERS_MAX 16

struct answer {
	const char *line; /* how the request begins */
	int status;
	const char *body; /* NULL: bytes */
	enum upstream_result end;
	bool is_open; /* it does not end */
	struct slice bytes;
};

static struct stage {
	struct fake_ring world;
	struct header accept;     /* of the client */
	const char *content_type; /* a field; NULL: JSON, as nobody says */
	const struct answer *answers;
	size_t at; /* the next one */
	size_t piece;
	struct transfer *sending[ANSWERS_MAX];
	struct slice rest[ANSWERS_MAX];
	bool is_sent[ANSWERS_MAX]; /* all of it */

	void (*alter)(struct move_plan *plan); /* before it begins; may be NULL */
	struct move *move;
	struct transfer *transfer;
	struct doubt doubt;
	int64_t values[MOVES_METRICS_N];

	size_t reads;   /* at a time */
	size_t reads_n; /* at all; then it leaves */
	struct buf got;
	bool has_head, is_over;
	enum upstream_result result;
} * stage;

static inline void serve(void *arg, struct transfer *transfer)
{
	const struct answer *answer = &stage->answers[stage->at];

	(void)arg;
	ck_assert_msg(answer->line != NULL, "asked '%s'", fake_line(transfer));
	ck_assert_msg(slice_starts_with(slice_of(fake_line(transfer)), answer->line),
		      "asked '%s', not '%s'", fake_line(transfer), answer->line);
	fake_begin(transfer, answer->status, stage->content_type);
	stage->sending[stage->at] = transfer;
	stage->is_sent[stage->at] = answer->body == NULL && answer->bytes.len == 0;
	stage->rest[stage->at++] = answer->body != NULL ? slice_of(answer->body)
							: answer->bytes;
}

static void send_piece(size_t i)
{
	struct transfer *transfer = stage->sending[i];
	struct slice *rest = &stage->rest[i];
	size_t n = rest->len < stage->piece ? rest->len : stage->piece;

	if (stage->is_sent[i] || !fake_is_open(stage->world.fake, transfer))
		return;
	fake_send_bytes(transfer, slice_make(rest->data, n));
	*rest = slice_from(*rest, n);
	stage->is_sent[i] = rest->len == 0;
	if (stage->is_sent[i] && !stage->answers[i].is_open)
		fake_end(transfer, stage->answers[i].end);
}

static void send_pieces(void)
{
	for (size_t i = 0; i < stage->at; i++)
		send_piece(i);
}

/* --- the client --- */

static void on_client_head(void *arg, const struct upstream_head *head)
{
	(void)arg;
	ck_assert_int_eq(head->status, 200);
	stage->has_head = true;
}

static void leave(void)
{
	if (stage->transfer != NULL)
		transfer_close(move_way(stage->move), stage->transfer);
	stage->transfer = NULL;
}

static void on_client_bytes(void *arg)
{
	struct upstream *way = move_way(stage->move);
	struct slice bytes;

	(void)arg;
	while (stage->reads > 0 && stage->got.len < stage->reads_n &&
	       (bytes = transfer_peek(way, stage->transfer)).len > 0) {
		size_t n = bytes.len < stage->reads ? bytes.len : stage->reads;

		if (n > stage->reads_n - stage->got.len)
			n = stage->reads_n - stage->got.len;
		ck_assert_int_eq(buf_append(&stage->got, slice_make(bytes.data, n)), 0);
		transfer_take(way, stage->transfer, n);
	}
	if (stage->got.len == stage->reads_n)
		leave();
}

static void on_client_end(void *arg, enum upstream_result result, const struct err *err)
{
	(void)arg;
	(void)err;
	stage->is_over = true;
	stage->result = result;
}

static const struct upstream_events client = {
	.on_head = on_client_head,
	.on_bytes = on_client_bytes,
	.on_end = on_client_end,
};

/* --- a move --- */

static inline void begin(const struct answer *answers)
{
	stage = calloc(1, sizeof(*stage));
	fake_ring_init(&stage->world);
	fake_ring_learn(&stage->world);
	stage->world.fake->serve = serve;
	stage->world.fake->on_turn = send_pieces;
	stage->answers = answers;
	stage->accept = (struct header){ SLICE_LITERAL("Accept"),
					 SLICE_LITERAL("application/json") };
	stage->piece = stage->reads = stage->reads_n = 4095;
	buf_init(&stage->got, 1 << 20);
}

/* Another number as long as something happens. */
static size_t progress(void)
{
	size_t sum = stage->got.len + stage->at * 100000;

	for (size_t i = 0; i < stage->at; i++)
		sum += stage->is_sent[i] ? 0 : (1 << 30) - stage->rest[i].len;
	return sum;
}

static inline void run(void)
{
	const struct upstream_request request = {
		.method = SLICE_LITERAL("GET"),
		.target = SLICE_LITERAL("/foos?watch=1&resourceVersion=90"),
		.headers = &stage->accept,
		.headers_n = 1,
	};
	struct move_plan plan = {
		.spec = &stage->world.spec,
		.resource = &stage->world.spec.resources[FOOS],
		.position = R,
		.floor = F,
		.doubt = &stage->doubt,
		.values = stage->values,
		.path = SLICE_LITERAL("/foos"),
		.allows_bookmarks = true,
	};
	size_t before;

	bucket_set_add(&plan.released, 1);
	bucket_set_add(&plan.acquired, 2);
	doubt_begin(&stage->doubt, F);
	if (stage->alter != NULL)
		stage->alter(&plan);
	stage->move =
		move_create(stage->world.fake->loop, &stage->world.fake->super, &plan);
	stage->transfer =
		transfer_start(move_way(stage->move), &request, &client, NULL);
	do {
		before = progress();
		fake_settle(stage->world.fake);
	} while (progress() != before);
}

static inline void finish(void)
{
	leave();
	move_unref(stage->move);
	doubt_finish(&stage->doubt);
	buf_finish(&stage->got);
	fake_ring_finish(&stage->world);
	free(stage);
}

#endif
