/*
 * What membership counts, for /metrics: one table, one array of values that the
 * parts of this folder increment directly.
 */
#ifndef RINGSIDE_MEMBER_COUNTS_H
#define RINGSIDE_MEMBER_COUNTS_H

#include "proxy/base/metric.h"

enum {
	MEMBER_RENEWALS,
	MEMBER_RENEWAL_FAILURES,
	MEMBER_RIGHTS_LOST,
	MEMBER_REJOINS,
	MEMBER_SEALS,
	MEMBER_EPOCHS,
	MEMBER_MOVES,
	MEMBER_IS_COORDINATOR,
	MEMBER_ALIVE,
	MEMBER_EPOCH,
	MEMBER_OWNED,
	MEMBER_LOCKS_HELD,
	MEMBER_LOCKS_FOREIGN,
	MEMBER_IS_UNATTENDED,
	MEMBER_METRICS_N,
};

extern const struct metric member_metrics[];

#endif
