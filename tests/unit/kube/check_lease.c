#include "proxy/kube/lease.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/kube/rows.h"

#define S(text) \
	{ \
		text, sizeof(text) - 1 \
	}

static const struct lease full = {
	.name = S("ring.member-1"),
	.namespace = S("shop"),
	.uid = S("0b1c"),
	.resource_version = S("42"),
	.holder = S("member-1/\"quoted\" \xc3\xa9"),
	.duration_s = 15,
	.acquire_time = S("2026-01-02T03:04:05.000006Z"),
	.renew_time = S("2026-01-02T03:04:06.000007Z"),
	.transitions = 3,
	.ring = S("ring"),
	.state = S("ended"),
	.settings = S("5eed"),
	.acknowledged = S("17"),
};

static const struct lease bare = { .name = S("ring"), .namespace = S("shop") };

static const char full_json[] =
	"{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\",\"metadata\":{"
	"\"name\":\"ring.member-1\",\"namespace\":\"shop\",\"uid\":\"0b1c\","
	"\"resourceVersion\":\"42\",\"labels\":{\"ringside.dev/ring\":\"ring\"},"
	"\"annotations\":{\"ringside.dev/state\":\"ended\","
	"\"ringside.dev/settings\":\"5eed\",\"ringside.dev/acknowledged\":\"17\"}},"
	"\"spec\":{\"leaseTransitions\":3,\"leaseDurationSeconds\":15,"
	"\"holderIdentity\":\"member-1/\\\"quoted\\\" \xc3\xa9\","
	"\"acquireTime\":\"2026-01-02T03:04:05.000006Z\","
	"\"renewTime\":\"2026-01-02T03:04:06.000007Z\"}}";

static void check_same(const struct lease *a, const struct lease *b)
{
	ck_assert(slice_eq(a->name, b->name));
	ck_assert(slice_eq(a->namespace, b->namespace));
	ck_assert(slice_eq(a->uid, b->uid));
	ck_assert(slice_eq(a->resource_version, b->resource_version));
	ck_assert(slice_eq(a->holder, b->holder));
	ck_assert_int_eq(a->duration_s, b->duration_s);
	ck_assert(slice_eq(a->acquire_time, b->acquire_time));
	ck_assert(slice_eq(a->renew_time, b->renew_time));
	ck_assert_int_eq(a->transitions, b->transitions);
	ck_assert(slice_eq(a->ring, b->ring));
	ck_assert(slice_eq(a->state, b->state));
	ck_assert(slice_eq(a->settings, b->settings));
	ck_assert(slice_eq(a->acknowledged, b->acknowledged));
}

static int read_lease(struct lease *out, struct arena *arena, struct slice text,
		      struct err *err)
{
	struct json *json = NULL;

	ck_assert_int_eq(json_parse(&json, arena, text, NULL, NULL), 0);
	return lease_of_json(out, json, err);
}

START_TEST(lease_write_writes_what_lease_of_json_reads)
{
	const struct lease *const rows[] = { &full, &bare };

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct lease lease;
		struct buf out;

		buf_init(&out, 4096);
		ck_assert_int_eq(lease_write(&out, rows[i]), 0);
		ck_assert_int_eq(read_lease(&lease, arena, buf_slice(&out), NULL), 0);
		check_same(&lease, rows[i]);
		buf_finish(&out);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(lease_write_leaves_out_what_is_empty)
{
	struct buf out;

	buf_init(&out, 4096);
	ck_assert_int_eq(lease_write(&out, &full), 0);
	ck_assert_slice(buf_slice(&out), full_json);
	buf_clear(&out);
	ck_assert_int_eq(lease_write(&out, &bare), 0);
	ck_assert_slice(buf_slice(&out),
			"{\"apiVersion\":\"coordination.k8s.io/v1\",\"kind\":\"Lease\","
			"\"metadata\":{\"name\":\"ring\",\"namespace\":\"shop\"},"
			"\"spec\":{\"leaseTransitions\":0}}");
	buf_finish(&out);
}
END_TEST

START_TEST(lease_write_changes_nothing_when_there_is_no_room)
{
	for (size_t cap = 1; cap < sizeof(full_json); cap++) {
		struct buf out;

		buf_init(&out, cap);
		buf_append_text(&out, "x");
		ck_assert_int_eq(lease_write(&out, &full), -EMSGSIZE);
		ck_assert_slice(buf_slice(&out), "x");
		buf_finish(&out);
	}
}
END_TEST

START_TEST(lease_of_json_reads_leases_that_others_wrote)
{
	static const char *const rows[] = {
		"{\"metadata\":{\"name\":\"a\"}}",
		"{\"metadata\":{\"name\":\"a\",\"labels\":null,\"annotations\":{}},"
		"\"spec\":null}",
		"{\"kind\":\"Lease\",\"metadata\":{\"name\":\"a\",\"labels\":{}},"
		"\"spec\":{\"holderIdentity\":null,\"leaseDurationSeconds\":null,"
		"\"strategy\":\"s\"}}",
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct lease lease;

		ck_row(rows[i],
		       read_lease(&lease, arena, slice_of(rows[i]), NULL) == 0);
		check_same(&lease, &(struct lease){ .name = S("a") });
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(lease_of_json_names_the_field_that_is_wrong)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "[]", "Lease" },
		{ "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}", "Lease" },
		{ "{}", "name" },
		{ "{\"metadata\":{\"name\":7}}", "name" },
		{ "{\"metadata\":{\"name\":\"a\",\"uid\":{}}}", "uid" },
		{ "{\"metadata\":{\"name\":\"a\",\"labels\":{"
		  "\"ringside.dev/ring\":1}}}",
		  "ringside.dev/ring" },
		{ "{\"metadata\":{\"name\":\"a\",\"annotations\":{"
		  "\"ringside.dev/acknowledged\":1}}}",
		  "ringside.dev/acknowledged" },
		{ "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"holderIdentity\":1}}",
		  "holderIdentity" },
		{ "{\"metadata\":{\"name\":\"a\"},\"spec\":{"
		  "\"leaseDurationSeconds\":0}}",
		  "leaseDurationSeconds" },
		{ "{\"metadata\":{\"name\":\"a\"},\"spec\":{"
		  "\"leaseDurationSeconds\":2147483648}}",
		  "leaseDurationSeconds" },
		{ "{\"metadata\":{\"name\":\"a\"},\"spec\":{"
		  "\"leaseDurationSeconds\":\"15\"}}",
		  "leaseDurationSeconds" },
		{ "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"leaseTransitions\":-1}}",
		  "leaseTransitions" },
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct arena *arena = arena_create();
		struct lease lease = { .transitions = 77 };
		struct err err = { "" };
		int rc = read_lease(&lease, arena, slice_of(rows[i].text), &err);

		ck_row(rows[i].text, rc == -EINVAL);
		ck_assert_msg(strstr(err.text, rows[i].says), "%s: %s", rows[i].text,
			      err.text);
		ck_row(rows[i].text, lease.transitions == 77);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(lease_of_json_reads_numbers_up_to_their_bounds)
{
	static const int64_t durations[] = { 1, INT32_MAX };
	static const int64_t transitions[] = { 0, INT32_MAX };

	for (size_t i = 0; i < 2; i++) {
		struct arena *arena = arena_create();
		struct lease lease;
		char *text = arena_printf(arena,
					  "{\"metadata\":{\"name\":\"a\"},\"spec\":{"
					  "\"leaseDurationSeconds\":%lld,"
					  "\"leaseTransitions\":%lld}}",
					  (long long)durations[i],
					  (long long)transitions[i]);

		ck_assert_int_eq(read_lease(&lease, arena, slice_of(text), NULL), 0);
		ck_assert_int_eq(lease.duration_s, durations[i]);
		ck_assert_int_eq(lease.transitions, transitions[i]);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(lease_of_json_bounds_every_text)
{
	static const struct {
		const char *before;
		const char *key;
		size_t max;
		const char *after;
	} rows[] = {
		{ "\"metadata\":{", "name", 253, "}" },
		{ "\"metadata\":{\"name\":\"a\",", "namespace", 63, "}" },
		{ "\"metadata\":{\"name\":\"a\",", "uid", 128, "}" },
		{ "\"metadata\":{\"name\":\"a\",", "resourceVersion", 64, "}" },
		{ "\"metadata\":{\"name\":\"a\",\"labels\":{", "ringside.dev/ring", 63,
		  "}}" },
		{ "\"metadata\":{\"name\":\"a\",\"annotations\":{",
		  "ringside.dev/state", 63, "}}" },
		{ "\"metadata\":{\"name\":\"a\",\"annotations\":{",
		  "ringside.dev/settings", 128, "}}" },
		{ "\"metadata\":{\"name\":\"a\",\"annotations\":{",
		  "ringside.dev/controller", 63, "}}" },
		{ "\"metadata\":{\"name\":\"a\",\"annotations\":{",
		  "ringside.dev/acknowledged", 63, "}}" },
		{ "\"metadata\":{\"name\":\"a\"},\"spec\":{", "holderIdentity", 300,
		  "}" },
		{ "\"metadata\":{\"name\":\"a\"},\"spec\":{", "acquireTime", 64, "}" },
		{ "\"metadata\":{\"name\":\"a\"},\"spec\":{", "renewTime", 64, "}" },
	};

	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		struct arena *arena = arena_create();
		bool is_over = i % 2;
		struct err err = { "" };
		struct lease lease;
		struct buf text;
		int rc;

		buf_init(&text, 10000);
		buf_printf(&text, "{%s\"%s\":\"%0*d\"%s}", rows[i / 2].before,
			   rows[i / 2].key, (int)rows[i / 2].max + is_over, 0,
			   rows[i / 2].after);
		rc = read_lease(&lease, arena, buf_slice(&text), &err);
		ck_row(rows[i / 2].key, rc == (is_over ? -EINVAL : 0));
		ck_row(rows[i / 2].key, !is_over || strstr(err.text, rows[i / 2].key));
		buf_finish(&text);
		arena_destroy(arena);
	}
}
END_TEST

UNIT_MAIN("kube/lease", lease_write_writes_what_lease_of_json_reads,
	  lease_write_leaves_out_what_is_empty,
	  lease_write_changes_nothing_when_there_is_no_room,
	  lease_of_json_reads_leases_that_others_wrote,
	  lease_of_json_names_the_field_that_is_wrong,
	  lease_of_json_reads_numbers_up_to_their_bounds,
	  lease_of_json_bounds_every_text)
