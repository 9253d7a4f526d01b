/*
 * What an object without a bucket label is to the ring, as far as its metadata
 * say it: nothing, or an item for the queue. No look-up is made here; whether an
 * owner up the chain is the ring's is found out by label_work.
 */
#ifndef RINGSIDE_MEMBER_LABEL_JUDGE_H
#define RINGSIDE_MEMBER_LABEL_JUDGE_H

#include "proxy/member/foreign.h"
#include "proxy/member/label_queue.h"
#include "proxy/net/owner.h"

struct label_judge {
	const struct ring_spec *spec;
	const struct catalog *catalog; /* complete, where owned objects are judged */
	/* Objects whose owners are none of the ring's. One that is named without a uid
	 * may be made any time: that is believed for a shorter while. */
	struct foreign *foreign;
	struct foreign *foreign_named;
};

/* Where it is remembered that an object of the resource belongs to nobody. */
struct foreign *label_judge_foreign(const struct label_judge *judge,
				    const struct ring_resource *resource);

/*
 * A new item, or NULL: the object belongs to nobody. So does one that has a valid
 * label: the selector was not to bring it, and a label, once there, is the truth.
 */
struct label_item *label_judge(const struct label_judge *judge,
			       const struct ring_resource *resource, int source,
			       const struct object_meta *meta, int64_t now_ms);

/* The same where a label is there, and is not that of its owner. */
struct label_item *label_judge_misplaced(const struct label_judge *judge,
					 const struct ring_resource *resource,
					 int source, const struct object_meta *meta,
					 int64_t now_ms);

#endif
