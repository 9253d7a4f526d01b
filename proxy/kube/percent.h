/*
 * Percent-encoding (RFC 3986), decoded as Go's net/url decodes it: two hex
 * digits behind each "%", and a "+" is a space in a query but not in a path.
 */
#ifndef RINGSIDE_KUBE_PERCENT_H
#define RINGSIDE_KUBE_PERCENT_H

#include "proxy/base/arena.h"

enum percent_part { PERCENT_PATH, PERCENT_QUERY };

/*
 * Decodes into the arena. False when a "%" is not followed by two hex digits,
 * where Go refuses the text; *out then has it as it was written.
 */
bool percent_decode(struct arena *arena, struct slice text, enum percent_part part,
		    struct slice *out);

#endif
