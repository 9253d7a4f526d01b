#include "proxy/member/foreign.h"

#include <stdlib.h>

#include "proxy/base/list.h"
#include "proxy/base/map.h"
#include "proxy/base/siphash.h"

struct stranger {
	struct list node;
	uint64_t owners;
	int64_t at_ms;
	size_t uid_len;
	char uid[];
};

struct foreign {
	struct map *by_uid;
	struct list strangers; /* the oldest first */
	size_t max;
	int64_t age_ms;
};

static void stranger_forget(struct foreign *foreign, struct stranger *stranger)
{
	map_remove(foreign->by_uid, slice_make(stranger->uid, stranger->uid_len));
	list_remove(&stranger->node);
	free(stranger);
}

static struct stranger *stranger_oldest(const struct foreign *foreign)
{
	return LIST_OWNER(foreign->strangers.next, struct stranger, node);
}

struct foreign *foreign_create(size_t max, int64_t age_ms)
{
	struct foreign *foreign = calloc(1, sizeof(*foreign));

	if (foreign == NULL)
		abort();
	foreign->by_uid = map_create(max);
	list_init(&foreign->strangers);
	foreign->max = max;
	foreign->age_ms = age_ms;
	return foreign;
}

void foreign_destroy(struct foreign *foreign)
{
	if (foreign == NULL)
		return;
	LIST_EACH(node, &foreign->strangers)
		stranger_forget(foreign, LIST_OWNER(node, struct stranger, node));
	map_destroy(foreign->by_uid);
	free(foreign);
}

uint64_t foreign_hash_owners(const struct object_meta *meta)
{
	/* What differs must differ for everyone; nobody gains by a collision. */
	uint64_t hash[2] = { meta->owners_n, 0 };

	for (size_t i = 0; i < meta->owners_n; i++) {
		const struct owner_reference *owner = &meta->owners[i];

		hash[1] = owner->is_controller;
		hash[0] = siphash(hash, owner->api_version);
		hash[0] = siphash(hash, owner->kind);
		hash[0] = siphash(hash, owner->name);
		hash[0] = siphash(hash, owner->uid);
	}
	hash[1] = 0;
	hash[0] = siphash(hash, meta->owner_name);
	return hash[0];
}

void foreign_add(struct foreign *foreign, struct slice uid, uint64_t owners,
		 int64_t now_ms)
{
	struct stranger *stranger = map_get(foreign->by_uid, uid);

	if (stranger != NULL)
		stranger_forget(foreign, stranger);
	if (map_count(foreign->by_uid) == foreign->max)
		stranger_forget(foreign, stranger_oldest(foreign));
	stranger = malloc(sizeof(*stranger) + uid.len);
	if (stranger == NULL)
		abort();
	stranger->owners = owners;
	stranger->at_ms = now_ms;
	stranger->uid_len = uid.len;
	if (uid.len > 0)
		memcpy(stranger->uid, uid.data, uid.len);
	list_init(&stranger->node);
	list_add(&foreign->strangers, &stranger->node);
	(void)map_put(foreign->by_uid, uid, stranger, NULL);
}

bool foreign_has(struct foreign *foreign, struct slice uid, uint64_t owners,
		 int64_t now_ms)
{
	const struct stranger *stranger;

	LIST_EACH(node, &foreign->strangers) {
		struct stranger *oldest = LIST_OWNER(node, struct stranger, node);

		if (now_ms - oldest->at_ms < foreign->age_ms)
			break;
		stranger_forget(foreign, oldest);
	}
	stranger = map_get(foreign->by_uid, uid);
	return stranger != NULL && stranger->owners == owners;
}

size_t foreign_count(const struct foreign *foreign)
{
	return map_count(foreign->by_uid);
}
