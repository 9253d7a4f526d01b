#include "proxy/ring/changeover.h"

/* What the assignment asks of us. */
struct asked {
	struct bucket_set kept, leaving;
};

static struct asked asked_of(const struct changeover_facts *facts)
{
	const struct assignment *known = facts->known;
	int self = facts->identity.len > 0 ? assignment_member(known, facts->identity)
					   : -1;
	struct asked asked = { 0 };

	for (int b = 0; b < known->buckets && self >= 0; b++) {
		if (known->bucket[b].owner != self)
			continue;
		bucket_set_add(known->bucket[b].target == self ? &asked.kept
							       : &asked.leaving,
			       b);
	}
	return asked;
}

static void wake_at(struct changeover *changeover, int64_t at_ms)
{
	if (at_ms < changeover->wake_ms)
		changeover->wake_ms = at_ms;
}

/* Whether the while that ends at *until_ms is over; begins it where it has not. */
static bool while_over(struct changeover *changeover, int64_t *until_ms,
		       int64_t length_ms, int64_t now_ms)
{
	if (*until_ms == 0)
		*until_ms = now_ms + length_ms;
	if (now_ms >= *until_ms)
		return true;
	wake_at(changeover, *until_ms);
	return false;
}

/*
 * Sets what is shown of a role; whether clients have that already. They are looked at
 * in the next step: at once, as nobody tells of a role that has no resources.
 */
static bool show(struct changeover *changeover, enum resource_role role,
		 const struct bucket_set *set, const struct changeover_facts *facts)
{
	bool is_same = bucket_set_is_equal(&changeover->shown[role], set);

	changeover->shown[role] = *set;
	if (!is_same)
		wake_at(changeover, facts->now_ms);
	return is_same && facts->follows[role];
}

/* Main objects leave first; owned ones when clients have seen that. */
static bool leave_views(struct changeover *changeover, const struct asked *asked,
			const struct changeover_facts *facts)
{
	struct bucket_set main, owned;
	bool is_main_gone, is_owned_gone;

	main = bucket_set_common(&changeover->shown[RESOURCE_MAIN], &asked->kept);
	is_main_gone = show(changeover, RESOURCE_MAIN, &main, facts);
	owned = changeover->shown[RESOURCE_OWNED];
	if (is_main_gone || facts->identity.len == 0)
		owned = bucket_set_common(&owned, &asked->kept);
	is_owned_gone = show(changeover, RESOURCE_OWNED, &owned, facts);
	return is_main_gone && is_owned_gone;
}

/* How often we look whether all clients have what they are shown. */
#define LACK_LOOK_MS 10

/*
 * Owned objects enter first; main ones a while after clients have those. A client that
 * is away, or only begins to be told, has not, whatever is shown: seeing a main object
 * without its children it would make them again.
 */
static void enter_views(struct changeover *changeover, const struct asked *asked,
			const struct changeover_facts *facts)
{
	struct bucket_set owned, missing;
	bool has_owned;

	missing = bucket_set_without(&asked->kept, &changeover->shown[RESOURCE_MAIN]);
	if (!bucket_set_is_equal(&missing, &changeover->settling))
		changeover->settle_ms = 0;
	changeover->settling = missing;
	if (bucket_set_is_empty(&missing) || !facts->is_serving) {
		changeover->settle_ms = 0;
		return;
	}
	owned = bucket_set_joined(&changeover->shown[RESOURCE_OWNED], &missing);
	has_owned = show(changeover, RESOURCE_OWNED, &owned, facts);
	if (has_owned && facts->clients_lack)
		wake_at(changeover, facts->now_ms + LACK_LOOK_MS);
	if (!has_owned || facts->clients_lack)
		changeover->settle_ms = 0;
	else if (while_over(changeover, &changeover->settle_ms, facts->times->settle_ms,
			    facts->now_ms))
		changeover->shown[RESOURCE_MAIN] =
			bucket_set_joined(&changeover->shown[RESOURCE_MAIN], &missing);
}

/* Whether writes are over; asks for them to be cut when they take too long. */
static bool drain(struct changeover *changeover, const struct changeover_facts *facts)
{
	int64_t deadline_ms = changeover->drain_ms + facts->times->drain_timeout_ms;

	if (facts->now_ms >= facts->writes_over_ms)
		return true;
	wake_at(changeover, facts->writes_over_ms);
	changeover->resets = facts->now_ms >= deadline_ms;
	if (!changeover->resets)
		wake_at(changeover, deadline_ms);
	return false;
}

static void release(struct changeover *changeover, const struct asked *asked,
		    const struct changeover_facts *facts, bool has_left_views)
{
	struct bucket_set pending;
	bool is_drained;

	changeover->released =
		bucket_set_common(&changeover->released, &asked->leaving);
	pending = bucket_set_without(&asked->leaving, &changeover->released);
	if (!bucket_set_is_within(&pending, &changeover->releasing)) {
		/* Writes to what has just been asked for are not looked at yet. */
		changeover->drain_ms = facts->now_ms;
		changeover->quiet_ms = 0;
		wake_at(changeover, facts->now_ms);
		changeover->releasing = pending;
		return;
	}
	changeover->releasing = pending;
	if (bucket_set_is_empty(&pending)) {
		changeover->quiet_ms = 0;
		return;
	}
	is_drained = drain(changeover, facts);
	if (!is_drained || !has_left_views) {
		changeover->quiet_ms = 0;
		return;
	}
	if (!while_over(changeover, &changeover->quiet_ms, facts->times->quiet_ms,
			facts->now_ms))
		return;
	changeover->released = asked->leaving;
	changeover->releasing = (struct bucket_set){ 0 };
}

/* Up to which epoch nothing is asked for that is not released. */
static uint64_t acknowledge(const struct changeover *changeover,
			    const struct assignment *known)
{
	uint64_t epoch = known->epoch;

	for (int b = 0; b < known->buckets; b++)
		if (bucket_set_has(&changeover->releasing, b) &&
		    known->bucket[b].since <= epoch)
			epoch = known->bucket[b].since - 1;
	return epoch;
}

/* How long who has just come is taken for about to be given buckets. */
#define COMING_MS 3000

/*
 * Whether the first buckets of a member that has just come are on their way: it is
 * among the active, or there is room for it there. What it served meanwhile it had to
 * end again, and a WATCH without events does not end at once.
 */
static bool is_coming(struct changeover *changeover, const struct asked *asked,
		      const struct changeover_facts *facts)
{
	const struct assignment *known = facts->known;
	int self = assignment_member(known, facts->identity);
	bool is_wanted = (self >= 0 && self < known->active_n) ||
			 known->active_n < known->shards;
	int64_t until_ms;

	if (changeover->came_ms == 0)
		changeover->came_ms = facts->now_ms;
	until_ms = changeover->came_ms + COMING_MS;
	if (changeover->has_come || !is_wanted || facts->is_barred ||
	    facts->is_leaving || facts->now_ms >= until_ms ||
	    !bucket_set_is_empty(&asked->kept)) {
		changeover->has_come = true;
		return false;
	}
	wake_at(changeover, until_ms);
	return true;
}

void changeover_step(struct changeover *changeover,
		     const struct changeover_facts *facts)
{
	struct asked asked = asked_of(facts);
	bool has_left_views;

	if (facts->is_barred)
		asked.kept = (struct bucket_set){ 0 };
	if (facts->is_leaving) {
		asked.leaving = bucket_set_joined(&asked.leaving, &asked.kept);
		asked.kept = (struct bucket_set){ 0 };
	}
	changeover->wake_ms = INT64_MAX;
	changeover->resets = false;
	changeover->kept = asked.kept;
	has_left_views = leave_views(changeover, &asked, facts);
	enter_views(changeover, &asked, facts);
	release(changeover, &asked, facts, has_left_views);
	changeover->acknowledged = acknowledge(changeover, facts->known);
	if (facts->identity.len == 0) {
		changeover->came_ms = 0;
		changeover->has_come = false;
	}
	changeover->is_coming = facts->identity.len > 0 &&
				is_coming(changeover, &asked, facts);
}

bool changeover_holds(const struct changeover *changeover, enum resource_role role)
{
	if (changeover->is_coming)
		return true;
	return role == RESOURCE_MAIN &&
	       bucket_set_is_empty(&changeover->shown[RESOURCE_MAIN]) &&
	       !bucket_set_is_empty(&changeover->kept);
}
