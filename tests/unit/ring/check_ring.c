#include "proxy/ring/ring.h"

#include "tests/unit/unit.h"

static const struct ring_resource foos = { .index = 0 }, pods = { .index = 3 };

static struct ring active_ring(void)
{
	struct ring ring = { .state = RING_ACTIVE,
			     .right_until_ms = 1000,
			     .served = 1 };

	bucket_set_add(&ring.owned, 7);
	bucket_set_add(&ring.owned, 1023);
	return ring;
}

START_TEST(ring_lets_writes_to_owned_buckets_pass)
{
	struct ring ring = active_ring();

	ck_assert(ring_may_write(&ring, 7, 0));
	ck_assert(ring_may_write(&ring, 1023, 0));
	ck_assert(!ring_may_write(&ring, 8, 0));
	ck_assert(!ring_may_write(&ring, BUCKET_NONE, 0));
	ck_assert(!ring_may_write(&ring, BUCKET_ALL, 0));
}
END_TEST

START_TEST(ring_fences_from_the_very_millisecond_in_which_the_right_ends)
{
	struct ring ring = active_ring();

	ck_assert(ring_may_write(&ring, 7, 999));
	ck_assert(!ring_may_write(&ring, 7, 1000));
	ck_assert(!ring_may_write(&ring, 7, 1001));
	ck_assert(ring_has_right(&ring, 999));
	ck_assert(!ring_has_right(&ring, 1000));
}
END_TEST

START_TEST(ring_has_a_right_only_while_it_is_active_and_owns_something)
{
	struct ring ring = active_ring();

	for (int state = RING_NOT_READY; state <= RING_LEAVING; state++) {
		ring.state = (enum ring_state)state;
		ck_assert_int_eq(ring_has_right(&ring, 0), state == RING_ACTIVE);
		ck_assert_int_eq(ring_may_write(&ring, 7, 0), state == RING_ACTIVE);
	}
	ring = active_ring();
	ring.owned = (struct bucket_set){ 0 };
	ck_assert(!ring_has_right(&ring, 0));
}
END_TEST

START_TEST(ring_serves_a_resource_after_its_first_pass)
{
	struct ring ring = active_ring();

	ck_assert(ring_serves(&ring, &foos));
	ck_assert(!ring_serves(&ring, &pods));
	ring.served = 1 << 3;
	ck_assert(!ring_serves(&ring, &foos));
	ck_assert(ring_serves(&ring, &pods));
}
END_TEST

START_TEST(ring_serves_while_active_or_waiting_for_its_turn_and_holds_otherwise)
{
	static const bool serves[] = {
		[RING_NOT_READY] = false,  [RING_STANDBY] = true,
		[RING_ACTIVE] = true,      [RING_WAITING] = true,
		[RING_RIGHT_LOST] = false, [RING_LEAVING] = true,
	};
	struct ring ring = active_ring();

	for (int state = RING_NOT_READY; state <= RING_LEAVING; state++) {
		ring.state = (enum ring_state)state;
		ck_assert_int_eq(ring_serves(&ring, &foos), serves[state]);
		ck_assert_str_ne(ring_state_name(ring.state), "");
	}
}
END_TEST

START_TEST(controller_leads_beside_a_member_that_is_active_or_stands_by)
{
	struct ring ring = active_ring();

	for (int state = RING_NOT_READY; state <= RING_LEAVING; state++) {
		ring.state = (enum ring_state)state;
		ck_assert_int_eq(ring_may_lead(&ring, 0),
				 state == RING_ACTIVE || state == RING_STANDBY);
		ck_assert(!ring_may_lead(&ring, 1000));
	}
}
END_TEST

START_TEST(ring_holds_what_it_could_serve_and_serves_nothing_that_it_holds)
{
	struct ring ring = active_ring();

	ck_assert(!ring_holds(&ring, &foos));
	for (int state = RING_NOT_READY; state <= RING_LEAVING; state++) {
		bool serves;

		ring.state = (enum ring_state)state;
		ring.held = 0;
		serves = ring_serves(&ring, &foos);
		ring.held = 1 | 1 << 3;
		ck_assert(!ring_serves(&ring, &foos));
		ck_assert_int_eq(ring_holds(&ring, &foos), serves);
		/* It has not had its first pass. */
		ck_assert(!ring_holds(&ring, &pods));
	}
}
END_TEST

static void count_change(void *arg)
{
	(*(int *)arg)++;
}

START_TEST(ring_pinned_by_an_exchange_outlives_its_successor)
{
	const struct ring_spec spec = { .buckets = 256 };
	struct ring values = active_ring();
	struct ring_holder holder;
	struct ring *pinned;
	int changes = 0;

	ring_holder_init(&holder, &spec);
	ck_assert_int_eq(holder.current->state, RING_NOT_READY);
	ck_assert_ptr_eq(holder.current->spec, &spec);
	ck_assert_ptr_nonnull(holder.current->reason);
	ck_assert(!ring_has_right(holder.current, 0));
	holder.on_change = count_change;
	holder.arg = &changes;

	ring_publish(&holder, &values);
	pinned = ring_ref(holder.current);
	values.epoch = 2;
	ring_publish(&holder, &values);
	ck_assert_int_eq(changes, 2);
	ck_assert_uint_eq(pinned->epoch, 0);
	ck_assert_uint_eq(holder.current->epoch, 2);
	ck_assert_int_eq(pinned->refs, 1);
	ring_unref(pinned);
	ring_holder_finish(&holder);
}
END_TEST

START_TEST(ring_published_from_the_current_one_is_a_copy)
{
	const struct ring_spec spec = { .buckets = 256 };
	struct ring_holder holder;

	ring_holder_init(&holder, &spec);
	ring_publish(&holder, holder.current);
	ck_assert_ptr_eq(holder.current->spec, &spec);
	ck_assert_int_eq(holder.current->refs, 1);
	ring_holder_finish(&holder);
}
END_TEST

UNIT_MAIN("ring/ring", ring_lets_writes_to_owned_buckets_pass,
	  ring_fences_from_the_very_millisecond_in_which_the_right_ends,
	  ring_has_a_right_only_while_it_is_active_and_owns_something,
	  ring_serves_a_resource_after_its_first_pass,
	  ring_serves_while_active_or_waiting_for_its_turn_and_holds_otherwise,
	  ring_holds_what_it_could_serve_and_serves_nothing_that_it_holds,
	  controller_leads_beside_a_member_that_is_active_or_stands_by,
	  ring_pinned_by_an_exchange_outlives_its_successor,
	  ring_published_from_the_current_one_is_a_copy)
