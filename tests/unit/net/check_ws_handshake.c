#include "proxy/net/ws_handshake.h"

#include "proxy/net/headers.h"
#include "tests/unit/unit.h"

#define FIELDS_MAX 8
#define BEARER "base64url.bearer.authorization.k8s.io."

static struct arena *arena;

/* fields: "name: value\n" and so on. */
static struct ws_handshake shake(const char *fields)
{
	struct header headers[FIELDS_MAX];
	struct slice rest = slice_of(fields), line;
	struct ws_handshake handshake;
	size_t n = 0;

	while (slice_split(&rest, '\n', &line)) {
		size_t colon = (size_t)slice_find(line, ':');

		headers[n].name = slice_make(line.data, colon);
		headers[n++].value = slice_trim(slice_from(line, colon + 1));
	}
	ws_handshake_read(&handshake, headers, n, arena);
	ws_handshake_accept(&handshake, headers, n, arena);
	return handshake;
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
#define VERSION "Sec-WebSocket-Version: 13\n"
#define ORIGIN "Origin: https://localhost\n"
#define GOOD KEY VERSION ORIGIN

START_TEST(ws_handshake_is_accepted_with_the_digest_of_its_key)
{
	struct ws_handshake handshake;

	arena = arena_create();
	handshake = shake(GOOD);
	ck_assert_int_eq(handshake.refusal, 0);
	/* RFC 6455, 1.3. */
	ck_assert_slice(slice_of(handshake.accept), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ck_assert_slice(handshake.protocol, "");
	arena_destroy(arena);
}
END_TEST

START_TEST(ws_handshake_is_refused_as_the_api_server_refuses_it)
{
	static const struct {
		const char *fields;
		int refusal;
		const char *protocol;
	} rows[] = {
		{ VERSION ORIGIN, 400, "" },
		{ KEY ORIGIN, 400, "" },
		{ KEY ORIGIN "Sec-WebSocket-Version: 8\n", 400, "" },
		{ KEY VERSION, 403, "" },
		{ KEY VERSION "Origin: null\n", 403, "" },
		{ KEY VERSION "Origin: 1a:b\n", 403, "" },
		{ KEY VERSION "Origin: a b:c\n", 403, "" },
		{ KEY VERSION "Origin: /\n", 0, "" },
		{ KEY VERSION "Origin: x+y.z-1:w\n", 0, "" },
		{ GOOD "Sec-WebSocket-Protocol: \n", 0, "" },
		{ GOOD "Sec-WebSocket-Protocol: base64.binary.k8s.io\n", 0,
		  "base64.binary.k8s.io" },
		{ GOOD "Sec-WebSocket-Protocol:  whatever \n", 0, "whatever" },
		{ GOOD "Sec-WebSocket-Protocol: a, b\n", 400, "" },
		{ GOOD "Sec-WebSocket-Protocol: a\nSec-WebSocket-Protocol: b\n", 400,
		  "" },
		{ GOOD "Sec-WebSocket-Protocol: " BEARER "dG9rZW4, a\n", 0, "a" },
		{ GOOD "Sec-WebSocket-Protocol: " BEARER "dG9rZW4\n", 401, "" },
		{ GOOD "Sec-WebSocket-Protocol: a, " BEARER "dG9rZW4, " BEARER "eA\n",
		  401, "" },
		{ GOOD "Sec-WebSocket-Protocol: a, " BEARER "dG9rZW4=\n", 401, "" },
		/* With a token in its field it is a subprotocol. */
		{ GOOD "Authorization: Bearer mine\nSec-WebSocket-Protocol: a, " BEARER
		       "dG9rZW4\n",
		  400, "" },
		/* "a\r\nX: y" */
		{ GOOD "Sec-WebSocket-Protocol: a, " BEARER "YQ0KWDogeQ\n", 401, "" },
	};

	arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ws_handshake handshake = shake(rows[i].fields);

		ck_assert_msg(handshake.refusal == rows[i].refusal, "%s: %d",
			      rows[i].fields, handshake.refusal);
		ck_assert((handshake.why != NULL) == (handshake.refusal != 0));
		if (handshake.refusal == 0)
			ck_assert_slice(handshake.protocol, rows[i].protocol);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(ws_handshake_leaves_the_fields_of_a_plain_watch)
{
	static const struct {
		const char *fields;
		const char *authorization;
		size_t n;
	} rows[] = {
		{ GOOD "Accept: application/json\n", "", 2 },
		{ GOOD "Authorization: Bearer mine\n", "Bearer mine", 2 },
		{ GOOD "Sec-WebSocket-Protocol: a, " BEARER "dG9rZW4\n", "Bearer token",
		  2 },
		{ GOOD "Authorization: Basic mine\nSec-WebSocket-Protocol: a, " BEARER
		       "dG9rZW4\n",
		  "Bearer token", 2 },
		/* What everybody says so counts. */
		{ GOOD "authorization: bearer mine\nSec-WebSocket-Protocol: " BEARER
		       "dG9rZW4\n",
		  "bearer mine", 2 },
		{ GOOD "Authorization:\nSec-WebSocket-Protocol: a, " BEARER "dG9rZW4\n",
		  "Bearer token", 2 },
		{ GOOD "Sec-WebSocket-Extensions: permessage-deflate\n", "", 1 },
		{ GOOD "sec-websocket-protocol: a, " BEARER "\n", "", 1 },
	};

	arena = arena_create();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ws_handshake handshake = shake(rows[i].fields);

		ck_assert_int_eq(handshake.refusal, 0);
		ck_assert_msg(handshake.headers_n == rows[i].n, "%s: %zu",
			      rows[i].fields, handshake.headers_n);
		ck_assert_slice(headers_get(handshake.headers, handshake.headers_n,
					    "authorization"),
				rows[i].authorization);
		ck_assert_slice(headers_get(handshake.headers, handshake.headers_n,
					    "sec-websocket-protocol"),
				"");
	}
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("net/ws_handshake", ws_handshake_is_accepted_with_the_digest_of_its_key,
	  ws_handshake_is_refused_as_the_api_server_refuses_it,
	  ws_handshake_leaves_the_fields_of_a_plain_watch)
