#include "proxy/net/http1.h"

#include <errno.h>
#include <sys/types.h>

struct phr_header {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

/* The parameters are picohttpparser's. */
int phr_parse_response(const char *data, size_t len, int *minor_version, int *status,
		       const char **phrase, size_t *phrase_len,
		       struct phr_header *headers, size_t *headers_n, size_t last_len);
ssize_t phr_decode_chunked(struct phr_chunked_decoder *decoder, char *data, size_t *n);

ptrdiff_t http1_parse_head(struct upstream_head *out, struct arena *arena,
			   struct slice bytes)
{
	struct phr_header fields[TRANSFER_HEADERS_MAX];
	struct upstream_head head = { .content_length = -1,
				      .headers_n = TRANSFER_HEADERS_MAX };
	struct header *headers;
	struct slice phrase;
	uint64_t length;
	int minor;
	int n = phr_parse_response(bytes.data, bytes.len, &minor, &head.status,
				   &phrase.data, &phrase.len, fields, &head.headers_n,
				   0);

	if (n == -2)
		return -EAGAIN;
	if (n < 0)
		return head.headers_n == TRANSFER_HEADERS_MAX ? -EMSGSIZE : -EINVAL;
	headers = arena_alloc(arena, (head.headers_n + 1) * sizeof(*headers));
	for (size_t i = 0; i < head.headers_n; i++) {
		/* A folded line has no name; nobody sends one. */
		if (fields[i].name == NULL)
			return -EINVAL;
		headers[i].name = arena_copy(
			arena, slice_make(fields[i].name, fields[i].name_len));
		headers[i].value = slice_trim(arena_copy(
			arena, slice_make(fields[i].value, fields[i].value_len)));
		if (slice_is_nocase(headers[i].name, "content-length") &&
		    slice_to_u64(headers[i].value, &length) == 0 && length <= INT64_MAX)
			head.content_length = (int64_t)length;
	}
	head.phrase = arena_copy(arena, phrase);
	head.headers = headers;
	*out = head;
	return n;
}

/* One field of the head that says something about the framing. */
static int take_field(struct http1_body *body, const struct header *field,
		      bool *has_length)
{
	uint64_t length;

	if (slice_is_nocase(field->name, "transfer-encoding")) {
		if (!slice_is_nocase(field->value, "chunked") ||
		    body->framing == HTTP1_CHUNKED)
			return -EINVAL;
		body->framing = HTTP1_CHUNKED;
	} else if (slice_is_nocase(field->name, "content-length")) {
		if (slice_to_u64(field->value, &length) != 0 || length > INT64_MAX ||
		    (*has_length && length != body->left))
			return -EINVAL;
		*has_length = true;
		body->left = length;
	}
	return 0;
}

int http1_body_init(struct http1_body *body, struct slice method,
		    const struct upstream_head *head)
{
	bool has_length = false;

	*body = (struct http1_body){ .framing = HTTP1_UNTIL_CLOSE };
	body->decoder.consume_trailer = 1;
	for (size_t i = 0; i < head->headers_n; i++)
		if (take_field(body, &head->headers[i], &has_length) != 0)
			return -EINVAL;
	if (body->framing == HTTP1_CHUNKED && has_length)
		return -EINVAL;
	if (slice_is(method, "HEAD") || head->status < 200 || head->status == 204 ||
	    head->status == 304)
		body->framing = HTTP1_EMPTY;
	else if (has_length)
		body->framing = HTTP1_LENGTH;
	body->is_done = body->framing == HTTP1_EMPTY ||
			(body->framing == HTTP1_LENGTH && body->left == 0);
	return 0;
}

int http1_body_take(struct http1_body *body, char *data, size_t *n)
{
	ssize_t rc;

	if (body->is_done) {
		*n = 0;
	} else if (body->framing == HTTP1_LENGTH) {
		if (*n > body->left)
			*n = (size_t)body->left;
		body->left -= *n;
		body->is_done = body->left == 0;
	} else if (body->framing == HTTP1_CHUNKED && *n > 0) {
		rc = phr_decode_chunked(&body->decoder, data, n);
		if (rc == -1)
			return -EINVAL;
		body->is_done = rc >= 0;
	}
	return 0;
}

bool http1_body_is_whole(const struct http1_body *body)
{
	return body->is_done || body->framing == HTTP1_UNTIL_CLOSE;
}
