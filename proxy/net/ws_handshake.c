#include "proxy/net/ws_handshake.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <strings.h>

#include "proxy/base/base64url.h"
#include "proxy/net/headers.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_BYTES 20
#define TOKEN_PREFIX "base64url.bearer.authorization.k8s.io."

/* --- the subprotocols --- */

struct offers {
	struct slice protocol; /* the last one that is no token */
	size_t protocols_n;
	struct slice token; /* still base64 */
	size_t tokens_n;
};

static void take_offers(struct offers *offers, struct slice value, bool takes_token)
{
	struct slice offer;

	while (slice_split(&value, ',', &offer)) {
		offer = slice_trim(offer);
		if (takes_token && slice_starts_with(offer, TOKEN_PREFIX)) {
			offers->token = slice_from(offer, strlen(TOKEN_PREFIX));
			offers->tokens_n++;
		} else {
			offers->protocol = offer;
			offers->protocols_n++;
		}
	}
}

/* Whether a token is said by the field: then that one counts. */
static bool has_bearer(const struct header *headers, size_t n)
{
	static const struct slice scheme = SLICE_LITERAL("bearer ");
	struct slice value = slice_trim(headers_get(headers, n, "authorization"));

	return value.len > scheme.len &&
	       strncasecmp(value.data, scheme.data, scheme.len) == 0;
}

static void read_offers(struct offers *offers, const struct header *headers, size_t n)
{
	bool takes_token = !has_bearer(headers, n);

	*offers = (struct offers){ 0 };
	for (size_t i = 0; i < n; i++)
		if (slice_is_nocase(headers[i].name, "sec-websocket-protocol") &&
		    slice_trim(headers[i].value).len > 0)
			take_offers(offers, headers[i].value, takes_token);
}

/* The token's text; NULL: it is none, or would break the line it is sent in. */
static const char *read_token(struct slice token, struct arena *arena)
{
	char *text = arena_alloc(arena, BASE64URL_BYTES(token.len) + 1);
	size_t n;

	if (!base64url_decode(token, text, &n))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return NULL;
	text[n] = '\0';
	return text;
}

/* --- the fields upstream --- */

static bool is_of_handshake(struct slice name)
{
	static const struct slice prefix = SLICE_LITERAL("sec-websocket-");

	return name.len >= prefix.len &&
	       strncasecmp(name.data, prefix.data, prefix.len) == 0;
}

/* token: "" where none is to be said. */
static void pass_fields(struct ws_handshake *out, const struct header *headers,
			size_t n, const char *token, struct arena *arena)
{
	struct header *passed = arena_alloc(arena, (n + 1) * sizeof(*passed));
	size_t passed_n = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_of_handshake(headers[i].name) &&
		    !(token[0] != '\0' &&
		      slice_is_nocase(headers[i].name, "authorization")))
			passed[passed_n++] = headers[i];
	if (token[0] != '\0')
		passed[passed_n++] = (struct header){
			SLICE_LITERAL("Authorization"),
			slice_of(arena_printf(arena, "Bearer %s", token)),
		};
	out->headers = passed;
	out->headers_n = passed_n;
}

/* --- the whole --- */

static void write_accept(struct ws_handshake *out, struct slice key,
			 struct arena *arena)
{
	const char *text = arena_printf(arena, "%.*s" GUID, SLICE_ARGS(key));
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha1(), NULL) != 1)
		abort(); /* there is no memory */
	EVP_EncodeBlock((unsigned char *)out->accept, digest, SHA1_BYTES);
}

static bool is_scheme(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool is_letter = isalpha((unsigned char)text.data[i]);
		bool is_other = isdigit((unsigned char)text.data[i]) ||
				strchr("+-.", text.data[i]) != NULL;

		if (!is_letter && (i == 0 || !is_other))
			return false;
	}
	return text.len > 0;
}

/* What url.ParseRequestURI takes: with a scheme, or a path. Browsers say "null", too.
 */
static bool is_url(struct slice text)
{
	ptrdiff_t colon = slice_find(text, ':');

	if (slice_find(text, ' ') >= 0)
		return false;
	return slice_starts_with(text, "/") ||
	       (colon > 0 && is_scheme(slice_make(text.data, (size_t)colon)));
}

static void refuse(struct ws_handshake *out, int code, const char *why)
{
	if (out->refusal != 0)
		return;
	out->refusal = code;
	out->why = why;
}

static void judge_offers(struct ws_handshake *out, const struct offers *offers,
			 const char *token)
{
	if (offers->tokens_n > 1)
		refuse(out, 401, "the WebSocket handshake bears several tokens");
	else if (token == NULL)
		refuse(out, 401, "the token of the WebSocket handshake is no token");
	else if (token[0] != '\0' && offers->protocols_n == 0)
		refuse(out, 401,
		       "a WebSocket handshake that bears a token must offer another "
		       "subprotocol besides");
}

void ws_handshake_read(struct ws_handshake *out, const struct header *headers, size_t n,
		       struct arena *arena)
{
	struct offers offers;
	const char *token = "";

	*out = (struct ws_handshake){ 0 };
	read_offers(&offers, headers, n);
	if (offers.tokens_n > 0)
		token = read_token(offers.token, arena);
	judge_offers(out, &offers, token);
	if (out->refusal != 0)
		return;
	out->protocol = offers.protocol;
	out->protocols_n = offers.protocols_n;
	pass_fields(out, headers, n, token, arena);
}

void ws_handshake_accept(struct ws_handshake *handshake, const struct header *headers,
			 size_t n, struct arena *arena)
{
	struct slice key = headers_get(headers, n, "sec-websocket-key");

	if (key.len == 0)
		refuse(handshake, 400,
		       "the WebSocket handshake has no Sec-WebSocket-Key");
	if (!slice_is(headers_get(headers, n, "sec-websocket-version"), "13"))
		refuse(handshake, 400, "the WebSocket handshake must be of version 13");
	if (!is_url(headers_get(headers, n, "origin")))
		refuse(handshake, 403,
		       "the WebSocket handshake has no Origin that is a URL, which "
		       "the API server demands");
	if (handshake->protocols_n > 1)
		refuse(handshake, 400,
		       "the WebSocket handshake offers several subprotocols, of "
		       "which a watch chooses none");
	if (handshake->refusal == 0)
		write_accept(handshake, key, arena);
}
