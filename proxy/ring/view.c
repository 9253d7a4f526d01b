#include "proxy/ring/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "proxy/kube/list.h"

#define MATCH_NOT_OLDER_THAN "NotOlderThan"
#define MATCH_EXACT "Exact"

static void view_answer_at_floor(struct view_answer *answer, const struct view *view)
{
	answer->sets_version = true;
	snprintf(answer->version, sizeof(answer->version), "%" PRIu64, view->floor);
}

bool view_trusts(const struct view *view, uint64_t position)
{
	return view->distrusts_positions ? position > view->floor
					 : position >= view->floor;
}

/* The version asked for, if it is a number below the floor. */
static bool view_is_below(const struct view *view, const struct view_question *question,
			  uint64_t *version)
{
	return question->has_version && slice_to_u64(question->version, version) == 0 &&
	       *version < view->floor;
}

/* The next page: its list began under the view that the token's version tells. */
static enum view_verdict view_ask_page(const struct view *view, struct slice token)
{
	uint64_t version;

	if (list_continue_version(token, &version) < 0)
		return VIEW_EXPIRED;
	return view_trusts(view, version) ? VIEW_PASS : VIEW_EXPIRED;
}

/*
 * Exactly 0 is no position: the API server refuses that. Whatever a later API may
 * mean by another match: no older than the floor.
 */
static enum view_verdict view_ask_exact(const struct view_question *question,
					uint64_t version)
{
	return version == 0 && slice_is(question->match, MATCH_EXACT) ? VIEW_PASS
								      : VIEW_EXPIRED;
}

/*
 * A list replaces all that its client knows, so it need not trust the position:
 * it must only be no older than the floor.
 */
static enum view_verdict view_ask_list(const struct view *view,
				       const struct view_question *question,
				       struct view_answer *answer)
{
	uint64_t version;

	if (question->token.len > 0)
		return view_ask_page(view, question->token);
	if (!view_is_below(view, question, &version))
		return VIEW_PASS;
	if (question->match.len > 0 && !slice_is(question->match, MATCH_NOT_OLDER_THAN))
		return view_ask_exact(question, version);
	view_answer_at_floor(answer, view);
	answer->sets_match = true;
	answer->match = MATCH_NOT_OLDER_THAN;
	answer->drops_limit = version == 0;
	return VIEW_REWRITE;
}

static enum view_verdict view_ask_position(const struct view *view, uint64_t position)
{
	switch (view->standing) {
	case VIEW_STANDS_BY_FLOOR:
		return view_trusts(view, position) ? VIEW_PASS : VIEW_EXPIRED;
	case VIEW_STANDS_HERE:
		return VIEW_PASS;
	case VIEW_STANDS_FORMER:
		return VIEW_MOVE;
	case VIEW_STANDS_DOUBTED:
	case VIEW_STANDS_UNKNOWN:
		break;
	}
	return view->relists != 0 ? VIEW_MOVE : VIEW_EXPIRED;
}

/*
 * A watch that begins with the state of things is as good as a list. A watch
 * from a position adds to what its client knows, so the position must be ours.
 *
 * Version 0 is "from any", perhaps a lagging cache; without a version
 * kube-apiserver (WatchList, on since 1.34) sends the most recent state.
 */
static enum view_verdict view_ask_watch(const struct view *view,
					const struct view_question *question,
					struct view_answer *answer)
{
	uint64_t version;

	if (question->sends_initial_events) {
		if (!view_is_below(view, question, &version))
			return VIEW_PASS;
		view_answer_at_floor(answer, view);
		return VIEW_REWRITE;
	}
	if (!question->has_version || slice_to_u64(question->version, &version) < 0)
		return VIEW_PASS;
	if (version > 0)
		return view_ask_position(view, version);
	if (view->floor == 0)
		return VIEW_PASS;
	answer->sets_version = true;
	return VIEW_REWRITE;
}

enum view_verdict view_ask(const struct view *view,
			   const struct view_question *question,
			   struct view_answer *answer)
{
	*answer = (struct view_answer){ 0 };
	return question->is_watch ? view_ask_watch(view, question, answer)
				  : view_ask_list(view, question, answer);
}
