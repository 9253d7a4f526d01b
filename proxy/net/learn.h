/*
 * What the answer to a sharded write says about its object: the uid and the bucket
 * label, as the API server has them now. It is noted for the next write to that object,
 * which needs no look-up then. The answer itself passes untouched; of a long one
 * nothing is learned.
 */
#ifndef RINGSIDE_NET_LEARN_H
#define RINGSIDE_NET_LEARN_H

#include "proxy/net/exchange.h"
#include "proxy/net/upstream.h"

#define LEARN_BYTES_MAX (32 * 1024)

/* The head of the answer; some of its body, as it passes; its end. */
void learn_begin(struct exchange *exchange, const struct upstream_head *head);
void learn_more(struct exchange *exchange, struct slice bytes);
void learn_end(struct exchange *exchange);

#endif
