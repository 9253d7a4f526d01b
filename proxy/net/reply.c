/*
 * Answers of our own: a Status in the client's encoding, as kube-apiserver would
 * write it. Loss of position is told to a WATCH inside its stream, under HTTP
 * 200: three client libraries loop or die on an HTTP 410.
 */
#include "proxy/base/log.h"
#include "proxy/net/exchange.h"
#include "proxy/net/server.h"

static void count(struct server *server, int code)
{
	if (code == 409)
		server->values[SERVER_CONFLICTS]++;
	else if (code == 410)
		server->values[SERVER_EXPIRED]++;
	else if (code < 500)
		server->values[SERVER_REFUSED]++;
}

static void add_header(struct exchange *exchange, struct sink_head *head,
		       const char *name, const char *value)
{
	struct header *headers = (struct header *)(uintptr_t)head->headers;

	headers[head->headers_n++] = (struct header){
		arena_copy(exchange->arena, slice_of(name)),
		arena_copy(exchange->arena, slice_of(value)),
	};
}

static void send(struct exchange *exchange, int code, const char *content_type,
		 int retry_after_s)
{
	struct sink_head head = {
		.status = code,
		.phrase = slice_of(status_phrase(code)),
		.headers = arena_alloc(exchange->arena, 2 * sizeof(struct header)),
		.content_length = (int64_t)exchange->own.len,
	};

	add_header(exchange, &head, "content-type", content_type);
	if (retry_after_s > 0)
		add_header(exchange, &head, "retry-after",
			   arena_printf(exchange->arena, "%d", retry_after_s));
	loop_timer_stop(&exchange->hold);
	exchange_enter(exchange, EXCHANGE_REPLY);
	sink_start(&exchange->sink, &head);
	reply_pump(exchange);
}

void reply_pump(struct exchange *exchange)
{
	if (sink_has_room(&exchange->sink))
		sink_send(&exchange->sink, buf_slice(&exchange->own), SINK_FINAL);
}

void reply_refusal(struct exchange *exchange, int code, const char *reason,
		   const char *message)
{
	struct status status = { .code = code, .reason = reason, .message = message };

	reply_status(exchange, &status);
}

void reply_status(struct exchange *exchange, const struct status *status)
{
	enum kube_encoding encoding = exchange->accept;
	bool is_event = status->code == 410 && exchange->kube.verb == KUBE_VERB_WATCH;

	/* The client may have left while we looked things up. */
	if (exchange->step == EXCHANGE_ABORT || exchange->step == EXCHANGE_END)
		return;
	count(exchange->server, status->code);
	log_info("exchange", "answered by ringside", log_int("code", status->code),
		 log_text("reason", status->message),
		 log_slice("method", exchange->kube.method),
		 log_slice("path", exchange->kube.path),
		 log_slice("userAgent", exchange_header(exchange, "user-agent")));
	buf_clear(&exchange->own);
	if ((is_event ? status_write_event(&exchange->own, encoding, status)
		      : status_write(&exchange->own, encoding, status)) != 0)
		buf_clear(&exchange->own);
	send(exchange, is_event ? 200 : status->code,
	     encoding_content_type(encoding, is_event), status->retry_after_s);
}
