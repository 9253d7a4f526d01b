/*
 * Objects found to belong to nobody of the ring, so that the next event about one
 * costs no look-up. Remembered by uid, together with a hash of its owners: an
 * object whose owners changed is a new question. (Its resourceVersion would not
 * do: each change of status would be one.) An owner further up may be adopted by
 * the ring later, so what is known has an age. Bounded; the oldest makes room.
 */
#ifndef RINGSIDE_MEMBER_FOREIGN_H
#define RINGSIDE_MEMBER_FOREIGN_H

#include "proxy/kube/meta.h"

struct foreign;

struct foreign *foreign_create(size_t max, int64_t age_ms);
/* NULL is fine. */
void foreign_destroy(struct foreign *foreign);

/* Of all its owners, in their order. */
uint64_t foreign_hash_owners(const struct object_meta *meta);

void foreign_add(struct foreign *foreign, struct slice uid, uint64_t owners,
		 int64_t now_ms);

/* Whether the object of that uid, with these owners, is known to be foreign. */
bool foreign_has(struct foreign *foreign, struct slice uid, uint64_t owners,
		 int64_t now_ms);

size_t foreign_count(const struct foreign *foreign);

#endif
