/*
 * Upgrades of what is the ring's. What is tunnelled is not narrowed, fenced by its
 * body or renamed on its way back; so nothing is that has another way.
 */
#include "proxy/net/exchange.h"
#include "proxy/net/server.h"
#include "proxy/net/ws_handshake.h"

static const char *reason_of(int code)
{
	if (code == 401)
		return "Unauthorized";
	return code == 403 ? "Forbidden" : "BadRequest";
}

static bool is_watch(const struct exchange *exchange)
{
	return exchange->kube.verb == KUBE_VERB_WATCH &&
	       slice_is(exchange->kube.method, "GET");
}

bool upgrade_judge(struct exchange *exchange)
{
	bool is_websocket = slice_is_nocase(exchange->upgrade, "websocket");
	const struct header *headers = exchange->headers;
	size_t headers_n = exchange->headers_n;
	struct ws_handshake *handshake;

	if (exchange->kube.verb == KUBE_VERB_CONNECT)
		return true;
	exchange->upgrade.len = 0;
	if (!is_websocket)
		return true;
	handshake = arena_alloc(exchange->arena, sizeof(*handshake));
	ws_handshake_read(handshake, headers, headers_n, exchange->arena);
	if (is_watch(exchange))
		ws_handshake_accept(handshake, headers, headers_n, exchange->arena);
	if (handshake->refusal != 0) {
		reply_refusal(exchange, handshake->refusal,
			      reason_of(handshake->refusal), handshake->why);
		return false;
	}
	exchange->headers = handshake->headers;
	exchange->headers_n = handshake->headers_n;
	if (is_watch(exchange))
		sink_upgrade(&exchange->sink, exchange->server->loop, handshake);
	return true;
}
