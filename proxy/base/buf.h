/*
 * A growable byte buffer with a cap: memory that an outsider can make us use
 * is bounded where the buffer is made, not where it is filled. An append that
 * would pass the cap changes nothing and returns -EMSGSIZE.
 */
#ifndef RINGSIDE_BASE_BUF_H
#define RINGSIDE_BASE_BUF_H

#include "proxy/base/slice.h"

struct buf {
	char *data;
	size_t len;
	size_t size; /* allocated bytes */
	size_t cap;  /* most bytes that len may reach */
};

/* An empty buffer; allocates nothing yet. */
void buf_init(struct buf *buf, size_t cap);
void buf_finish(struct buf *buf);

/* 0, or -EMSGSIZE with the buffer unchanged. */
int buf_append(struct buf *buf, struct slice bytes);
int buf_append_text(struct buf *buf, const char *text);
int buf_printf(struct buf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes n bytes (n <= len) from the front. */
void buf_consume(struct buf *buf, size_t n);

/* Empties the buffer; its memory stays for the next use. */
void buf_clear(struct buf *buf);

/* Exchanges contents, sizes and caps. */
void buf_swap(struct buf *a, struct buf *b);

/* How many bytes an append may still add. */
size_t buf_room(const struct buf *buf);

/* Borrowed until the buffer changes. */
struct slice buf_slice(const struct buf *buf);

#endif
