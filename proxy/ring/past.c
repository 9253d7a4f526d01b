#include "proxy/ring/past.h"

#include <string.h>

#define WORD_BITS 64

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

/* Two of a word's worth of bits for a position, far apart for neighbours. */
static uint64_t doubt_hash(uint64_t position)
{
	uint64_t z = position * UINT64_C(0x9e3779b97f4a7c15);

	return z ^ z >> 29;
}

static bool doubt_bit(const struct doubt *doubt, uint64_t bit)
{
	bit %= DOUBT_BITS;
	return doubt->seen[bit / WORD_BITS] >> bit % WORD_BITS & 1;
}

static void doubt_set(struct doubt *doubt, uint64_t bit)
{
	bit %= DOUBT_BITS;
	doubt->seen[bit / WORD_BITS] |= UINT64_C(1) << bit % WORD_BITS;
}

void doubt_begin(struct doubt *doubt, uint64_t floor)
{
	if (doubt->floor == floor)
		return;
	doubt->lost = doubt->floor;
	doubt->floor = floor;
}

void doubt_note(struct doubt *doubt, uint64_t position)
{
	uint64_t hash = doubt_hash(position);

	doubt_set(doubt, hash);
	doubt_set(doubt, hash >> 32);
}

static bool doubt_has(const struct doubt *doubt, uint64_t position)
{
	uint64_t hash = doubt_hash(position);

	return doubt_bit(doubt, hash) && doubt_bit(doubt, hash >> 32);
}

/*
 * Whether a client of the key may stand there that was moved and has not arrived. At
 * the floor itself one does whose last event was an acquired object of that version.
 */
static bool doubt_covers(const struct doubt *doubt, const struct view *current,
			 uint64_t position)
{
	uint64_t lost = doubt->floor == current->floor ? doubt->lost : doubt->floor;

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
