/*
 * Metrics: each module owns a const table of rows beside the code that counts,
 * and an array of int64_t of the same length that it increments directly (one
 * thread, no atomics). A registry knows the pairs and prints them in
 * Prometheus' text format 0.0.4.
 *
 * Rows of one name stand together and differ in `labels`.
 */
#ifndef RINGSIDE_BASE_METRIC_H
#define RINGSIDE_BASE_METRIC_H

#include "proxy/base/buf.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
	const char *name;   /* "ringside_requests_total" */
	const char *labels; /* "verb=\"list\"", or NULL */
	enum metric_type type;
	const char *help; /* one sentence; the first row of a name has it */
};

struct metrics;

struct metrics *metrics_create(void);
void metrics_destroy(struct metrics *metrics);

/* Borrows both arrays, of n entries each, until metrics_destroy. */
void metrics_add(struct metrics *metrics, const struct metric *rows,
		 const int64_t *values, size_t n);

/*
 * refresh (may be NULL) runs before each print, for values that are computed
 * when they are asked for.
 */
void metrics_on_print(struct metrics *metrics, void (*refresh)(void *arg), void *arg);

/* Appends the page. 0, or -EMSGSIZE. */
int metrics_print(struct metrics *metrics, struct buf *out);

#endif
