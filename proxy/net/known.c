#include "proxy/net/known.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/base/list.h"
#include "proxy/base/map.h"

struct fact {
	struct list node; /* in known->facts */
	int64_t at_ms;
	int bucket;
	size_t uid_len;
	size_t key_len;
	char texts[]; /* uid, key */
};

struct known {
	struct map *by_key;
	struct list facts; /* as they came in, the oldest first */
	size_t entries_max;
	int64_t age_ms;
	int64_t kept_ms;
};

char *known_key(int index, struct slice namespace, struct slice name)
{
	char *key;

	if (name.len == 0 || name.len > KNOWN_NAME_BYTES_MAX ||
	    namespace.len > KNOWN_NAME_BYTES_MAX || slice_find(name, '\0') >= 0 ||
	    slice_find(namespace, '\0') >= 0)
		return NULL;
	if (asprintf(&key, "%d/%.*s/%.*s", index, SLICE_ARGS(namespace),
		     SLICE_ARGS(name)) < 0)
		abort();
	return key;
}

static struct slice fact_uid(const struct fact *fact)
{
	return slice_make(fact->texts, fact->uid_len);
}

static struct fact *fact_oldest(const struct known *known)
{
	return LIST_OWNER(known->facts.next, struct fact, node);
}

static void fact_forget(struct known *known, struct fact *fact)
{
	map_remove(known->by_key,
		   slice_make(fact->texts + fact->uid_len, fact->key_len));
	list_remove(&fact->node);
	free(fact);
}

static void known_expire(struct known *known, int64_t now_ms)
{
	LIST_EACH(node, &known->facts) {
		struct fact *fact = LIST_OWNER(node, struct fact, node);

		if (now_ms - fact->at_ms < known->kept_ms)
			break;
		fact_forget(known, fact);
	}
}

struct known *known_create(size_t entries_max, int64_t age_ms, int64_t kept_ms)
{
	struct known *known = calloc(1, sizeof(*known));

	if (known == NULL)
		abort();
	known->by_key = map_create(entries_max);
	list_init(&known->facts);
	known->entries_max = entries_max;
	known->age_ms = age_ms;
	known->kept_ms = kept_ms;
	return known;
}

void known_destroy(struct known *known)
{
	if (known == NULL)
		return;
	LIST_EACH(node, &known->facts)
		fact_forget(known, LIST_OWNER(node, struct fact, node));
	map_destroy(known->by_key);
	free(known);
}

void known_put(struct known *known, struct slice key, struct slice uid, int bucket,
	       int64_t at_ms)
{
	struct fact *fact;

	known_expire(known, at_ms);
	fact = map_get(known->by_key, key);
	if (fact != NULL && fact->at_ms > at_ms)
		return;
	if (fact != NULL)
		fact_forget(known, fact);
	if (map_count(known->by_key) == known->entries_max)
		fact_forget(known, fact_oldest(known));
	fact = malloc(sizeof(*fact) + uid.len + key.len);
	if (fact == NULL)
		abort();
	*fact = (struct fact){
		.at_ms = at_ms, .bucket = bucket, .uid_len = uid.len, .key_len = key.len
	};
	if (uid.len > 0)
		memcpy(fact->texts, uid.data, uid.len);
	if (key.len > 0)
		memcpy(fact->texts + uid.len, key.data, key.len);
	list_init(&fact->node);
	list_add(&known->facts, &fact->node);
	(void)map_put(known->by_key, key, fact, NULL);
}

enum known_answer known_find(struct known *known, struct slice key, struct slice uid,
			     int64_t now_ms, int *bucket)
{
	const struct fact *fact;
	bool is_young;

	known_expire(known, now_ms);
	fact = map_get(known->by_key, key);
	/* Answers may come out of order: one behind a younger one is old as well. */
	if (fact == NULL || now_ms - fact->at_ms >= known->kept_ms)
		return KNOWN_NOT;
	is_young = now_ms - fact->at_ms < known->age_ms;
	if (uid.len > 0 && !slice_eq(uid, fact_uid(fact)))
		return KNOWN_REUSED;
	if (uid.len == 0 && !is_young)
		return KNOWN_OLD;
	*bucket = fact->bucket;
	return is_young ? KNOWN : KNOWN_AGED;
}

size_t known_count(const struct known *known)
{
	return map_count(known->by_key);
}
