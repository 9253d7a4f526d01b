/*
 * What no single option can know: options that contradict each other, and
 * values that are right in themselves but not in this program. A message stands
 * where one of the options concerned was set.
 */
#ifndef RINGSIDE_CONFIG_CHECK_H
#define RINGSIDE_CONFIG_CHECK_H

#include "config/fields.h"

/* 0, or -EINVAL with the first contradiction. */
int check_config(const struct loader *loader, struct err *err);

#endif
