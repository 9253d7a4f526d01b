#include "proxy/net/learn.h"

#include "proxy/net/server.h"

static bool says_the_object(const struct exchange *exchange,
			    const struct upstream_head *head)
{
	enum kube_verb verb = exchange->kube.verb;
	struct slice ignored;

	return exchange->resource != NULL &&
	       (verb == KUBE_VERB_CREATE || verb == KUBE_VERB_UPDATE ||
		verb == KUBE_VERB_PATCH) &&
	       (head->status == 200 || head->status == 201) &&
	       !query_get(exchange->query, "dryRun", &ignored);
}

void learn_begin(struct exchange *exchange, const struct upstream_head *head)
{
	if (!says_the_object(exchange, head))
		return;
	exchange->answer_encoding = KUBE_JSON;
	for (size_t i = 0; i < head->headers_n; i++) {
		if (slice_is_nocase(head->headers[i].name, "content-encoding"))
			return;
		if (slice_is_nocase(head->headers[i].name, "content-type"))
			exchange->answer_encoding =
				encoding_of_content_type(head->headers[i].value);
	}
	buf_init(&exchange->answer, LEARN_BYTES_MAX);
}

static void forget(struct exchange *exchange)
{
	buf_finish(&exchange->answer);
	exchange->answer = (struct buf){ 0 };
}

void learn_more(struct exchange *exchange, struct slice bytes)
{
	if (exchange->answer.cap > 0 && buf_append(&exchange->answer, bytes) != 0)
		forget(exchange);
}

void learn_end(struct exchange *exchange)
{
	const struct kube_request *request = &exchange->kube;
	struct object_meta meta;
	const struct owned object = { .resource = exchange->resource,
				      .namespace = request->namespace,
				      .meta = &meta };
	struct err err;

	if (exchange->answer.len > 0 &&
	    meta_parse(&meta, exchange->arena, exchange->answer_encoding,
		       buf_slice(&exchange->answer), &exchange->resource->keys,
		       &err) == 0 &&
	    (request->name.len == 0 || slice_eq(request->name, meta.name)))
		locator_learn(exchange->server->locator, &object, exchange->sent_ms);
	forget(exchange);
}
