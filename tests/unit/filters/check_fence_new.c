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

UNIT_MAIN("filters/fence_new", one_writer_what_is_created_belongs_to_its_owners_bucket,
	  fence_lets_any_owner_create_a_main_object,
	  fence_lets_a_main_object_without_a_known_name_pass,
	  fence_places_a_namespace_as_the_labeller_does,
	  fence_tells_which_bodies_it_cannot_read)
