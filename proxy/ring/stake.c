#include "proxy/ring/stake.h"

#include <stdio.h>

#include "proxy/ring/claim.h"

/* Parts of a duration: between requests; until others renew than the coordinator. */
#define BEATS 6
#define BEATS_MISSED 2
#define BEAT_MIN_MS 100

static enum stake_holder holder_of(const struct lease *lease, struct slice holder)
{
	if (!lease || lease->holder.len == 0)
		return STAKE_NOBODY;
	return slice_eq(lease->holder, holder) ? STAKE_RING : STAKE_FOREIGN;
}

static bool is_same_version(const struct stake *stake, const struct lease *lease)
{
	if (stake->holder == STAKE_UNKNOWN || stake->is_there != (lease != NULL))
		return false;
	return !lease || slice_is(lease->resource_version, stake->version);
}

void stake_see(struct stake *stake, const struct stake_sight *sight,
	       struct slice holder)
{
	const struct lease *lease = sight->lease;
	enum stake_holder who = holder_of(lease, holder);
	bool is_changed = !is_same_version(stake, lease);

	if (is_changed && sight->is_written)
		stake->proven_ms = sight->sent_ms;
	/* It changed after the answer before was given. */
	else if (is_changed && stake->holder != STAKE_UNKNOWN)
		stake->proven_ms = stake->asked_ms;
	if (who != STAKE_RING)
		stake->proven_ms = 0;
	if (is_changed) {
		stake->since_ms = sight->now_ms;
		snprintf(stake->version, sizeof(stake->version), "%.*s",
			 lease ? (int)lease->resource_version.len : 0,
			 lease ? lease->resource_version.data : "");
	}
	stake->holder = who;
	stake->is_there = lease != NULL;
	stake->duration_ms = lease && lease->duration_s > 0 ? lease_duration_ms(lease)
							    : 0;
	stake->asked_ms = sight->sent_ms;
}

/* The duration that counts for whoever looks at it. */
static int64_t standing_duration_ms(const struct stake *stake,
				    const struct stake_question *question)
{
	return stake->duration_ms > 0 ? stake->duration_ms : question->duration_ms;
}

int64_t stake_duration_ms(const struct stake *stake,
			  const struct stake_question *question)
{
	/* Who gives it up writes a duration that means nothing. */
	if (stake->holder != STAKE_RING && stake->holder != STAKE_FOREIGN)
		return question->duration_ms;
	return stake->duration_ms > 0 && stake->duration_ms < question->duration_ms
		       ? stake->duration_ms
		       : question->duration_ms;
}

int64_t stake_beat_ms(const struct stake *stake, const struct stake_question *question)
{
	int64_t beat_ms = stake_duration_ms(stake, question) / BEATS;

	return beat_ms < BEAT_MIN_MS ? BEAT_MIN_MS : beat_ms;
}

int64_t stake_until_ms(const struct stake *stake, const struct stake_question *question)
{
	if (stake->holder != STAKE_RING || stake->proven_ms == 0)
		return 0;
	return stake->proven_ms + standing_duration_ms(stake, question) -
	       question->margin_ms;
}

bool stake_is_brief(const struct stake *stake, const struct stake_question *question)
{
	if (stake->holder != STAKE_RING && stake->holder != STAKE_FOREIGN)
		return false;
	return standing_duration_ms(stake, question) < 2 * question->margin_ms;
}

/* Without evidence of our own, or when nobody else does it. */
static bool is_to_be_renewed(const struct stake *stake,
			     const struct stake_question *question)
{
	int64_t stood_ms = question->now_ms - stake->since_ms;

	return question->is_in_charge ||
	       question->now_ms >= stake_until_ms(stake, question) ||
	       stood_ms >= BEATS_MISSED * stake_beat_ms(stake, question);
}

enum stake_step stake_next(const struct stake *stake,
			   const struct stake_question *question)
{
	int64_t stood_ms = question->now_ms - stake->since_ms;

	if (stake->holder == STAKE_UNKNOWN)
		return question->is_wanted ? STAKE_READ : STAKE_REST;
	if (question->is_leaving)
		return stake->holder == STAKE_RING ? STAKE_GIVE_UP : STAKE_REST;
	if (!question->is_wanted)
		return STAKE_REST;
	switch (stake->holder) {
	case STAKE_UNKNOWN:
		break;
	case STAKE_NOBODY:
		return stake->is_there ? STAKE_TAKE : STAKE_CREATE;
	case STAKE_RING:
		return is_to_be_renewed(stake, question) ? STAKE_TAKE : STAKE_READ;
	case STAKE_FOREIGN:
		return stood_ms >= standing_duration_ms(stake, question) ? STAKE_TAKE
									 : STAKE_READ;
	}
	return STAKE_READ;
}
