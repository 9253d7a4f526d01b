#include "proxy/ring/past.h"

#include <string.h>

static void past_forget(struct past *past)
{
	past->views_n = 0;
}

void past_add(struct past *past, const struct view *former, const struct view *next)
{
	if (next->distrusts_positions || next->floor <= former->floor) {
		past_forget(past);
		return;
	}
	if (past->views_n == PAST_VIEWS_MAX) {
		memmove(past->views, past->views + 1,
			(PAST_VIEWS_MAX - 1) * sizeof(past->views[0]));
		past->views_n--;
	}
	past->views[past->views_n++] = *former;
}

/* --- doubt --- */

static bool doubt_has(const struct doubt *doubt, uint64_t position)
{
	return doubt->is_full || marks_get(&doubt->seen, position) != 0;
}

/* Of what was noted before, all that is below the new `lost` goes without saying. */
void doubt_begin(struct doubt *doubt, uint64_t floor)
{
	if (doubt->floor == floor)
		return;
	doubt->lost = doubt->floor + doubt_has(doubt, doubt->floor);
	doubt->floor = floor;
	doubt->is_full = false;
	marks_clear(&doubt->seen);
}

void doubt_note(struct doubt *doubt, uint64_t position)
{
	doubt->is_full |= marks_set(&doubt->seen, position, 1, DOUBT_POSITIONS_MAX) < 0;
}

void doubt_seed(struct doubt *doubt, uint64_t version)
{
	if (version > doubt->seeded)
		doubt->seeded = version;
}

bool doubt_is_about(const struct doubt *doubt, uint64_t oldest)
{
	bool is_held = doubt->has_held &&
		       (doubt->held_since == 0 || doubt->held_since >= oldest);

	return is_held || doubt->floor >= oldest || doubt->seeded >= oldest;
}

uint64_t doubt_certain_from(const struct doubt *doubt)
{
	uint64_t floor = doubt->floor + doubt_has(doubt, doubt->floor);

	return doubt->seeded >= floor ? doubt->seeded + 1 : floor;
}

/* --- what is held --- */

void doubt_hold(struct doubt *doubt, uint64_t floor)
{
	if (doubt->has_held)
		return;
	doubt->has_held = true;
	doubt->held_since = floor;
}

void doubt_told(struct doubt *doubt, uint64_t floor, uint64_t position)
{
	bool is_again = doubt->told_floor == floor && doubt->told_at == position;

	doubt->told_times = is_again ? doubt->told_times + 1 : 1;
	doubt->told_floor = floor;
	doubt->told_at = position;
}

void doubt_returns(struct doubt *doubt, uint64_t position)
{
	bool may_be_unread = position == doubt->told_at &&
			     doubt->told_times < DOUBT_TOLD_MAX;

	if (doubt->told_floor == 0 || may_be_unread)
		return;
	doubt->held_since = doubt->told_floor;
	doubt->told_floor = 0;
}

struct bucket_set past_held(const struct past *past, const struct view *current,
			    const struct doubt *doubt, int buckets)
{
	const struct bucket_set none = { 0 };
	uint64_t since = doubt != NULL && doubt->has_held ? doubt->held_since : 0;
	struct bucket_set held = current->set;
	int i = past->views_n;

	if (since == current->floor)
		return held;
	while (i > 0 && past->views[i - 1].floor >= since)
		held = bucket_set_joined(&held, &past->views[--i].set);
	/* The one of that floor itself is known, or nothing is. */
	if (i == past->views_n || past->views[i].floor != since)
		return bucket_set_invert(&none, buckets);
	return held;
}

/* --- ends --- */

void doubt_finish(struct doubt *doubt)
{
	marks_clear(&doubt->seen);
}

/*
 * Whether a client of the key may stand there that was moved and has not arrived. At
 * the floor itself one does whose last event was an acquired object of that version.
 */
static bool doubt_covers(const struct doubt *doubt, const struct view *current,
			 uint64_t position)
{
	uint64_t lost = doubt->floor == current->floor ? doubt->lost : doubt->floor;

	/* Under this view its cache is this view's, wherever it began. */
	if (position <= doubt->seeded && position < current->floor)
		return true;
	if (position > doubt->floor)
		return false;
	/*
	 * Who stands where its move began was given nothing, or all of it: it can be
	 * moved again, but to no other view.
	 */
	return position < lost || doubt_has(doubt, position);
}

/* --- positions --- */

static const struct view *past_view_at(const struct past *past, uint64_t position)
{
	for (int i = past->views_n - 1; i >= 0; i--) {
		const struct view *view = &past->views[i];

		if (view->floor <= position)
			return view_trusts(view, position) ? view : NULL;
	}
	return NULL;
}

enum view_standing past_judge(const struct past *past, const struct view *current,
			      const struct doubt *doubt, uint64_t position,
			      const struct view **former)
{
	if (doubt != NULL && doubt_covers(doubt, current, position))
		return VIEW_STANDS_DOUBTED;
	if (view_trusts(current, position))
		return VIEW_STANDS_HERE;
	*former = past_view_at(past, position);
	return *former != NULL ? VIEW_STANDS_FORMER : VIEW_STANDS_UNKNOWN;
}
