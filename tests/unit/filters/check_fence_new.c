/* What the fence makes of creates; check_fence.c has the rest. */
#include "tests/unit/filters/writes.h"

#define NOT_OURS "bucket 5 is owned by another member"

static const struct row created[] = {
	{ "POST", DEPLOYMENTS, JSON, UNKNOWN, AT(1), 1, NULL },
	{ "POST", DEPLOYMENTS "?dryRun=All", JSON, UNKNOWN, AT(1), 1, NULL },
	{ "POST", DEPLOYMENTS, JSON, UNKNOWN, AT(5), 0, NOT_OURS },
	{ "POST", DEPLOYMENTS "?dryRun=All", JSON, UNKNOWN, AT(5), 0, NOT_OURS },
	{ "POST", SECRETS, JSON, UNKNOWN, FOREIGN, BUCKET_NONE, NULL },
	{ "POST", SECRETS, JSON, UNKNOWN, NOWHERE, 0,
	  "its owner has no bucket label yet" },
	{ "POST", SECRETS, JSON, UNKNOWN, ABSENT, 0, "its owner does not exist" },
	/* An apply, and a PUT of some resources, create what is not there. */
	{ "PATCH", DEPLOYMENTS "/x", APPLY, ABSENT, AT(1), 1, NULL },
	{ "PATCH", DEPLOYMENTS "/x", APPLY, ABSENT, AT(5), 0, NOT_OURS },
	{ "PUT", DEPLOYMENTS "/x", JSON, ABSENT, AT(5), 0, NOT_OURS },
	{ "PUT", DEPLOYMENTS "/x", JSON, ABSENT, FOREIGN, BUCKET_NONE, NULL },
	/* What is there has its own bucket, whatever the body claims. */
	{ "PATCH", DEPLOYMENTS "/x", APPLY, AT(5), AT(1), 0, NOT_OURS },
	{ "PUT", DEPLOYMENTS "/x", JSON, AT(1), AT(5), 1, NULL },
};

START_TEST(one_writer_what_is_created_belongs_to_its_owners_bucket)
{
	check_rows(created, COUNT(created));
}
END_TEST

/* Nothing else tells it apart from what was made by the former owner. */
START_TEST(what_may_exist_already_under_a_generated_name_is_not_made)
{
	static const struct {
		struct row row;
		const char *name;
		bool is_refused;
	} rows[] = {
		{ { "POST", DEPLOYMENTS, JSON, UNKNOWN, AT(1), 1, NULL }, "", true },
		{ { "POST", DEPLOYMENTS, JSON, UNKNOWN, AT(1), 1, NULL }, "x", false },
		{ { "POST", SECRETS, JSON, UNKNOWN, FOREIGN, 0, NULL }, "", false },
		{ { "PATCH", DEPLOYMENTS "/x", APPLY, ABSENT, AT(1), 1, NULL },
		  "x",
		  false },
		{ { "PUT", DEPLOYMENTS "/x", JSON, AT(1), AT(1), 1, NULL },
		  "x",
		  false },
	};

	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		bool is_refused = rows[i / 2].is_refused;
		struct desk desk;

		open_row(&desk, &rows[i / 2].row);
		desk.body.name = slice_of(rows[i / 2].name);
		ck_assert_int_eq(send(&desk), FILTER_PASS);
		/* A watch is away; main objects are not shown yet. */
		if (i % 2 == 0)
			desk.call.is_blind = true;
		else
			desk.ring.shown[RESOURCE_MAIN] = (struct bucket_set){ 0 };
		ck_assert_int_eq(send(&desk), is_refused ? FILTER_REPLY : FILTER_PASS);
		ck_assert_int_eq(desk.call.is_counted, !is_refused);
		ck_assert_int_eq(desk.call.refusal,
				 is_refused ? FENCE_BLIND : FENCE_PASSED);
		if (is_refused)
			desk_check_reply(&desk, 409, "Conflict", "may exist already");
		desk_close(&desk);
	}
}
END_TEST

START_TEST(one_writer_a_new_main_object_belongs_to_the_bucket_written_into_it)
{
	static const struct row rows[] = {
		{ "POST", FOOS, JSON, UNKNOWN, UNKNOWN, 1, NULL },
		{ "PATCH", FOOS "/x", APPLY, ABSENT, UNKNOWN, 1, NULL },
	};
	struct desk desk;

	for (size_t i = 0; i < COUNT(rows); i++) {
		open_row(&desk, &rows[i]);
		desk.call.label = 1;
		ck_assert_int_eq(send(&desk), FILTER_PASS);
		ck_assert_int_eq(desk.call.bucket, 1);
		ck_assert(desk.call.is_counted);
		/* The ring has changed since then. */
		desk.call.label = 5;
		ck_assert_int_eq(send(&desk), FILTER_REPLY);
		desk_check_reply(&desk, 409, "Conflict", NOT_OURS);
		desk.call.label = BUCKET_NONE;
		ck_assert_int_eq(send(&desk), FILTER_REPLY);
		desk_check_reply(&desk, 409, "Conflict", "owned no bucket");
		desk_close(&desk);
	}
}
END_TEST

START_TEST(one_writer_an_orphan_is_adopted_by_the_member_of_its_owner_alone)
{
	static const struct row rows[] = {
		{ "PUT", DEPLOYMENTS "/x", JSON, FOREIGN, AT(1), 1, NULL },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, FOREIGN, AT(1), 1, NULL },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, FOREIGN, AT(5), 0, NOT_OURS },
		{ "PATCH", DEPLOYMENTS "/x", APPLY, FOREIGN, NOWHERE, 0,
		  "its owner has no bucket label yet" },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, FOREIGN, FOREIGN, BUCKET_NONE,
		  NULL },
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(fence_tells_which_bodies_it_cannot_read)
{
	static const struct {
		const char *type;
		int code;
		const char *reason;
	} rows[] = {
		{ "application/cbor", 415, "UnsupportedMediaType" },
		{ APPLY, 415, "UnsupportedMediaType" },
		{ "application/yaml", 415, "UnsupportedMediaType" },
		{ "text/plain", 415, "UnsupportedMediaType" },
		{ JSON, 400, "BadRequest" },
		{ "", 400, "BadRequest" },
		{ "application/vnd.kubernetes.protobuf", 400, "BadRequest" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		desk_open(&desk, "POST", DEPLOYMENTS);
		desk.call.content_type = slice_of(rows[i].type);
		desk.call.is_body_unreadable = true;
		ck_assert_int_eq(send(&desk), FILTER_REPLY);
		desk_check_reply(&desk, rows[i].code, rows[i].reason, "owner");
		ck_assert(!desk.call.is_counted);
		desk_close(&desk);
	}
}
END_TEST

UNIT_MAIN("filters/fence_new", one_writer_what_is_created_belongs_to_its_owners_bucket,
	  what_may_exist_already_under_a_generated_name_is_not_made,
	  one_writer_a_new_main_object_belongs_to_the_bucket_written_into_it,
	  one_writer_an_orphan_is_adopted_by_the_member_of_its_owner_alone,
	  fence_tells_which_bodies_it_cannot_read)
