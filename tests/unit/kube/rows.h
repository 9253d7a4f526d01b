/* For tables of cases: a failure says which row failed. */
#ifndef RINGSIDE_UNIT_KUBE_ROWS_H
#define RINGSIDE_UNIT_KUBE_ROWS_H

#include "tests/unit/unit.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

#define ck_row(row, condition) ck_assert_msg(condition, "%s: not %s", row, #condition)

#define ck_row_slice(row, bytes, text) \
	do { \
		struct slice have_ = (bytes); \
		const char *want_ = (text); \
		ck_assert_msg(slice_is(have_, want_), "%s: %s is '%.*s', not '%s'", \
			      row, #bytes, SLICE_ARGS(have_), want_); \
	} while (0)

#endif
