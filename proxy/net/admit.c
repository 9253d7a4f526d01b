/*
 * From a request to a decision: what it is about (PARSE), which view of the ring
 * it is judged by (ADMIT), what must be looked up first (GATHER), and what the
 * filters say.
 */
#include <errno.h>

#include "proxy/base/log.h"
#include "proxy/kube/label_body.h"
#include "proxy/net/backoff.h"
#include "proxy/net/exchange.h"
#include "proxy/net/server.h"

static bool is_listing(const struct exchange *exchange)
{
	enum kube_verb verb = exchange->kube.verb;

	return verb == KUBE_VERB_LIST || verb == KUBE_VERB_WATCH ||
	       verb == KUBE_VERB_DELETECOLLECTION;
}

/* --- the filters' word --- */

static void decide(struct exchange *exchange)
{
	exchange->call.now_ms = loop_now_ms(exchange->server->loop);
	if (filter_chain_on_request(exchange->server->chain, &exchange->call) ==
	    FILTER_REPLY) {
		reply_status(exchange, &exchange->call.reply);
		return;
	}
	if (exchange->call.lock != NULL)
		exchange->server->ring->vitals.locked_ms = exchange->call.now_ms;
	if (exchange->call.is_edited) {
		exchange->body = exchange->call.edited;
		if (exchange->call.lock == NULL)
			exchange->server->values[SERVER_LABELLED]++;
	}
	forward_start(exchange);
}

/* --- gathering: the body's metadata, the object's place, the owner's --- */

static void gather_next(struct exchange *exchange);

static void lookup_failed(struct exchange *exchange, const struct err *failure)
{
	struct status status = {
		.code = 503,
		.reason = "ServiceUnavailable",
		.retry_after_s = 1,
		.message = arena_printf(exchange->arena,
					"ringside could not look up where the "
					"object belongs: %s",
					failure->text),
	};

	reply_status(exchange, &status);
}

/* What has been known for long may let a write pass; whose it is not is asked anew. */
static bool is_stale(const struct exchange *exchange, const struct evidence *evidence)
{
	return evidence->is_aged &&
	       !bucket_set_has(&exchange->server->ring->current->owned,
			       evidence->bucket);
}

static void on_label_keys(void *arg, const struct slice *keys, size_t keys_n,
			  const struct err *failure)
{
	struct exchange *exchange = arg;
	struct slice *copies;

	exchange->label_keys = NULL;
	if (failure != NULL) {
		lookup_failed(exchange, failure);
		return;
	}
	copies = arena_alloc(exchange->arena, (keys_n + 1) * sizeof(*copies));
	for (size_t i = 0; i < keys_n; i++)
		copies[i] = arena_copy(exchange->arena, keys[i]);
	exchange->call.label_keys = copies;
	exchange->call.label_keys_n = keys_n;
	gather_next(exchange);
}

static void gather_body(struct exchange *exchange)
{
	static const struct meta_keys none;
	struct object_meta *meta = arena_alloc(exchange->arena, sizeof(*meta));
	enum kube_encoding encoding =
		encoding_of_content_type(exchange_header(exchange, "content-type"));
	struct err err;

	/* A list of operations has no metadata of its own. */
	if (exchange->kube.verb == KUBE_VERB_PATCH &&
	    encoding_patch_of(exchange->call.content_type) == KUBE_PATCH_JSON)
		return;
	if (meta_parse(meta, exchange->arena, encoding, exchange->body,
		       exchange->resource != NULL ? &exchange->resource->keys : &none,
		       &err) == 0)
		exchange->call.body = meta;
	else
		exchange->call.is_body_unreadable = true;
}

static void gather_object(struct exchange *exchange, bool takes_aged);
static void gather_owner(struct exchange *exchange, bool takes_aged);

static void on_object_located(void *arg, struct evidence evidence,
			      const struct err *failure)
{
	struct exchange *exchange = arg;

	exchange->locate = NULL;
	exchange->call.object = evidence;
	if (failure != NULL)
		lookup_failed(exchange, failure);
	else if (is_stale(exchange, &evidence))
		gather_object(exchange, false);
	else
		gather_next(exchange);
}

static void on_owner_located(void *arg, struct evidence evidence,
			     const struct err *failure)
{
	struct exchange *exchange = arg;

	exchange->locate = NULL;
	exchange->call.owner = evidence;
	if (failure != NULL)
		lookup_failed(exchange, failure);
	else if (is_stale(exchange, &evidence))
		gather_owner(exchange, false);
	else
		gather_next(exchange);
}

/* A replacement that names a uid is for that object alone, says the API server too. */
static void gather_object(struct exchange *exchange, bool takes_aged)
{
	const struct kube_request *request = &exchange->kube;
	struct locate_question question = {
		.resource = exchange->resource,
		.namespace = request->namespace,
		.name = request->name,
	};

	if (exchange->call.body != NULL &&
	    (request->subresource.len == 0 || slice_is(request->subresource, "status")))
		question.uid = exchange->call.body->uid;
	question.takes_aged = takes_aged && request->verb == KUBE_VERB_UPDATE;
	exchange->locate = locate_object(exchange->server->locator, &question,
					 on_object_located, exchange);
}

static void gather_owner(struct exchange *exchange, bool takes_aged)
{
	struct owned child = {
		.resource = exchange->resource,
		.namespace = exchange->kube.namespace,
		.meta = exchange->call.body,
		.takes_aged = takes_aged,
	};

	exchange->locate = locate_owner(exchange->server->locator, &child,
					on_owner_located, exchange);
}

static void gather_label_keys(struct exchange *exchange)
{
	const struct server *server = exchange->server;
	struct locate_question question = {
		.resource = exchange->resource,
		.namespace = exchange->kube.namespace,
		.name = exchange->kube.name,
	};

	exchange->label_keys = label_keys_start(server->api, server->catalog, &question,
						on_label_keys, exchange);
}

/* Takes one need after the other; the last one leads to the filters. */
static void gather_next(struct exchange *exchange)
{
	unsigned needs = exchange->needs;

	if (needs & FILTER_NEEDS_BODY) {
		exchange->needs &= ~(unsigned)FILTER_NEEDS_BODY;
		gather_body(exchange);
	}
	if ((needs & FILTER_NEEDS_LABELS) && label_body_drops_all(exchange->body)) {
		exchange->needs &= ~(unsigned)FILTER_NEEDS_LABELS;
		gather_label_keys(exchange);
		return;
	}
	if (needs & FILTER_NEEDS_OBJECT) {
		exchange->needs &= ~(unsigned)FILTER_NEEDS_OBJECT;
		gather_object(exchange, true);
	} else if ((needs & FILTER_NEEDS_OWNER) && exchange->call.body != NULL) {
		exchange->needs &= ~(unsigned)FILTER_NEEDS_OWNER;
		gather_owner(exchange, true);
	} else {
		decide(exchange);
	}
}

static void gather_start(struct exchange *exchange)
{
	struct server *server = exchange->server;

	exchange_enter(exchange, EXCHANGE_GATHER);
	exchange->ring = ring_ref(server->ring->current);
	exchange->call.ring = exchange->ring;
	exchange->needs = filter_chain_wants(server->chain, &exchange->call);
	gather_next(exchange);
}

/* --- admission --- */

static void on_hold_over(void *arg)
{
	struct exchange *exchange = arg;
	const struct ring *ring = exchange->server->ring->current;
	struct status status = {
		.code = 503,
		.reason = "ServiceUnavailable",
		.retry_after_s = 1,
		.message = arena_printf(exchange->arena, "ring %.*s is not ready: %s",
					SLICE_ARGS(exchange->server->spec->ring),
					ring->reason ? ring->reason
						     : ring_state_name(ring->state)),
	};

	exchange->server->values[SERVER_NOT_READY]++;
	reply_status(exchange, &status);
}

void admit_try(struct exchange *exchange)
{
	struct relay *relay = &exchange->server->relay;
	const struct view *view;

	if (exchange->resource == NULL || !is_listing(exchange)) {
		gather_start(exchange);
		return;
	}
	view = relay->admit(relay->arg, &exchange->listing);
	if (view != NULL) {
		loop_timer_stop(&exchange->hold);
		exchange->view = *view;
		exchange->call.view = &exchange->view;
		gather_start(exchange);
	} else if (exchange->server->is_draining) {
		on_hold_over(exchange);
	} else if (!loop_timer_is_running(&exchange->hold)) {
		loop_timer_start(exchange->server->loop, &exchange->hold,
				 exchange->server->conf.hold_ms);
	}
}

static struct slice parameter(const struct exchange *exchange, const char *key)
{
	struct slice value = { 0 };

	(void)query_get(exchange->query, key, &value);
	return value;
}

static void prepare_listing(struct exchange *exchange)
{
	struct relay_request *listing = &exchange->listing;
	struct server *server = exchange->server;

	*listing = (struct relay_request){
		.resource = exchange->resource,
		.is_watch = exchange->kube.verb == KUBE_VERB_WATCH,
		.is_deprecated_watch = exchange->kube.is_deprecated_watch,
		.sends_initial_events =
			query_get_bool(exchange->query, "sendInitialEvents"),
		.allows_bookmarks =
			query_get_bool(exchange->query, "allowWatchBookmarks"),
		.path = exchange->kube.path,
		.label_selector = parameter(exchange, "labelSelector"),
		.field_selector = parameter(exchange, "fieldSelector"),
		.accept = exchange_header(exchange, "accept"),
		.user_agent = exchange_header(exchange, "user-agent"),
	};
	(void)slice_to_u64(parameter(exchange, "resourceVersion"), &listing->position);
	if (listing->is_watch)
		server->ring->vitals.watched_ms = loop_now_ms(server->loop);
}

static void prepare(struct exchange *exchange)
{
	struct filter_call *call = &exchange->call;

	exchange->query = query_parse(exchange->arena, exchange->kube.query);
	if (exchange->kube.verb != KUBE_VERB_NONE)
		exchange->resource = ring_spec_find(exchange->server->spec,
						    exchange->kube.group,
						    exchange->kube.resource);
	if (exchange->resource != NULL && is_listing(exchange))
		prepare_listing(exchange);
	call->request = &exchange->kube;
	call->content_type = exchange_header(exchange, "content-type");
	call->resource = exchange->resource;
	call->spec = exchange->server->spec;
	call->query = exchange->query;
	call->bytes = exchange->body;
	/* A call into the kernel, for what may be placed alone. */
	if (exchange->resource != NULL)
		call->random = backoff_random();
	call->arena = exchange->arena;
	call->bucket = BUCKET_NONE;
	call->label = BUCKET_NONE;
}

static bool is_head_too_long(const struct exchange *exchange)
{
	/* A line's ": " and end count too. */
	size_t n = exchange->target.len;

	for (size_t i = 0; i < exchange->headers_n; i++)
		n += exchange->headers[i].name.len + exchange->headers[i].value.len + 4;
	return n > (size_t)exchange->server->conf.head_bytes;
}

static void refuse_head(struct exchange *exchange)
{
	exchange->server->values[SERVER_LONG_HEADS]++;
	reply_refusal(exchange, 431, "RequestHeaderFieldsTooLarge",
		      "the request's head is above limits.head");
}

/* By HTTP/2 h2o knows no answer to one, but REFUSED_STREAM: that is, to try again. */
static void refuse_body(struct exchange *exchange)
{
	exchange->server->long_bodies++;
	reply_refusal(exchange, 413, "RequestEntityTooLarge",
		      "the request's body is above limits.body");
}

/* As the API server does when it has too much to do: nothing was carried out. */
static void refuse_for_memory(struct exchange *exchange)
{
	static const struct status status = {
		.code = 429,
		.reason = "TooManyRequests",
		.retry_after_s = 1,
		.message = "requests under way hold limits.memory",
	};

	exchange->server->values[SERVER_MEMORY]++;
	reply_status(exchange, &status);
}

void admit_start(struct exchange *exchange)
{
	loop_timer_init(&exchange->hold, on_hold_over, exchange);
	prepare(exchange);
	if (exchange->fault != NULL) {
		reply_refusal(exchange, 400, "BadRequest", exchange->fault);
	} else if (is_head_too_long(exchange)) {
		refuse_head(exchange);
	} else if (exchange->is_body_long) {
		refuse_body(exchange);
	} else if (exchange->is_unwanted) {
		refuse_for_memory(exchange);
	} else if (!slice_starts_with(exchange->kube.path, "/")) {
		reply_refusal(exchange, 400, "BadRequest",
			      "expected a request for a path, such as GET /api");
	} else if (exchange->resource == NULL || upgrade_judge(exchange)) {
		exchange_enter(exchange, EXCHANGE_ADMIT);
		admit_try(exchange);
	}
}
