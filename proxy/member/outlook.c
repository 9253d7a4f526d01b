#include "proxy/member/outlook.h"

#include <string.h>

static const char *const disagreements[] = {
	[AGREEMENT_FULL] = "",
	[AGREEMENT_RESOURCES] =
		"the resources in its file are not those that the ring has "
		"agreed on",
	[AGREEMENT_PLACEMENT] = "the placement in its file is not the ring's",
	[AGREEMENT_BUCKETS] = "the number of buckets in its file is not the ring's",
};

/* Why nothing can be served at all; "" if it can. */
static const char *outlook_obstacle(const struct outlook *outlook)
{
	if (outlook->identity.len == 0)
		return outlook->keeper_reason;
	if (outlook->known->epoch == 0 && outlook->is_foreign)
		return "the assignment is of another version of Ringside";
	if (outlook->known->epoch == 0)
		return "no assignment has been seen";
	return disagreements[agreement_with(outlook->known, outlook->spec)];
}

static bool has_all(const struct outlook *outlook, uint32_t resources)
{
	uint64_t all = (UINT64_C(1) << outlook->spec->resources_n) - 1;

	return (resources & all) == all;
}

struct slice outlook_identity(const struct outlook *outlook)
{
	return outlook_obstacle(outlook)[0] ? slice_of(NULL) : outlook->identity;
}

/* A replica without Ringside works, or it cannot be told that none does. */
static bool is_locked_out(const struct outlook *outlook)
{
	return outlook->locks_are_foreign || outlook->now_ms >= outlook->locks_until_ms;
}

static bool may_serve(const struct outlook *outlook)
{
	return !outlook->is_leaving && outlook_identity(outlook).len > 0 &&
	       outlook->now_ms < outlook->right_until_ms;
}

bool outlook_is_serving(const struct outlook *outlook)
{
	return may_serve(outlook) && !is_locked_out(outlook);
}

bool outlook_wants_locks(const struct outlook *outlook)
{
	uint32_t labelled = outlook->known->labelled;

	return may_serve(outlook) && outlook->catalogued != 0 &&
	       (outlook->catalogued & ~labelled) == 0;
}

static enum ring_state outlook_state(const struct outlook *outlook,
				     const struct ring *ring)
{
	if (outlook->is_leaving)
		return RING_LEAVING;
	if (outlook->identity.len == 0)
		return outlook->was_member ? RING_RIGHT_LOST : RING_NOT_READY;
	if (ring->reason[0])
		return RING_NOT_READY;
	if (outlook->now_ms >= outlook->right_until_ms)
		return RING_RIGHT_LOST;
	if (outlook->locks_are_foreign)
		return RING_WAITING;
	if (is_locked_out(outlook))
		return outlook->locks_were_held ? RING_RIGHT_LOST : RING_NOT_READY;
	return bucket_set_count(&ring->owned) > 0 ? RING_ACTIVE : RING_STANDBY;
}

/* Leaving, a member serves until its clients know that nothing is theirs. */
static bool is_withdrawing(const struct outlook *outlook)
{
	return !outlook->keeps && outlook->now_ms < outlook->right_until_ms &&
	       !bucket_set_is_empty(&outlook->changeover->releasing);
}

/* Those of the resources that can be served now. */
static uint32_t outlook_served(const struct outlook *outlook, uint32_t labelled)
{
	if (outlook->is_leaving && !is_withdrawing(outlook))
		return 0;
	return labelled & outlook->catalogued;
}

/* Those that are held back, whether they can be served or not. */
static uint32_t outlook_held(const struct outlook *outlook)
{
	uint32_t held = 0;

	for (int i = 0; i < outlook->spec->resources_n; i++)
		if (changeover_holds(outlook->changeover,
				     outlook->spec->resources[i].role))
			held |= UINT32_C(1) << i;
	return held;
}

/* Why a member that could serve does not; "" if it does. */
static const char *outlook_hindrance(const struct outlook *outlook,
				     enum ring_state state)
{
	bool has_right = outlook->now_ms < outlook->right_until_ms;

	if (state == RING_LEAVING)
		return "it was told to end";
	if (state == RING_WAITING)
		return "a replica that runs without Ringside holds the controller's "
		       "lock";
	if (state == RING_RIGHT_LOST && !has_right)
		return "its Lease was not renewed in time";
	if (state == RING_RIGHT_LOST || state == RING_NOT_READY)
		return "the controller's lock is not known to be the ring's";
	return "";
}

struct ring outlook_ring(const struct outlook *outlook)
{
	const struct changeover *changeover = outlook->changeover;
	uint32_t labelled = outlook->known->labelled;
	struct ring ring = {
		.spec = outlook->spec,
		.epoch = outlook->known->epoch,
		.served = outlook_served(outlook, labelled),
		.held = outlook_held(outlook),
		.right_until_ms = outlook->right_until_ms < outlook->locks_until_ms
					  ? outlook->right_until_ms
					  : outlook->locks_until_ms,
		.reason = outlook_obstacle(outlook),
		.owned = changeover->kept,
	};

	memcpy(ring.shown, changeover->shown, sizeof(ring.shown));
	ring.state = outlook_state(outlook, &ring);
	if (ring.reason[0] == '\0')
		ring.reason = outlook_hindrance(outlook, ring.state);
	if (ring.reason[0] != '\0')
		return ring;
	if (!has_all(outlook, outlook->catalogued))
		ring.reason = "not all resources are known to the API server";
	else if (!has_all(outlook, labelled))
		ring.reason = "not all objects have their label yet";
	return ring;
}

bool outlook_is_equal(const struct ring *a, const struct ring *b)
{
	for (int role = 0; role < RESOURCE_ROLES_N; role++)
		if (!bucket_set_is_equal(&a->shown[role], &b->shown[role]))
			return false;
	return a->state == b->state && bucket_set_is_equal(&a->owned, &b->owned) &&
	       a->epoch == b->epoch && a->served == b->served && a->held == b->held &&
	       a->right_until_ms == b->right_until_ms && a->reason == b->reason;
}
