/*
 * Field selectors (the API's grammar: k8s.io/apimachinery pkg/fields), as far as
 * a request is about one object: "metadata.name=x". Never edited, so there is
 * no more to it.
 */
#ifndef RINGSIDE_KUBE_FIELD_H
#define RINGSIDE_KUBE_FIELD_H

#include "proxy/base/arena.h"

/*
 * Whether the selector requires one value of the field; the value is unescaped
 * into the arena. False for a selector that the API server cannot read. Where
 * it requires several values, the one that fields.RequiresExactMatch finds.
 */
bool field_requires(struct arena *arena, struct slice selector, const char *field,
		    struct slice *value);

#endif
