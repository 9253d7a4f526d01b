#include "filters/filter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/filters/desk_spec.h"

#define LABEL "bucket.ringside.dev/foos"
#define OUT_BYTES_MAX (1 << 20)

static const struct filter *const chain[] = { &filter_election, &filter_narrow,
					      &filter_label, &filter_fence, NULL };

/* The ring of tests/unit/filters/desk.h: what a request meets at a member. */
struct desk {
	struct ring_spec spec;
	struct ring ring;
	struct view view;
	struct kube_request request;
	struct object_meta body;
	struct filter_call call;
};

static void set_ring(struct desk *desk)
{
	struct bucket_set owned;

	FUZZ_ASSERT(bucket_set_parse(&owned, SLICE_LITERAL("0-2"), DESK_BUCKETS) == 0);
	desk->ring = (struct ring){ .state = RING_ACTIVE,
				    .spec = &desk->spec,
				    .owned = owned,
				    .right_until_ms = 1000 };
	desk->ring.shown[RESOURCE_MAIN] = owned;
	desk->view = (struct view){ .set = owned, .floor = 100 };
}

static struct evidence take_evidence(struct slice *input)
{
	return (struct evidence){ .known = fuzz_choice(input, PLACED_AT + 1),
				  .bucket = (int)fuzz_choice(input, DESK_BUCKETS),
				  .is_aged = fuzz_choice(input, 2) == 1 };
}

static void read_body(struct desk *desk, struct slice bytes)
{
	static const struct meta_keys keys = { .label = SLICE_LITERAL(LABEL) };
	struct filter_call *call = &desk->call;
	struct err err;

	call->bytes = bytes;
	if (!(filter_chain_wants(chain, call) & FILTER_NEEDS_BODY))
		return;
	if (meta_parse(&desk->body, call->arena,
		       encoding_of_content_type(call->content_type), bytes, &keys,
		       &err) == 0)
		call->body = &desk->body;
	else
		call->is_body_unreadable = true;
}

/* Input: choices, a target up to the line's end, a body. */
static void set_desk(struct desk *desk, struct arena *arena, struct slice input)
{
	static const char *const methods[] = { "GET",   "POST",   "PUT",
					       "PATCH", "DELETE", "HEAD" };
	static const char *const types[] = { "application/json",
					     "application/vnd.kubernetes.protobuf",
					     "application/merge-patch+json",
					     "application/json-patch+json",
					     "application/apply-patch+yaml",
					     "" };
	static const struct slice label_keys[] = { SLICE_LITERAL("app"),
						   SLICE_LITERAL(LABEL) };
	struct filter_call *call = &desk->call;
	const char *method = methods[fuzz_choice(&input, 6)];
	struct slice target = { 0 };

	*desk = (struct desk){ .call = { .arena = arena, .label = BUCKET_NONE } };
	desk_spec_init(&desk->spec, arena);
	set_ring(desk);
	call->content_type = slice_of(types[fuzz_choice(&input, 6)]);
	call->object = take_evidence(&input);
	call->owner = take_evidence(&input);
	call->is_blind = fuzz_choice(&input, 2) == 1;
	call->label_keys = label_keys;
	call->label_keys_n = 2;
	(void)slice_split(&input, '\n', &target);
	kube_request_parse(&desk->request, arena, slice_of(method), target);
	call->request = &desk->request;
	call->spec = &desk->spec;
	call->ring = &desk->ring;
	call->view = &desk->view;
	call->query = query_parse(arena, desk->request.query);
	if (desk->request.verb != KUBE_VERB_NONE)
		call->resource = ring_spec_find(&desk->spec, desk->request.group,
						desk->request.resource);
	read_body(desk, input);
}

static void check_reply(const struct filter_call *call)
{
	FUZZ_ASSERT(call->reply.code >= 400 && call->reply.code < 600);
	FUZZ_ASSERT(call->reply.reason != NULL && call->reply.message != NULL);
}

static bool has(struct slice text, const char *part)
{
	return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* Who lists, watches or deletes a collection of the ring's sees its shard alone. */
static void check_narrowed(const struct filter_call *call)
{
	struct slice selector;
	struct query *query;
	struct buf out;

	buf_init(&out, OUT_BYTES_MAX);
	FUZZ_ASSERT(query_write(call->query, &out) == 0);
	query = query_parse(call->arena, buf_slice(&out));
	FUZZ_ASSERT(query_is_certain(query));
	FUZZ_ASSERT(query_get(query, "labelSelector", &selector));
	FUZZ_ASSERT(has(selector, LABEL));
	buf_finish(&out);
}

static void check_sent(struct filter_call *call)
{
	if (filter_chain_on_send(chain, call) == FILTER_REPLY) {
		check_reply(call);
		return;
	}
	if (call->is_counted && call->bucket >= 0)
		FUZZ_ASSERT(bucket_set_has(&call->ring->owned, call->bucket));
}

static bool is_narrowed(const struct filter_call *call)
{
	enum kube_verb verb = call->request->verb;

	return call->resource != NULL &&
	       (verb == KUBE_VERB_LIST || verb == KUBE_VERB_WATCH ||
		verb == KUBE_VERB_DELETECOLLECTION);
}

/* Whatever is asked and with whatever body: an answer, or what may leave. */
void fuzz_one(struct arena *arena, struct slice input)
{
	struct desk desk;

	set_desk(&desk, arena, input);
	if (filter_chain_on_request(chain, &desk.call) == FILTER_REPLY) {
		check_reply(&desk.call);
		return;
	}
	if (is_narrowed(&desk.call))
		check_narrowed(&desk.call);
	check_sent(&desk.call);
}
