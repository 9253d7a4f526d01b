/*
 * The answer of an HTTP/1.1 server, read by hand: where libcurl only lends the
 * connection (tunnel.c). Pure; heads are parsed by h2o's own picohttpparser.
 */
#ifndef RINGSIDE_NET_HTTP1_H
#define RINGSIDE_NET_HTTP1_H

#include "proxy/base/arena.h"
#include "proxy/net/upstream.h"

/* As picohttpparser.h has it, which Debian does not install; h2o exports the code. */
struct phr_chunked_decoder {
	size_t bytes_left_in_chunk;
	char consume_trailer;
	char _hex_count;
	char _state;
};

enum http1_framing {
	HTTP1_EMPTY,
	HTTP1_LENGTH,
	HTTP1_CHUNKED,
	HTTP1_UNTIL_CLOSE,
};

struct http1_body {
	enum http1_framing framing;
	uint64_t left; /* of HTTP1_LENGTH */
	struct phr_chunked_decoder decoder;
	bool is_done;
};

/*
 * Parses a head at the beginning of bytes, into the arena. The head's length;
 * -EAGAIN when it is not complete; -EMSGSIZE when it has more than
 * TRANSFER_HEADERS_MAX fields; -EINVAL when it is none.
 */
ptrdiff_t http1_parse_head(struct upstream_head *out, struct arena *arena,
			   struct slice bytes);

/*
 * How the body of the answer to that method is framed (RFC 9112, 6.3). -EINVAL
 * where two lengths or an unknown coding leave that open.
 */
int http1_body_init(struct http1_body *body, struct slice method,
		    const struct upstream_head *head);

/*
 * Turns *n received bytes into body bytes, in place; *n is then how many. What
 * follows the body is dropped. -EINVAL for broken chunks.
 */
int http1_body_take(struct http1_body *body, char *data, size_t *n);

/* Whether the body is whole, were the connection to end here. */
bool http1_body_is_whole(const struct http1_body *body);

#endif
