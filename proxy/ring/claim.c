#include "proxy/ring/claim.h"

#include "proxy/ring/roster.h"

struct slice identity_member(struct slice identity)
{
	ptrdiff_t slash = slice_find(identity, '/');

	if (slash <= 0 || (size_t)slash + 1 == identity.len ||
	    slice_find(slice_from(identity, (size_t)slash + 1), '/') >= 0)
		return slice_of(NULL);
	return slice_make(identity.data, (size_t)slash);
}

bool lease_is_over(const struct lease *lease)
{
	return slice_is(lease->state, LEASE_STATE_ENDED) ||
	       slice_is(lease->state, LEASE_STATE_RELEASED);
}

int64_t lease_duration_ms(const struct lease *lease)
{
	if (lease->duration_s < ROSTER_DURATION_MIN_MS / 1000)
		return ROSTER_DURATION_MIN_MS;
	if (lease->duration_s > ROSTER_DURATION_MAX_MS / 1000)
		return ROSTER_DURATION_MAX_MS;
	return lease->duration_s * 1000;
}

static bool is_of_member(const struct claim_question *question)
{
	const struct lease *lease = question->lease;

	return slice_eq(lease->ring, question->ring) &&
	       slice_eq(identity_member(lease->holder), question->member);
}

enum claim_verdict claim_judge(const struct claim_question *question,
			       int64_t *wait_until_ms)
{
	const struct lease *lease = question->lease;
	int64_t end_ms = question->since_ms +
			 (lease ? lease_duration_ms(lease) : question->duration_ms);

	if (!lease && question->named.len == 0)
		return CLAIM_CREATE;
	if (lease && !is_of_member(question))
		return CLAIM_FOREIGN;
	if (lease && lease_is_over(lease))
		return CLAIM_TAKE;
	if (lease && question->proven.len && slice_eq(lease->holder, question->proven))
		return CLAIM_ADOPT;
	if (question->now_ms >= end_ms)
		return lease ? CLAIM_TAKE : CLAIM_CREATE;
	*wait_until_ms = end_ms;
	return CLAIM_WAIT;
}

enum claim_standing claim_check(const struct claim_question *question)
{
	const struct lease *lease = question->lease;

	if (!lease)
		return STANDING_DELETED;
	if (!is_of_member(question))
		return STANDING_FOREIGN;
	if (!slice_eq(lease->holder, question->proven))
		return STANDING_TWIN;
	return lease_is_over(lease) ? STANDING_SEALED : STANDING_OURS;
}

const char *claim_standing_text(enum claim_standing standing)
{
	switch (standing) {
	case STANDING_OURS:
		break;
	case STANDING_SEALED:
		return "a coordinator has ended our Lease, as it stood unchanged for "
		       "too long; our buckets go to others";
	case STANDING_TWIN:
		return "another process has claimed the Lease of our member id; ids "
		       "must be unique in a ring";
	case STANDING_DELETED:
		return "somebody has deleted our Lease; our buckets go to others";
	case STANDING_FOREIGN:
		return "somebody has overwritten our Lease; our buckets go to others";
	}
	return "";
}

enum seat_verdict seat_judge(const struct seat_question *question,
			     int64_t *wait_until_ms)
{
	const struct lease *lease = question->lease;
	int64_t end_ms;

	if (!lease)
		return SEAT_CREATE;
	if (!slice_eq(lease->ring, question->ring))
		return SEAT_FOREIGN;
	if (lease->holder.len == 0)
		return SEAT_TAKE;
	if (identity_member(lease->holder).len == 0)
		return SEAT_FOREIGN;
	if (slice_eq(lease->holder, question->identity))
		return SEAT_OURS;
	end_ms = question->since_ms + lease_duration_ms(lease);
	if (question->is_holder_gone || question->now_ms >= end_ms)
		return SEAT_TAKE;
	*wait_until_ms = end_ms;
	return SEAT_WAIT;
}
