#include "proxy/base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_BYTES_MIN 64

void buf_init(struct buf *buf, size_t cap)
{
	assert(cap < SIZE_MAX / 2 && "a cap bounds, or sizes would overflow");
	*buf = (struct buf){ .cap = cap };
}

void buf_finish(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){ .cap = buf->cap };
}

/* Room for n more bytes and the NUL that vsnprintf insists on. */
static int buf_reserve(struct buf *buf, size_t n)
{
	size_t size = buf->size ? buf->size : BUF_BYTES_MIN;

	if (n > buf_room(buf))
		return -EMSGSIZE;
	if (buf->len + n < buf->size)
		return 0;
	while (size <= buf->len + n)
		size *= 2;
	if (size > buf->cap + 1)
		size = buf->cap + 1;
	buf->data = realloc(buf->data, size);
	if (!buf->data)
		abort();
	buf->size = size;
	return 0;
}

int buf_append(struct buf *buf, struct slice bytes)
{
	int rc;

	if (bytes.len == 0)
		return 0;
	assert(!(buf->data && bytes.data >= buf->data &&
		 bytes.data < buf->data + buf->size) &&
	       "a buffer that grows moves what is borrowed from it");
	rc = buf_reserve(buf, bytes.len);
	if (rc < 0)
		return rc;
	memcpy(buf->data + buf->len, bytes.data, bytes.len);
	buf->len += bytes.len;
	return 0;
}

int buf_append_text(struct buf *buf, const char *text)
{
	return buf_append(buf, slice_of(text));
}

int buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int n, rc;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	assert(n >= 0 && "formats are ours and fit an int");
	rc = buf_reserve(buf, (size_t)n);
	if (rc < 0)
		return rc;
	va_start(args, format);
	vsnprintf(buf->data + buf->len, (size_t)n + 1, format, args);
	va_end(args);
	buf->len += (size_t)n;
	return 0;
}

void buf_consume(struct buf *buf, size_t n)
{
	assert(n <= buf->len && "only what is there can be consumed");
	buf->len -= n;
	if (n && buf->len)
		memmove(buf->data, buf->data + n, buf->len);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

void buf_swap(struct buf *a, struct buf *b)
{
	struct buf was = *a;

	*a = *b;
	*b = was;
}

size_t buf_room(const struct buf *buf)
{
	return buf->cap - buf->len;
}

struct slice buf_slice(const struct buf *buf)
{
	return slice_make(buf->data, buf->len);
}
