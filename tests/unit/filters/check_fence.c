#include <stdio.h>

#include "tests/unit/filters/desk.h"

#define JSON "application/json"
#define APPLY "application/apply-patch+yaml"
#define MERGE "application/merge-patch+json"
#define OBJECT FILTER_NEEDS_OBJECT
#define BODY FILTER_NEEDS_BODY
#define OWNER FILTER_NEEDS_OWNER

/* A write with this evidence about it; buckets 0-2 are ours. */
struct row {
	const char *method, *target, *type;
	struct evidence object, owner;
	int bucket;       /* what a write that passes is counted for */
	const char *says; /* NULL: it passes */
};

static void open_row(struct desk *desk, const struct row *row)
{
	desk_open(desk, row->method, row->target);
	desk->call.content_type = slice_of(row->type);
	desk->call.object = row->object;
	desk->call.owner = row->owner;
	desk->call.body = &desk->body;
	desk->call.bucket = 4711;
}

static enum filter_verdict send(struct desk *desk)
{
	return filter_fence.on_send(&desk->call);
}

static void check_rows(const struct row *rows, size_t n)
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
		{ "PUT", FOOS "/x/status", JSON, OBJECT },
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
	check_writes((struct evidence){ PLACED_FOREIGN, BUCKET_NONE }, BUCKET_NONE,
		     NULL);
}
END_TEST

START_TEST(fence_waits_for_the_label_of_what_is_the_rings)
{
	check_writes((struct evidence){ PLACED_NOWHERE, BUCKET_NONE }, 0,
		     "no bucket label yet");
}
END_TEST

START_TEST(fail_closed_what_is_not_known_is_not_written)
{
	static const struct evidence unknown = { PLACED_UNKNOWN, BUCKET_NONE };
	static const struct row rows[] = {
		{ "POST", DEPLOYMENTS, JSON, unknown, unknown, 0,
		  "bucket of its owner is not known" },
		{ "PUT",
		  DEPLOYMENTS "/x",
		  JSON,
		  { PLACED_ABSENT },
		  unknown,
		  0,
		  "bucket of its owner is not known" },
	};

	check_writes(unknown, 0, "bucket of the object is not known");
	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(fence_leaves_it_to_the_api_server_to_say_that_nothing_is_there)
{
	static const struct evidence absent = { PLACED_ABSENT, BUCKET_NONE };
	static const struct row rows[] = {
		{ "DELETE", FOOS "/x", "", absent, { 0 }, BUCKET_NONE, NULL },
		{ "PATCH", FOOS "/x", MERGE, absent, { 0 }, BUCKET_NONE, NULL },
		{ "PUT", FOOS "/x/status", JSON, absent, { 0 }, BUCKET_NONE, NULL },
		{ "DELETE", DEPLOYMENTS "/x", "", absent, { 0 }, BUCKET_NONE, NULL },
		{ "PATCH", DEPLOYMENTS "/x", MERGE, absent, { 0 }, BUCKET_NONE, NULL },
		{ "PATCH",
		  DEPLOYMENTS "/x/status",
		  APPLY,
		  absent,
		  { 0 },
		  BUCKET_NONE,
		  NULL },
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

START_TEST(one_writer_what_is_created_belongs_to_its_owners_bucket)
{
	static const struct evidence none = { PLACED_UNKNOWN, BUCKET_NONE };
	static const struct evidence absent = { PLACED_ABSENT, BUCKET_NONE };
	static const struct row rows[] = {
		{ "POST", DEPLOYMENTS, JSON, none, { PLACED_AT, 1 }, 1, NULL },
		{ "POST",
		  DEPLOYMENTS "?dryRun=All",
		  JSON,
		  none,
		  { PLACED_AT, 1 },
		  1,
		  NULL },
		{ "POST",
		  DEPLOYMENTS,
		  JSON,
		  none,
		  { PLACED_AT, 5 },
		  0,
		  "bucket 5 is owned by another member" },
		{ "POST",
		  DEPLOYMENTS "?dryRun=All",
		  JSON,
		  none,
		  { PLACED_AT, 5 },
		  0,
		  "bucket 5 is owned by another member" },
		{ "POST",
		  SECRETS,
		  JSON,
		  none,
		  { PLACED_FOREIGN, BUCKET_NONE },
		  BUCKET_NONE,
		  NULL },
		{ "POST",
		  SECRETS,
		  JSON,
		  none,
		  { PLACED_NOWHERE, BUCKET_NONE },
		  0,
		  "its owner has no bucket label yet" },
		{ "POST",
		  SECRETS,
		  JSON,
		  none,
		  { PLACED_ABSENT, BUCKET_NONE },
		  0,
		  "its owner does not exist" },
		/* An apply, and a PUT of some resources, create what is not there. */
		{ "PATCH", DEPLOYMENTS "/x", APPLY, absent, { PLACED_AT, 1 }, 1, NULL },
		{ "PATCH",
		  DEPLOYMENTS "/x",
		  APPLY,
		  absent,
		  { PLACED_AT, 5 },
		  0,
		  "bucket 5 is owned by another member" },
		{ "PUT",
		  DEPLOYMENTS "/x",
		  JSON,
		  absent,
		  { PLACED_AT, 5 },
		  0,
		  "bucket 5 is owned by another member" },
		{ "PUT",
		  DEPLOYMENTS "/x",
		  JSON,
		  absent,
		  { PLACED_FOREIGN, BUCKET_NONE },
		  BUCKET_NONE,
		  NULL },
		/* What is there has its own bucket, whatever the body claims. */
		{ "PATCH",
		  DEPLOYMENTS "/x",
		  APPLY,
		  { PLACED_AT, 5 },
		  { PLACED_AT, 1 },
		  0,
		  "bucket 5 is owned by another member" },
		{ "PUT",
		  DEPLOYMENTS "/x",
		  JSON,
		  { PLACED_AT, 1 },
		  { PLACED_AT, 5 },
		  1,
		  NULL },
	};

	check_rows(rows, COUNT(rows));
}
END_TEST

/* The first name whose placement is, or is not, one of ours. */
static const char *name_placed(struct desk *desk, bool is_ours, int *bucket)
{
	for (int i = 0;; i++) {
		char *name = arena_printf(desk->arena, "foo-%d", i);
		struct object_key key = { .group = slice_of("samplecontroller.k8s.io"),
					  .resource = slice_of("foos"),
					  .namespace = slice_of("ns"),
					  .name = slice_of(name) };

		*bucket = bucket_place(desk->spec.placement, 8, &key);
		if ((*bucket <= 2) == is_ours)
			return name;
	}
}

START_TEST(fence_lets_any_owner_create_a_main_object)
{
	for (int is_ours = 0; is_ours < 2; is_ours++) {
		struct desk desk;
		int bucket;

		desk_open(&desk, "POST", FOOS);
		desk.body.name = slice_of(name_placed(&desk, is_ours, &bucket));
		desk.call.body = &desk.body;
		ck_assert_int_eq(send(&desk), FILTER_PASS);
		ck_assert_int_eq(desk.call.bucket, is_ours ? bucket : BUCKET_NONE);
		ck_assert(desk.call.is_counted);
		/* An apply names it in its path. */
		desk.request.verb = KUBE_VERB_PATCH;
		desk.request.name = desk.body.name;
		desk.call.content_type = slice_of(APPLY);
		desk.call.object.known = PLACED_ABSENT;
		desk.call.body = NULL;
		ck_assert_int_eq(send(&desk), FILTER_PASS);
		ck_assert_int_eq(desk.call.bucket, is_ours ? bucket : BUCKET_NONE);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(fence_lets_a_main_object_without_a_known_name_pass)
{
	struct desk desk;

	desk_open(&desk, "POST", FOOS);
	desk.body.generate_name = slice_of("foo-");
	desk.call.body = &desk.body;
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	ck_assert_int_eq(desk.call.bucket, BUCKET_NONE);
	desk.call.body = NULL;
	desk.call.is_body_unreadable = true;
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	desk_close(&desk);
}
END_TEST

/* RequestInfo puts a namespace into itself; its metadata has none. */
START_TEST(fence_places_a_namespace_as_the_labeller_does)
{
	const struct object_key key = { .resource = slice_of("namespaces"),
					.name = slice_of("default") };
	struct desk desk;

	desk_open(&desk, "PUT", "/api/v1/namespaces/default");
	desk.spec.resources[0].group = slice_of("");
	desk.spec.resources[0].resource = slice_of("namespaces");
	desk.call.resource = &desk.spec.resources[0];
	desk.ring.owned = buckets("0-7");
	desk.call.object.known = PLACED_ABSENT;
	ck_assert_slice(desk.request.namespace, "default");
	ck_assert_int_eq(send(&desk), FILTER_PASS);
	ck_assert_int_eq(desk.call.bucket, bucket_place(desk.spec.placement, 8, &key));
	desk_close(&desk);
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
END_TEST

/* Every kind of write, each such that it passes while the right stands. */
static const struct row allowed[] = {
	{ "POST", FOOS, JSON, { 0 }, { 0 }, 0, NULL },
	{ "POST", DEPLOYMENTS, JSON, { 0 }, { PLACED_AT, 1 }, 0, NULL },
	{ "POST", DEPLOYMENTS, JSON, { 0 }, { PLACED_FOREIGN }, 0, NULL },
	{ "PUT", FOOS "/x", JSON, { PLACED_AT, 1 }, { 0 }, 0, NULL },
	{ "PUT", FOOS "/x?dryRun=All", JSON, { PLACED_AT, 1 }, { 0 }, 0, NULL },
	{ "PATCH", DEPLOYMENTS "/x", MERGE, { PLACED_FOREIGN }, { 0 }, 0, NULL },
	{ "DELETE", FOOS "/x", "", { PLACED_ABSENT }, { 0 }, 0, NULL },
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
	  one_writer_what_is_created_belongs_to_its_owners_bucket,
	  fence_lets_any_owner_create_a_main_object,
	  fence_lets_a_main_object_without_a_known_name_pass,
	  fence_places_a_namespace_as_the_labeller_does,
	  fence_tells_which_bodies_it_cannot_read,
	  fence_needs_no_body_where_the_object_is_there,
	  one_writer_no_write_leaves_without_a_right,
	  fence_judges_by_the_ring_that_is_current,
	  one_writer_a_collection_is_deleted_only_where_all_of_it_is_ours_still,
	  fence_does_not_count_what_connects,
	  transparent_fence_lets_everything_else_pass_without_a_right)
