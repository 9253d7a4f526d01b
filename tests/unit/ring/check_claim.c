#include "proxy/ring/claim.h"

#include "tests/unit/unit.h"

#define S(text) SLICE_LITERAL(text)

START_TEST(identity_is_a_member_and_an_incarnation)
{
	ck_assert_slice(identity_member(S("a/3f2c91d0")), "a");
	ck_assert_slice(identity_member(S("web-0/1")), "web-0");
	ck_assert_slice(identity_member(S("")), "");
	ck_assert_slice(identity_member(S("a")), "");
	ck_assert_slice(identity_member(S("/1")), "");
	ck_assert_slice(identity_member(S("a/")), "");
	ck_assert_slice(identity_member(S("a/1/2")), "");
}
END_TEST

START_TEST(lease_durations_of_others_are_bounded)
{
	ck_assert_int_eq(lease_duration_ms(&(struct lease){ .duration_s = 0 }), 1000);
	ck_assert_int_eq(lease_duration_ms(&(struct lease){ .duration_s = 15 }), 15000);
	ck_assert_int_eq(lease_duration_ms(&(struct lease){ .duration_s = 1000000 }),
			 600000);
}
END_TEST

static const struct lease alive = { .holder = S("a/1"),
				    .ring = S("r"),
				    .duration_s = 15 };
static const struct lease ended = {
	.holder = S("a/1"), .ring = S("r"), .duration_s = 15, .state = S("ended")
};
static const struct lease released = {
	.holder = S("a/1"), .ring = S("r"), .duration_s = 15, .state = S("released")
};
static const struct lease unlabelled = { .holder = S("a/1"), .duration_s = 15 };
static const struct lease of_another_ring = { .holder = S("a/1"), .ring = S("q") };
static const struct lease of_another_member = { .holder = S("b/1"), .ring = S("r") };
static const struct lease of_somebody = { .holder = S("host_0815"), .ring = S("r") };
static const struct lease of_nobody = { .ring = S("r") };

static const struct {
	const char *what;
	const struct lease *lease;
	const char *proven, *named;
	int64_t stood_ms;
	enum claim_verdict verdict;
	int64_t wait_ms;
} claims[] = {
	{ "nothing there", NULL, "", "", 0, CLAIM_CREATE },
	{ "a predecessor without a Lease", NULL, "", "a/1", 0, CLAIM_WAIT, 15000 },
	{ "the same, later", NULL, "", "a/1", 14999, CLAIM_WAIT, 1 },
	{ "the same, too late", NULL, "", "a/1", 15000, CLAIM_CREATE },
	{ "even proven, its writes may be under way", NULL, "a/1", "a/1", 0, CLAIM_WAIT,
	  15000 },
	{ "alive, perhaps", &alive, "", "", 0, CLAIM_WAIT, 15000 },
	{ "alive, hardly", &alive, "", "", 14999, CLAIM_WAIT, 1 },
	{ "run out", &alive, "", "", 15000, CLAIM_TAKE },
	{ "ours by the lock file", &alive, "a/1", "a/1", 0, CLAIM_ADOPT },
	{ "the lock file records another life", &alive, "a/2", "", 0, CLAIM_WAIT,
	  15000 },
	{ "ended", &ended, "", "a/1", 0, CLAIM_TAKE },
	{ "ended, whatever the lock file says", &ended, "a/1", "", 0, CLAIM_TAKE },
	{ "released", &released, "", "", 0, CLAIM_TAKE },
	{ "without our label", &unlabelled, "", "", 20000, CLAIM_FOREIGN },
	{ "of another ring", &of_another_ring, "", "", 20000, CLAIM_FOREIGN },
	{ "of another member", &of_another_member, "", "", 20000, CLAIM_FOREIGN },
	{ "of a leader election", &of_somebody, "", "", 20000, CLAIM_FOREIGN },
	{ "of nobody", &of_nobody, "", "", 20000, CLAIM_FOREIGN },
};

START_TEST(claim_waits_for_whoever_may_be_alive_and_keeps_off_what_is_not_ours)
{
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		const struct claim_question question = {
			.lease = claims[i].lease,
			.ring = S("r"),
			.member = S("a"),
			.proven = slice_of(claims[i].proven),
			.named = slice_of(claims[i].named),
			.duration_ms = 15000,
			.since_ms = 1000,
			.now_ms = 1000 + claims[i].stood_ms,
		};
		int64_t until_ms = 0;
		enum claim_verdict verdict = claim_judge(&question, &until_ms);

		ck_assert_msg(verdict == claims[i].verdict, "%s", claims[i].what);
		if (verdict == CLAIM_WAIT)
			ck_assert_msg(until_ms - question.now_ms == claims[i].wait_ms,
				      "%s", claims[i].what);
	}
}
END_TEST

static const struct lease twins = { .holder = S("a/2"), .ring = S("r") };

static const struct {
	const struct lease *lease;
	enum claim_standing standing;
} standings[] = {
	{ &alive, STANDING_OURS },
	{ &ended, STANDING_SEALED },
	{ &released, STANDING_SEALED },
	{ &twins, STANDING_TWIN },
	{ NULL, STANDING_DELETED },
	{ &unlabelled, STANDING_FOREIGN },
	{ &of_another_member, STANDING_FOREIGN },
	{ &of_nobody, STANDING_FOREIGN },
};

START_TEST(claim_check_says_what_became_of_our_lease)
{
	for (size_t i = 0; i < sizeof(standings) / sizeof(standings[0]); i++) {
		const struct claim_question question = {
			.lease = standings[i].lease,
			.ring = S("r"),
			.member = S("a"),
			.proven = S("a/1"),
		};

		ck_assert_int_eq(claim_check(&question), standings[i].standing);
	}
}
END_TEST

static const struct lease seat_of_a = { .holder = S("a/1"),
					.ring = S("r"),
					.duration_s = 15 };
static const struct lease seat_given_up = { .ring = S("r"), .duration_s = 15 };
static const struct lease seat_unlabelled = { .holder = S("a/1"), .duration_s = 15 };
static const struct lease seat_of_a_leader = { .holder = S("pod_1234"),
					       .ring = S("r"),
					       .duration_s = 15 };

static const struct {
	const char *what;
	const struct lease *lease;
	const char *identity;
	bool is_holder_gone;
	int64_t stood_ms;
	enum seat_verdict verdict;
} seats[] = {
	{ "none", NULL, "b/1", false, 0, SEAT_CREATE },
	{ "given up", &seat_given_up, "b/1", false, 0, SEAT_TAKE },
	{ "held by another", &seat_of_a, "b/1", false, 14999, SEAT_WAIT },
	{ "run out", &seat_of_a, "b/1", false, 15000, SEAT_TAKE },
	{ "its holder is over", &seat_of_a, "b/1", true, 0, SEAT_TAKE },
	{ "held by us", &seat_of_a, "a/1", false, 0, SEAT_OURS },
	{ "held by our former life", &seat_of_a, "a/2", true, 0, SEAT_TAKE },
	{ "somebody's lock", &seat_unlabelled, "b/1", false, 20000, SEAT_FOREIGN },
	{ "somebody's lock, labelled", &seat_of_a_leader, "b/1", true, 20000,
	  SEAT_FOREIGN },
};

START_TEST(seat_is_taken_when_it_is_free_and_left_alone_when_it_is_no_seat)
{
	for (size_t i = 0; i < sizeof(seats) / sizeof(seats[0]); i++) {
		const struct seat_question question = {
			.lease = seats[i].lease,
			.ring = S("r"),
			.identity = slice_of(seats[i].identity),
			.is_holder_gone = seats[i].is_holder_gone,
			.since_ms = 1000,
			.now_ms = 1000 + seats[i].stood_ms,
		};
		int64_t until_ms = 16000;

		ck_assert_msg(seat_judge(&question, &until_ms) == seats[i].verdict,
			      "%s", seats[i].what);
		ck_assert_int_eq(until_ms, 16000);
	}
}
END_TEST

UNIT_MAIN("ring/claim", identity_is_a_member_and_an_incarnation,
	  lease_durations_of_others_are_bounded,
	  claim_waits_for_whoever_may_be_alive_and_keeps_off_what_is_not_ours,
	  claim_check_says_what_became_of_our_lease,
	  seat_is_taken_when_it_is_free_and_left_alone_when_it_is_no_seat)
