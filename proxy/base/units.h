/*
 * Durations and sizes as people write them: "250ms", "1m30s", "2h"; "64Ki",
 * "8Mi", "1Gi", "4096". What is written is read back as the same number.
 */
#ifndef RINGSIDE_BASE_UNITS_H
#define RINGSIDE_BASE_UNITS_H

#include "proxy/base/buf.h"

/*
 * The whole slice as milliseconds, or as bytes. Every number of a duration has
 * its unit (a bare "0" needs none), the larger units first. 0; -EINVAL;
 * -ERANGE above INT64_MAX.
 */
int units_parse_duration(struct slice text, int64_t *out_ms);
int units_parse_size(struct slice text, int64_t *out_bytes);

/* Appends the shortest text of a number >= 0. 0 or -EMSGSIZE. */
int units_write_duration(struct buf *out, int64_t ms);
int units_write_size(struct buf *out, int64_t bytes);

#endif
