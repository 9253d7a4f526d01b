/*
 * The handshake of a WebSocket, judged as kube-apiserver judges it
 * (golang.org/x/net/websocket, hybi.go and server.go; k8s.io/apiserver,
 * authentication/request/websocket):
 *
 *	a bearer token may come as a subprotocol      401 where it makes no sense
 * and, if it is to be accepted,
 *	a key and version 13 must be there            400
 *	an Origin must be there, and be a URL         403
 *	of several subprotocols it chooses none       400
 *	a single one is accepted, whatever it is
 *
 * Browsers have no other way to say a token. It goes upstream in the field that
 * everybody else uses; beside that field it is a subprotocol like any other. Pure.
 */
#ifndef RINGSIDE_NET_WS_HANDSHAKE_H
#define RINGSIDE_NET_WS_HANDSHAKE_H

#include "proxy/base/arena.h"
#include "proxy/net/upstream.h"

/* base64 of a SHA-1, and a NUL. */
#define WS_ACCEPT_BYTES 29

struct ws_handshake {
	int refusal;     /* 0: it is accepted; else the HTTP status that refuses it */
	const char *why; /* for a person; of a refusal */
	char accept[WS_ACCEPT_BYTES]; /* the value of Sec-WebSocket-Accept */
	struct slice protocol;        /* of Sec-WebSocket-Protocol; "": not said */
	size_t protocols_n;           /* how many were offered */
	/* The request's fields without those of the handshake; in the arena. */
	const struct header *headers;
	size_t headers_n;
};

/* What it says; of what cannot be accepted the token alone counts. */
void ws_handshake_read(struct ws_handshake *out, const struct header *headers, size_t n,
		       struct arena *arena);

/* Whether it is accepted; after that. */
void ws_handshake_accept(struct ws_handshake *handshake, const struct header *headers,
			 size_t n, struct arena *arena);

#endif
