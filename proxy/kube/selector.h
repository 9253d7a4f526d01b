/*
 * Label selectors as text (the API's grammar: k8s.io/apimachinery pkg/labels).
 * A client's selector is never interpreted, only joined with ours by a comma,
 * which means "and" whatever operators it uses.
 */
#ifndef RINGSIDE_KUBE_SELECTOR_H
#define RINGSIDE_KUBE_SELECTOR_H

#include "proxy/base/buf.h"

/* "key in (1,2)" / "key notin (1,2)"; n values > 0. 0 or -EMSGSIZE. */
int selector_write_in(struct buf *out, struct slice key, const uint16_t *values,
		      size_t n);
int selector_write_notin(struct buf *out, struct slice key, const uint16_t *values,
			 size_t n);

/*
 * Whether a client's selector can be joined with ours by a comma and still mean
 * what it meant: not blank, parentheses balanced, no trailing sign, no NUL
 * (at which the API server's lexer may stop reading: what we add behind it would
 * be lost). Anything else is refused, not forwarded. An empty one is joinable
 * without a comma.
 */
bool selector_is_joinable(struct slice selector);

#endif
