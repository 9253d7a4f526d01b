/*
 * Writes for the fence to judge, as rows of tables.
 */
#ifndef RINGSIDE_UNIT_WRITES_H
#define RINGSIDE_UNIT_WRITES_H

#include "tests/unit/filters/desk.h"

#define JSON "application/json"
#define APPLY "application/apply-patch+yaml"
#define MERGE "application/merge-patch+json"

#define EVIDENCE(known, bucket) \
	{ \
		known, bucket \
	}
#define AT(bucket) EVIDENCE(PLACED_AT, bucket)
#define UNKNOWN EVIDENCE(PLACED_UNKNOWN, BUCKET_NONE)
#define ABSENT EVIDENCE(PLACED_ABSENT, BUCKET_NONE)
#define NOWHERE EVIDENCE(PLACED_NOWHERE, BUCKET_NONE)
#define FOREIGN EVIDENCE(PLACED_FOREIGN, BUCKET_NONE)

/* A write with this evidence about it; buckets 0-2 are ours. */
struct row {
	const char *method, *target, *type;
	struct evidence object, owner;
	int bucket;       /* what a write that passes is counted for */
	const char *says; /* NULL: it passes */
};

static inline void open_row(struct desk *desk, const struct row *row)
{
	desk_open(desk, row->method, row->target);
	desk->call.content_type = slice_of(row->type);
	desk->call.object = row->object;
	desk->call.owner = row->owner;
	desk->call.body = &desk->body;
	desk->call.bucket = 4711;
}

static inline enum filter_verdict send(struct desk *desk)
{
	return filter_fence.on_send(&desk->call);
}

static inline void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct desk desk;
		enum filter_verdict verdict;

		open_row(&desk, row);
		verdict = send(&desk);
		ck_assert_msg(verdict == (row->says ? FILTER_REPLY : FILTER_PASS),
			      "row %zu: %s %s", i, row->method, row->target);
		if (row->says) {
			desk_check_reply(&desk, 409, "Conflict", row->says);
			desk_check_reply(&desk, 409, "Conflict", "ring foos");
		} else {
			ck_assert_msg(desk.call.bucket == row->bucket,
				      "row %zu: bucket %d", i, desk.call.bucket);
		}
		ck_assert_int_eq(desk.call.is_counted, !row->says);
		desk_close(&desk);
	}
}

#endif
