#include "proxy/ring/newcomers.h"

#include "tests/unit/unit.h"

enum { A = 1, B = 2, NAME = 77, F = 100 };

static struct newcomers of_bucket_a(void)
{
	struct newcomers newcomers = { .floor = F };

	bucket_set_add(&newcomers.acquired, A);
	return newcomers;
}

/* One name's frames, in order, up to the type -1; and which of them go on. */
struct row {
	bool is_listed;
	struct {
		int type, bucket;
		bool goes_on;
	} frames[5];
};

static void check_row(const struct row *row, size_t i)
{
	struct newcomers newcomers = of_bucket_a();

	if (row->is_listed)
		ck_assert_int_eq(newcomers_list(&newcomers, NAME), 0);
	for (int k = 0; k < 5 && row->frames[k].type >= 0; k++) {
		const struct newcomer_event event = {
			.type = (enum watch_event_type)row->frames[k].type,
			.version = F - 4 + (uint64_t)k,
			.object = NAME,
			.bucket = row->frames[k].bucket,
		};

		ck_assert_msg(newcomers_leave_out(&newcomers, &event) ==
				      !row->frames[k].goes_on,
			      "row %zu, frame %d", i, k);
	}
	newcomers_forget(&newcomers);
}

START_TEST(client_is_told_up_to_the_floor_what_it_does_not_hold_already)
{
	static const struct row rows[] = {
		/* It came, and changed before. */
		{ true, { { WATCH_MODIFIED, A }, { -1 } } },
		{ true, { { WATCH_ADDED, A }, { WATCH_MODIFIED, A }, { -1 } } },
		/* It was labelled late. */
		{ true,
		  { { WATCH_MODIFIED, BUCKET_NONE }, { WATCH_MODIFIED, A }, { -1 } } },
		{ true,
		  { { WATCH_ADDED, BUCKET_NONE }, { WATCH_MODIFIED, A }, { -1 } } },
		/* It was made again, and came into another bucket. */
		{ true, { { WATCH_DELETED, B }, { WATCH_ADDED, A }, { -1 } } },
		{ true, { { WATCH_DELETED, A }, { WATCH_ADDED, A }, { -1 } } },
		/* It was there, and is not any more: nobody has told of it. */
		{ false, { { WATCH_DELETED, A }, { -1 } } },
		{ false,
		  { { WATCH_ADDED, A },
		    { WATCH_MODIFIED, A },
		    { WATCH_DELETED, A },
		    { -1 } } },
		/* It was labelled late, and is not there any more. */
		{ false,
		  { { WATCH_MODIFIED, A }, { WATCH_DELETED, A, true }, { -1 } } },
		{ false,
		  { { WATCH_ADDED, BUCKET_NONE, true },
		    { WATCH_MODIFIED, A },
		    { WATCH_DELETED, A, true },
		    { -1 } } },
		{ false,
		  { { WATCH_ADDED, A },
		    { WATCH_MODIFIED, B, true },
		    { WATCH_MODIFIED, A },
		    { WATCH_DELETED, A, true },
		    { -1 } } },
		/* What is kept, and what nobody owns. */
		{ false,
		  { { WATCH_ADDED, B, true },
		    { WATCH_MODIFIED, B, true },
		    { WATCH_DELETED, B, true },
		    { -1 } } },
		{ false,
		  { { WATCH_ADDED, BUCKET_NONE, true },
		    { WATCH_DELETED, BUCKET_NONE, true },
		    { -1 } } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i], i);
}
END_TEST

START_TEST(all_that_is_newer_than_the_floor_goes_on)
{
	struct newcomers newcomers = of_bucket_a();
	struct newcomer_event event = { WATCH_MODIFIED, F, NAME, A };

	ck_assert_int_eq(newcomers_list(&newcomers, NAME), 0);
	ck_assert_int_eq(newcomers_leave_out(&newcomers, &event), 1);
	event.version = F + 1;
	ck_assert_int_eq(newcomers_leave_out(&newcomers, &event), 0);
	newcomers_forget(&newcomers);
	ck_assert_int_eq(newcomers_leave_out(&newcomers, &event), 0);
}
END_TEST

UNIT_MAIN("ring/newcomers",
	  client_is_told_up_to_the_floor_what_it_does_not_hold_already,
	  all_that_is_newer_than_the_floor_goes_on)
