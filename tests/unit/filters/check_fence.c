#include <stdio.h>

#include "tests/unit/filters/writes.h"

#define OBJECT FILTER_NEEDS_OBJECT
#define BODY FILTER_NEEDS_BODY
#define OWNER FILTER_NEEDS_OWNER

START_TEST(fence_wants_to_know_what_decides)
{
	static const struct {
		const char *method, *target, *type;
		unsigned needs;
	} rows[] = {
		{ "GET", FOOS, "", 0 },
		{ "GET", FOOS "/x", "", 0 },
		{ "GET", FOOS "?watch=1", "", 0 },
		{ "POST", "/api/v1/namespaces/ns/pods", JSON, 0 },
		{ "PUT", "/api/v1/namespaces/ns/configmaps/x", JSON, 0 },
		{ "POST", FOOS, JSON, BODY },
		{ "POST", DEPLOYMENTS, JSON, BODY | OWNER },
		{ "PUT", FOOS "/x", JSON, OBJECT },
		{ "PUT", FOOS "/x/status", JSON, OBJECT | BODY },
		{ "PATCH", FOOS "/x", MERGE, OBJECT },
		{ "PATCH", FOOS "/x", APPLY, OBJECT },
		{ "DELETE", FOOS "/x", "", OBJECT },
		{ "DELETE", FOOS, "", 0 },
		{ "PUT", DEPLOYMENTS "/x", JSON, OBJECT | BODY | OWNER },
		{ "PUT", DEPLOYMENTS "/x/scale", JSON, OBJECT },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, OBJECT },
		{ "PATCH", DEPLOYMENTS "/x", APPLY, OBJECT | BODY | OWNER },
		{ "PATCH", DEPLOYMENTS "/x", "Application/Apply-Patch+YAML ;a=b",
		  OBJECT | BODY | OWNER },
		{ "PATCH", DEPLOYMENTS "/x", "application/apply-patch+cbor",
		  OBJECT | BODY | OWNER },
		{ "PATCH", DEPLOYMENTS "/x/status", APPLY, OBJECT },
		{ "DELETE", DEPLOYMENTS "/x", "", OBJECT },
		{ "POST", DEPLOYMENTS "/x/eviction", JSON, OBJECT },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		desk_open(&desk, rows[i].method, rows[i].target);
		desk.call.content_type = slice_of(rows[i].type);
		ck_assert_msg(filter_fence.wants(&desk.call) == rows[i].needs,
			      "row %zu: %s %s", i, rows[i].method, rows[i].target);
		desk_close(&desk);
	}
}
END_TEST

static const char *const writes[][3] = {
	{ "PUT", "/x", JSON },
	{ "PUT", "/x/status", JSON },
	{ "PATCH", "/x", MERGE },
	{ "PATCH", "/x", APPLY },
	{ "DELETE", "/x", "" },
	{ "POST", "/x/eviction", JSON },
	{ "PUT", "/x?dryRun=All", JSON },
	{ "PATCH", "/x/scale", MERGE },
};

/* Each way to write to one object of both kinds of resource, with this evidence. */
static void check_writes(struct evidence object, int bucket, const char *says)
{
	static const char *const resources[] = { FOOS, DEPLOYMENTS, SECRETS };

	for (size_t i = 0; i < COUNT(writes) * COUNT(resources); i++) {
		const char *const *write = writes[i % COUNT(writes)];
		char target[256];
		struct row row = { .method = write[0],
				   .target = target,
				   .type = write[2],
				   .object = object,
				   .bucket = bucket,
				   .says = says };

		snprintf(target, sizeof(target), "%s%s", resources[i / COUNT(writes)],
			 write[1]);
		check_rows(&row, 1);
	}
}

START_TEST(one_writer_an_object_is_written_by_the_owner_of_its_bucket_alone)
{
	check_writes((struct evidence){ PLACED_AT, 2 }, 2, NULL);
	check_writes((struct evidence){ PLACED_AT, 0 }, 0, NULL);
	check_writes((struct evidence){ PLACED_AT, 3 }, 0,
		     "bucket 3 is owned by another member");
	check_writes((struct evidence){ PLACED_AT, 7 }, 0,
		     "bucket 7 is owned by another member");
}
END_TEST

START_TEST(fence_lets_pass_what_belongs_to_nobody_of_the_ring)
{
	check_writes((struct evidence)FOREIGN, BUCKET_NONE, NULL);
}
END_TEST

START_TEST(fence_waits_for_the_label_of_what_is_the_rings)
{
	check_writes((struct evidence)NOWHERE, 0, "no bucket label yet");
}
END_TEST

START_TEST(fail_closed_what_is_not_known_is_not_written)
{
	static const struct row rows[] = {
		{ "POST", DEPLOYMENTS, JSON, UNKNOWN, UNKNOWN, 0,
		  "bucket of its owner is not known" },
		{ "PUT", DEPLOYMENTS "/x", JSON, ABSENT, UNKNOWN, 0,
		  "bucket of its owner is not known" },
	};

	check_writes((struct evidence)UNKNOWN, 0, "bucket of the object is not known");
	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(fence_leaves_it_to_the_api_server_to_say_that_nothing_is_there)
{
	static const struct row rows[] = {
		{ "DELETE", FOOS "/x", "", ABSENT, { 0 }, BUCKET_NONE, NULL },
		{ "PATCH", FOOS "/x", MERGE, ABSENT, { 0 }, BUCKET_NONE, NULL },
		{ "PUT", FOOS "/x/status", JSON, ABSENT, { 0 }, BUCKET_NONE, NULL },
		{ "DELETE", DEPLOYMENTS "/x", "", ABSENT, { 0 }, BUCKET_NONE, NULL },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, ABSENT, { 0 }, BUCKET_NONE, NULL },
		{ "PATCH",
		  DEPLOYMENTS "/x/status",
		  APPLY,
		  ABSENT,
		  { 0 },
		  BUCKET_NONE,
		  NULL },
	};
	check_rows(rows, COUNT(rows));
}
END_TEST
START_TEST(fence_needs_no_body_where_the_object_is_there)
{
	struct desk desk;
	desk_open(&desk, "PUT", DEPLOYMENTS "/x");
	desk.call.content_type = slice_of("application/cbor");
	desk.call.is_body_unreadable = true;
	desk.call.object = (struct evidence){ PLACED_AT, 1 };
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	desk_close(&desk);
}
END_TEST /* Every kind of write, each such that it passes while the right stands. */
static const struct row allowed[] = {
	{ "POST", FOOS, JSON, { 0 }, { 0 }, 0, NULL },
	{ "POST", DEPLOYMENTS, JSON, { 0 }, AT(1), 0, NULL },
	{ "POST", DEPLOYMENTS, JSON, { 0 }, FOREIGN, 0, NULL },
	{ "PUT", FOOS "/x", JSON, AT(1), { 0 }, 0, NULL },
	{ "PUT", FOOS "/x?dryRun=All", JSON, AT(1), { 0 }, 0, NULL },
	{ "PATCH", DEPLOYMENTS "/x", MERGE, FOREIGN, { 0 }, 0, NULL },
	{ "DELETE", FOOS "/x", "", ABSENT, { 0 }, 0, NULL },
	{ "DELETE", FOOS, "", { 0 }, { 0 }, 0, NULL },
};

static void no_right_not_ready(struct desk *desk)
{
	desk->ring.state = RING_NOT_READY;
	desk->ring.reason = "its settings differ";
}

static void no_right_standby(struct desk *desk)
{
	desk->ring.state = RING_STANDBY;
	desk->ring.owned = buckets("");
	desk->view.set = desk->ring.owned;
}

static void no_right_lost(struct desk *desk)
{
	desk->ring.state = RING_RIGHT_LOST;
}

static void no_right_leaving(struct desk *desk)
{
	desk->ring.state = RING_LEAVING;
}

static void no_right_over(struct desk *desk)
{
	desk->call.now_ms = 1000;
}

START_TEST(one_writer_no_write_leaves_without_a_right)
{
	static const struct {
		void (*take)(struct desk *);
		const char *says;
	} rights[] = {
		{ no_right_not_ready, "its settings differ" },
		{ no_right_standby, "standby" },
		{ no_right_lost, "not renewed in time" },
		{ no_right_leaving, "shutting down" },
		{ no_right_over, "not renewed in time" },
	};

	for (size_t i = 0; i < COUNT(rights) * COUNT(allowed); i++) {
		const struct row *row = &allowed[i % COUNT(allowed)];
		struct desk desk;

		open_row(&desk, row);
		desk.call.label = 1;
		desk.call.now_ms = 999;
		ck_assert_msg(send(&desk) == FILTER_PASS, "%s %s", row->method,
			      row->target);
		rights[i / COUNT(allowed)].take(&desk);
		ck_assert_msg(send(&desk) == FILTER_REPLY, "%s %s", row->method,
			      row->target);
		desk_check_reply(&desk, 409, "Conflict",
				 rights[i / COUNT(allowed)].says);
		ck_assert(!desk.call.is_counted);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(fence_judges_by_the_ring_that_is_current)
{
	struct desk desk;
	struct ring later;

	desk_open(&desk, "DELETE", FOOS "/x");
	desk.call.object = (struct evidence){ PLACED_AT, 2 };
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	later = desk.ring;
	bucket_set_remove(&later.owned, 2);
	desk.call.ring = &later;
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	desk_check_reply(&desk, 409, "Conflict", "bucket 2 is owned by another member");
	desk_close(&desk);
}
END_TEST

START_TEST(refusal_names_who_has_the_bucket_who_we_are_and_the_epoch)
{
	struct assignment assignment = { .buckets = 8,
					 .epoch = 12,
					 .members = { SLICE_LITERAL("a/1"),
						      SLICE_LITERAL("b/7") },
					 .members_n = 2 };
	struct desk desk;

	assignment.bucket[3] = (struct assigned_bucket){ 1, 1, 12 };
	assignment.bucket[4] = (struct assigned_bucket){ 0, 1, 12 };
	desk_open(&desk, "DELETE", FOOS "/x");
	desk.ring.epoch = 12;
	desk.ring.member = "a";
	desk.ring.owners = owners_create(&assignment);
	desk.call.object = (struct evidence){ PLACED_AT, 3 };
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	desk_check_reply(&desk, 409, "Conflict",
			 "bucket 3 is owned by another member, b/7 (ring foos, member "
			 "a, epoch 12)");
	desk.call.object.bucket = 4;
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	desk_check_reply(&desk, 409, "Conflict",
			 "bucket 4 is on its way from a/1 to b/7");
	ck_assert_int_eq(desk.call.refusal, FENCE_FOREIGN);
	desk.ring.right_until_ms = 0;
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	ck_assert_int_eq(desk.call.refusal, FENCE_NO_RIGHT);
	desk.ring.right_until_ms = 1000;
	desk.call.object.known = PLACED_NOWHERE;
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	ck_assert_int_eq(desk.call.refusal, FENCE_UNLABELLED);
	owners_unref(desk.ring.owners);
	desk_close(&desk);
}
END_TEST

/* Only of what leaves its client's cache, too. */
START_TEST(refusal_is_not_found_where_the_object_is_anothers_and_that_was_wished)
{
	static const struct {
		struct row row;
		int code;
	} rows[] = {
		{ { "PATCH", FOOS "/x", MERGE, AT(3), { 0 }, 0, NULL }, 404 },
		{ { "PUT", FOOS "/x/status", JSON, AT(3), { 0 }, 0, NULL }, 404 },
		{ { "DELETE", FOOS "/x", "", AT(3), { 0 }, 0, NULL }, 404 },
		{ { "PATCH", FOOS "/x", MERGE, NOWHERE, { 0 }, 0, NULL }, 409 },
		{ { "PATCH", FOOS "/x", MERGE, UNKNOWN, { 0 }, 0, NULL }, 409 },
		{ { "PATCH", FOOS "/x", APPLY, ABSENT, { 0 }, 0, NULL }, 409 },
		{ { "POST", FOOS, JSON, { 0 }, { 0 }, 0, NULL }, 409 },
		{ { "PATCH", DEPLOYMENTS "/x", MERGE, AT(3), { 0 }, 0, NULL }, 409 },
	};

	static const enum ring_state states[] = { RING_ACTIVE, RING_STANDBY,
						  RING_RIGHT_LOST, RING_LEAVING };

	for (size_t i = 0; i < COUNT(rows) * COUNT(states); i++) {
		const struct row *row = &rows[i / COUNT(states)].row;
		int code = rows[i / COUNT(states)].code;
		struct desk desk;

		open_row(&desk, row);
		desk.spec.resources[0].refuse = REFUSE_NOT_FOUND;
		desk.call.label = 3;
		desk.ring.state = states[i % COUNT(states)];
		if (desk.ring.state == RING_STANDBY)
			desk.ring.owned = buckets("");
		else if (desk.ring.state != RING_ACTIVE)
			code = 409;
		ck_assert_int_eq(send(&desk), FILTER_REPLY);
		desk_check_reply(&desk, code, code == 404 ? "NotFound" : "Conflict",
				 "ring foos");
		desk_close(&desk);
	}
}
END_TEST

START_TEST(one_writer_a_collection_is_deleted_only_where_all_of_it_is_ours_still)
{
	struct desk desk;

	desk_open(&desk, "DELETE", FOOS);
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	ck_assert_int_eq(desk.call.bucket, BUCKET_ALL);
	ck_assert(desk.call.is_counted);
	bucket_set_add(&desk.ring.owned, 3);
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	bucket_set_remove(&desk.ring.owned, 0);
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	desk_check_reply(&desk, 409, "Conflict", "have just changed");
	desk_close(&desk);
}
END_TEST

/* A release cuts an exec, it does not wait for it. */
START_TEST(fence_does_not_count_what_connects)
{
	struct desk desk;

	desk_open(&desk, "POST", "/api/v1/namespaces/ns/pods/x/exec?command=sh");
	desk.spec.resources[2].resource = slice_of("pods");
	desk.call.resource = &desk.spec.resources[2];
	ck_assert_uint_eq(filter_fence.wants(&desk.call), OBJECT);
	desk.call.object = (struct evidence){ PLACED_AT, 2 };
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	ck_assert_int_eq(desk.call.bucket, 2);
	ck_assert(!desk.call.is_counted);
	desk.call.object.bucket = 3;
	ck_assert_int_eq(send(&desk), FILTER_REPLY);
	desk_close(&desk);
}
END_TEST

START_TEST(transparent_fence_lets_everything_else_pass_without_a_right)
{
	static const char *const rows[][2] = {
		{ "GET", FOOS },
		{ "GET", FOOS "/x" },
		{ "GET", FOOS "?watch=1" },
		{ "POST", "/api/v1/namespaces/ns/events" },
		{ "PUT", "/apis/coordination.k8s.io/v1/namespaces/ns/leases/x" },
		{ "DELETE", "/api/v1/namespaces/ns/pods" },
		{ "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" },
		{ "GET", "/healthz" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		desk_open(&desk, rows[i][0], rows[i][1]);
		desk.ring.state = RING_RIGHT_LOST;
		ck_assert_msg(send(&desk) == FILTER_PASS, "row %zu", i);
		ck_assert(!desk.call.is_counted);
		ck_assert_int_eq(desk.call.bucket, BUCKET_NONE);
		desk_close(&desk);
	}
}
END_TEST

UNIT_MAIN("filters/fence", fence_wants_to_know_what_decides,
	  one_writer_an_object_is_written_by_the_owner_of_its_bucket_alone,
	  fence_lets_pass_what_belongs_to_nobody_of_the_ring,
	  fence_waits_for_the_label_of_what_is_the_rings,
	  fail_closed_what_is_not_known_is_not_written,
	  fence_leaves_it_to_the_api_server_to_say_that_nothing_is_there,
	  fence_needs_no_body_where_the_object_is_there,
	  one_writer_no_write_leaves_without_a_right,
	  fence_judges_by_the_ring_that_is_current,
	  refusal_names_who_has_the_bucket_who_we_are_and_the_epoch,
	  refusal_is_not_found_where_the_object_is_anothers_and_that_was_wished,
	  one_writer_a_collection_is_deleted_only_where_all_of_it_is_ours_still,
	  fence_does_not_count_what_connects,
	  transparent_fence_lets_everything_else_pass_without_a_right)
