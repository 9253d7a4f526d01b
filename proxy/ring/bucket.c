#include "proxy/ring/bucket.h"

#include <assert.h>
#include <errno.h>
#include <xxhash.h>

#define WORD_BITS 64
#define WORDS_N (BUCKETS_MAX / WORD_BITS)

int bucket_place(enum placement_key placement, int buckets,
		 const struct object_key *key)
{
	bool is_by_label = placement == PLACEMENT_LABEL && key->label.len > 0;
	struct slice namespace = placement == PLACEMENT_NAME || is_by_label
					 ? slice_of(NULL)
					 : key->namespace;
	struct slice name = is_by_label                        ? key->label
			    : placement == PLACEMENT_NAMESPACE ? slice_of(NULL)
							       : key->name;
	const struct slice parts[] = { key->group, key->resource, namespace, name };
	struct buf text;
	uint64_t hash;

	assert(buckets > 0 && buckets <= BUCKETS_MAX && "the spec was checked");
	buf_init(&text, SIZE_MAX / 4);
	for (size_t i = 0; i < 4; i++) {
		if (i > 0)
			buf_append_text(&text, "/");
		buf_append(&text, parts[i]);
	}
	hash = XXH3_64bits(text.data, text.len);
	buf_finish(&text);
	return (int)(hash % (uint64_t)buckets);
}

int bucket_of_label(struct slice value, int buckets)
{
	uint64_t bucket;

	if (value.len > 1 && value.data[0] == '0')
		return BUCKET_NONE;
	if (slice_to_u64(value, &bucket) < 0 || bucket >= (uint64_t)buckets)
		return BUCKET_NONE;
	return (int)bucket;
}

static uint64_t bucket_bit(int bucket)
{
	assert(bucket >= 0 && bucket < BUCKETS_MAX &&
	       "buckets were checked at the door");
	return UINT64_C(1) << (bucket % WORD_BITS);
}

void bucket_set_add(struct bucket_set *set, int bucket)
{
	set->words[bucket / WORD_BITS] |= bucket_bit(bucket);
}

void bucket_set_remove(struct bucket_set *set, int bucket)
{
	set->words[bucket / WORD_BITS] &= ~bucket_bit(bucket);
}

bool bucket_set_has(const struct bucket_set *set, int bucket)
{
	return set->words[bucket / WORD_BITS] & bucket_bit(bucket);
}

int bucket_set_count(const struct bucket_set *set)
{
	int n = 0;

	for (size_t i = 0; i < WORDS_N; i++)
		n += __builtin_popcountll(set->words[i]);
	return n;
}

bool bucket_set_is_equal(const struct bucket_set *a, const struct bucket_set *b)
{
	return memcmp(a->words, b->words, sizeof(a->words)) == 0;
}

bool bucket_set_is_within(const struct bucket_set *inner,
			  const struct bucket_set *outer)
{
	for (size_t i = 0; i < WORDS_N; i++)
		if (inner->words[i] & ~outer->words[i])
			return false;
	return true;
}

bool bucket_set_is_empty(const struct bucket_set *set)
{
	static const struct bucket_set empty;

	return bucket_set_is_equal(set, &empty);
}

struct bucket_set bucket_set_common(const struct bucket_set *a,
				    const struct bucket_set *b)
{
	struct bucket_set set = *a;

	for (size_t i = 0; i < WORDS_N; i++)
		set.words[i] &= b->words[i];
	return set;
}

struct bucket_set bucket_set_joined(const struct bucket_set *a,
				    const struct bucket_set *b)
{
	struct bucket_set set = *a;

	for (size_t i = 0; i < WORDS_N; i++)
		set.words[i] |= b->words[i];
	return set;
}

struct bucket_set bucket_set_without(const struct bucket_set *a,
				     const struct bucket_set *b)
{
	struct bucket_set set = *a;

	for (size_t i = 0; i < WORDS_N; i++)
		set.words[i] &= ~b->words[i];
	return set;
}

int bucket_set_list(const struct bucket_set *set, uint16_t *out)
{
	int n = 0;

	for (int bucket = 0; bucket < BUCKETS_MAX; bucket++)
		if (bucket_set_has(set, bucket))
			out[n++] = (uint16_t)bucket;
	return n;
}

int bucket_set_pick(const struct bucket_set *set, uint64_t n)
{
	uint16_t buckets[BUCKETS_MAX];
	int count = bucket_set_list(set, buckets);

	return count == 0 ? BUCKET_NONE : buckets[n % (uint64_t)count];
}

struct bucket_set bucket_set_invert(const struct bucket_set *set, int buckets)
{
	struct bucket_set inverse = { 0 };

	for (int bucket = 0; bucket < buckets; bucket++)
		if (!bucket_set_has(set, bucket))
			bucket_set_add(&inverse, bucket);
	return inverse;
}

/* The last bucket of the run that begins with `first`. */
static int bucket_set_run_end(const struct bucket_set *set, int first)
{
	int last = first;

	while (last + 1 < BUCKETS_MAX && bucket_set_has(set, last + 1))
		last++;
	return last;
}

int bucket_set_write(const struct bucket_set *set, struct buf *out)
{
	size_t start = out->len;

	for (int first = 0; first < BUCKETS_MAX; first++) {
		const char *comma = out->len > start ? "," : "";
		int last, rc;

		if (!bucket_set_has(set, first))
			continue;
		last = bucket_set_run_end(set, first);
		rc = first == last ? buf_printf(out, "%s%d", comma, first)
				   : buf_printf(out, "%s%d-%d", comma, first, last);
		if (rc < 0) {
			out->len = start;
			return rc;
		}
		first = last;
	}
	return 0;
}

/* "7" or "7-9". */
static int bucket_range_parse(struct slice text, int buckets, int *first, int *last)
{
	struct slice from, to = text;

	if (!slice_split(&to, '-', &from))
		return -EINVAL;
	if (from.len == text.len)
		to = from;
	*first = bucket_of_label(from, buckets);
	*last = bucket_of_label(to, buckets);
	return *first < 0 || *last < *first ? -EINVAL : 0;
}

int bucket_set_parse(struct bucket_set *out, struct slice text, int buckets)
{
	struct bucket_set set = { 0 };
	int after = 0; /* ranges ascend: nothing is named twice */
	struct slice range;

	if (text.len > 0 && text.data[text.len - 1] == ',')
		return -EINVAL;
	while (slice_split(&text, ',', &range)) {
		int first, last;

		if (bucket_range_parse(range, buckets, &first, &last) < 0 ||
		    first < after)
			return -EINVAL;
		for (int bucket = first; bucket <= last; bucket++)
			bucket_set_add(&set, bucket);
		after = last + 1;
	}
	*out = set;
	return 0;
}
