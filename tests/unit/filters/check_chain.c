#include "filters/filter.h"
#include "tests/unit/unit.h"

/* Each hook leaves its mark in now_ms. */
static unsigned wants_body(const struct filter_call *call)
{
	return FILTER_NEEDS_BODY;
}

static unsigned wants_object(const struct filter_call *call)
{
	return FILTER_NEEDS_OBJECT;
}

static enum filter_verdict pass(struct filter_call *call)
{
	call->now_ms = call->now_ms * 10 + 1;
	return FILTER_PASS;
}

static enum filter_verdict pass_again(struct filter_call *call)
{
	call->now_ms = call->now_ms * 10 + 2;
	return FILTER_PASS;
}

static enum filter_verdict reply(struct filter_call *call)
{
	call->now_ms = call->now_ms * 10 + 3;
	return FILTER_REPLY;
}

static const struct filter first = { "first", wants_body, pass, NULL };
static const struct filter second = { "second", wants_object, pass_again, pass_again };
static const struct filter third = { "third", NULL, reply, reply };

START_TEST(chain_joins_what_its_filters_want)
{
	const struct filter *const none[] = { NULL }, *const both[] = { &first, &second,
									&third, NULL };
	struct filter_call call = { 0 };

	ck_assert_uint_eq(filter_chain_wants(none, &call), FILTER_NEEDS_NOTHING);
	ck_assert_uint_eq(filter_chain_wants(both, &call),
			  FILTER_NEEDS_BODY | FILTER_NEEDS_OBJECT);
}
END_TEST

START_TEST(chain_runs_in_order_and_skips_hooks_that_are_not_there)
{
	const struct filter *const chain[] = { &second, &first, NULL };
	struct filter_call call = { 0 };

	ck_assert_int_eq(filter_chain_on_request(chain, &call), FILTER_PASS);
	ck_assert_int_eq(call.now_ms, 21);
	call.now_ms = 0;
	ck_assert_int_eq(filter_chain_on_send(chain, &call), FILTER_PASS);
	ck_assert_int_eq(call.now_ms, 2);
}
END_TEST

START_TEST(chain_ends_at_the_first_reply)
{
	const struct filter *const chain[] = { &first, &third, &second, NULL };
	struct filter_call call = { 0 };

	ck_assert_int_eq(filter_chain_on_request(chain, &call), FILTER_REPLY);
	ck_assert_int_eq(call.now_ms, 13);
	call.now_ms = 0;
	ck_assert_int_eq(filter_chain_on_send(chain, &call), FILTER_REPLY);
	ck_assert_int_eq(call.now_ms, 3);
}
END_TEST

UNIT_MAIN("filters/chain", chain_joins_what_its_filters_want,
	  chain_runs_in_order_and_skips_hooks_that_are_not_there,
	  chain_ends_at_the_first_reply)
