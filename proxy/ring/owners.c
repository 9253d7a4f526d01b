#include "proxy/ring/owners.h"

#include <assert.h>
#include <stdlib.h>

struct owners {
	int refs;
	int buckets;
	struct arena *arena;
	struct slice *members;
	struct {
		int16_t owner, target; /* -1: nobody */
	} of[BUCKETS_MAX];
};

struct owners *owners_create(const struct assignment *assignment)
{
	struct owners *owners = calloc(1, sizeof(*owners));

	if (!owners)
		abort();
	owners->refs = 1;
	owners->buckets = assignment->buckets;
	owners->arena = arena_create();
	owners->members = arena_alloc(owners->arena, (assignment->members_n + 1) *
							     sizeof(struct slice));
	for (int i = 0; i < assignment->members_n; i++)
		owners->members[i] = arena_copy(owners->arena, assignment->members[i]);
	for (int b = 0; b < assignment->buckets; b++) {
		owners->of[b].owner = (int16_t)assignment->bucket[b].owner;
		owners->of[b].target = (int16_t)assignment->bucket[b].target;
	}
	return owners;
}

struct owners *owners_ref(struct owners *owners)
{
	if (owners)
		owners->refs++;
	return owners;
}

void owners_unref(struct owners *owners)
{
	if (!owners)
		return;
	assert(owners->refs > 0 && "each unref has its ref");
	if (--owners->refs > 0)
		return;
	arena_destroy(owners->arena);
	free(owners);
}

static struct slice member_name(const struct owners *owners, int member)
{
	return member < 0 ? slice_of("") : owners->members[member];
}

struct bucket_owner owners_of(const struct owners *owners, int bucket)
{
	if (!owners || bucket < 0 || bucket >= owners->buckets)
		return (struct bucket_owner){ slice_of(""), slice_of("") };
	return (struct bucket_owner){
		.owner = member_name(owners, owners->of[bucket].owner),
		.target = member_name(owners, owners->of[bucket].target),
	};
}
