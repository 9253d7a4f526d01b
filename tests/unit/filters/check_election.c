#include <stdio.h>

#include "tests/unit/filters/desk.h"

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/ns/leases"
#define LOCK LEASES "/lock"

static struct slice body_of(const char *name)
{
	static char text[128];

	(void)snprintf(text, sizeof(text), "{\"metadata\":{\"name\":\"%s\"}}", name);
	return slice_of(text);
}

/* A write with a body that has been gathered. */
static void write_open(struct desk *desk, const char *method, const char *target,
		       const char *name)
{
	desk_open(desk, method, target);
	desk->body.name = slice_of(name);
	desk->call.body = &desk->body;
	desk->call.bytes = body_of(name);
}

static void check_path(struct desk *desk, const char *path)
{
	ck_assert_int_eq(filter_election.on_request(&desk->call), FILTER_PASS);
	ck_assert(desk->call.lock);
	ck_assert_msg(slice_is(desk->call.path, path), "%.*s",
		      SLICE_ARGS(desk->call.path));
	ck_assert(desk->call.strips_encoding);
}

START_TEST(election_sends_requests_for_the_lock_under_the_members_name)
{
	static const struct {
		const char *method, *target, *path, *selector;
	} rows[] = {
		{ "GET", LOCK, LOCK ".a", NULL },
		{ "GET", LEASES "/l%6Fck", LOCK ".a", NULL },
		{ "DELETE", LOCK, LOCK ".a", NULL },
		{ "GET", LEASES "?fieldSelector=metadata.name%3Dlock", LEASES,
		  "metadata.name=lock.a" },
		{ "GET", LEASES "?watch=1&fieldSelector=metadata.name%3D%3Dlock",
		  LEASES, "metadata.name==lock.a" },
		{ "GET",
		  LEASES "?fieldSelector=metadata.namespace%3Dns,metadata.name%3Dlock",
		  LEASES, "metadata.namespace=ns,metadata.name=lock.a" },
		{ "GET", "/apis/coordination.k8s.io/v1/watch/namespaces/ns/leases/lock",
		  "/apis/coordination.k8s.io/v1/watch/namespaces/ns/leases/lock.a",
		  NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *selector;
		struct desk desk;

		desk_open(&desk, rows[i].method, rows[i].target);
		ck_assert_uint_eq(filter_election.wants(&desk.call), 0);
		check_path(&desk, rows[i].path);
		selector = desk_parameter(&desk, "fieldSelector");
		if (rows[i].selector)
			ck_assert_str_eq(selector, rows[i].selector);
		desk_close(&desk);
	}
}
END_TEST

START_TEST(election_renames_and_marks_what_is_written)
{
	static const struct {
		const char *method, *target, *type, *body;
	} rows[] = {
		{ "POST", LEASES, "application/json",
		  "{\"metadata\":{\"labels\":{\"ringside.dev/lock-of\":\"foos\"},"
		  "\"name\":\"lock.a\"}}" },
		{ "PUT", LOCK, "application/json",
		  "{\"metadata\":{\"labels\":{\"ringside.dev/lock-of\":\"foos\"},"
		  "\"name\":\"lock.a\"}}" },
		{ "PATCH", LOCK, "application/apply-patch+yaml",
		  "{\"metadata\":{\"labels\":{\"ringside.dev/lock-of\":\"foos\"},"
		  "\"name\":\"lock.a\"}}" },
		{ "PATCH", LOCK, "application/merge-patch+json",
		  "{\"metadata\":{\"name\":\"lock.a\"}}" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		write_open(&desk, rows[i].method, rows[i].target, "lock");
		desk.call.content_type = slice_of(rows[i].type);
		ck_assert_uint_eq(filter_election.wants(&desk.call), FILTER_NEEDS_BODY);
		check_path(&desk, i == 0 ? LEASES : LOCK ".a");
		ck_assert(desk.call.is_edited);
		ck_assert_msg(slice_is(desk.call.edited, rows[i].body), "%s: %.*s",
			      rows[i].type, SLICE_ARGS(desk.call.edited));
		desk_close(&desk);
	}
}
END_TEST

START_TEST(election_leaves_the_operations_of_a_json_patch)
{
	struct desk desk;

	desk_open(&desk, "PATCH", LOCK);
	desk.call.content_type = SLICE_LITERAL("application/json-patch+json");
	desk.call.bytes = SLICE_LITERAL("[]");
	ck_assert_uint_eq(filter_election.wants(&desk.call), 0);
	check_path(&desk, LOCK ".a");
	ck_assert(!desk.call.is_edited);
	desk_close(&desk);
}
END_TEST

START_TEST(election_has_nothing_to_say_about_other_leases)
{
	static const char *const rows[][2] = {
		{ "GET", LEASES },
		{ "GET", LEASES "/another" },
		{ "GET", LEASES "/lock.a" },
		{ "GET", LOCK "/status" },
		{ "DELETE", LEASES },
		{ "PUT", "/apis/coordination.k8s.io/v1/namespaces/else/leases/lock" },
		{ "GET", "/api/v1/namespaces/ns/leases/lock" },
		{ "GET", "/apis/coordination.k8s.io/v1/leases"
			 "?fieldSelector=metadata.name%3Dlock" },
	};
	struct desk desk;

	for (size_t i = 0; i < COUNT(rows); i++) {
		desk_open(&desk, rows[i][0], rows[i][1]);
		ck_assert_int_eq(filter_election.on_request(&desk.call), FILTER_PASS);
		ck_assert_msg(!desk.call.lock, "%s %s", rows[i][0], rows[i][1]);
		desk_close(&desk);
	}
	write_open(&desk, "POST", LEASES, "another");
	ck_assert_int_eq(filter_election.on_request(&desk.call), FILTER_PASS);
	ck_assert(!desk.call.lock && !desk.call.is_edited);
	desk_close(&desk);
}
END_TEST

START_TEST(election_refuses_a_write_that_it_cannot_read)
{
	static const struct {
		const char *method, *target, *type;
		int code;
	} rows[] = {
		{ "POST", LEASES, "application/cbor", 415 },
		{ "PUT", LOCK, "application/cbor", 415 },
		{ "POST", LEASES, "application/json", 400 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct desk desk;

		desk_open(&desk, rows[i].method, rows[i].target);
		desk.call.content_type = slice_of(rows[i].type);
		desk.call.is_body_unreadable = true;
		ck_assert_int_eq(filter_election.on_request(&desk.call), FILTER_REPLY);
		ck_assert_int_eq(desk.call.reply.code, rows[i].code);
		desk_close(&desk);
	}
}
END_TEST

static enum filter_verdict renew(struct desk *desk, enum ring_state state,
				 int64_t now_ms)
{
	enum filter_verdict verdict;

	write_open(desk, "PUT", LOCK, "lock");
	desk->ring.state = state;
	ck_assert_int_eq(filter_election.on_request(&desk->call), FILTER_PASS);
	desk->call.now_ms = now_ms;
	verdict = filter_election.on_send(&desk->call);
	if (verdict == FILTER_REPLY)
		desk_check_reply(desk, 503, "ServiceUnavailable", "may not lead");
	desk_close(desk);
	return verdict;
}

START_TEST(election_lets_renewals_fail_while_the_member_may_not_write)
{
	struct desk desk;

	ck_assert_int_eq(renew(&desk, RING_ACTIVE, 999), FILTER_PASS);
	ck_assert_int_eq(renew(&desk, RING_STANDBY, 999), FILTER_PASS);
	ck_assert_int_eq(renew(&desk, RING_ACTIVE, 1000), FILTER_REPLY);
	ck_assert_int_eq(renew(&desk, RING_STANDBY, 1000), FILTER_REPLY);
	ck_assert_int_eq(renew(&desk, RING_NOT_READY, 0), FILTER_REPLY);
	ck_assert_int_eq(renew(&desk, RING_RIGHT_LOST, 0), FILTER_REPLY);
	ck_assert_int_eq(renew(&desk, RING_LEAVING, 0), FILTER_REPLY);
	desk_open(&desk, "GET", LOCK);
	desk.ring.state = RING_RIGHT_LOST;
	ck_assert_int_eq(filter_election.on_request(&desk.call), FILTER_PASS);
	ck_assert_int_eq(filter_election.on_send(&desk.call), FILTER_PASS);
	desk_close(&desk);
}
END_TEST

UNIT_MAIN("filters/election",
	  election_sends_requests_for_the_lock_under_the_members_name,
	  election_renames_and_marks_what_is_written,
	  election_leaves_the_operations_of_a_json_patch,
	  election_has_nothing_to_say_about_other_leases,
	  election_refuses_a_write_that_it_cannot_read,
	  election_lets_renewals_fail_while_the_member_may_not_write)
