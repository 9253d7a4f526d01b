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

/* As the API server does with any other offer of one who watches. */
static bool is_websocket(const struct exchange *exchange)
{
	return slice_is_nocase(exchange->upgrade, "websocket") &&
	       exchange->kube.verb == KUBE_VERB_WATCH &&
	       slice_is(exchange->kube.method, "GET");
}

bool upgrade_judge(struct exchange *exchange)
{
	struct ws_handshake *handshake;

	if (exchange->upgrade.len == 0 || exchange->kube.verb == KUBE_VERB_CONNECT)
		return true;
	if (!is_websocket(exchange)) {
		exchange->upgrade.len = 0;
		return true;
	}
	handshake = arena_alloc(exchange->arena, sizeof(*handshake));
	ws_handshake_read(handshake, exchange->headers, exchange->headers_n,
			  exchange->arena);
	exchange->upgrade.len = 0;
	if (handshake->refusal != 0) {
		reply_refusal(exchange, handshake->refusal,
			      reason_of(handshake->refusal), handshake->why);
		return false;
	}
	exchange->headers = handshake->headers;
	exchange->headers_n = handshake->headers_n;
	sink_upgrade(&exchange->sink, exchange->server->loop, handshake);
	return true;
}
