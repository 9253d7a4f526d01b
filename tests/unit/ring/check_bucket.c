#include "proxy/ring/bucket.h"

#include <errno.h>

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int place(enum placement_key placement, int buckets, const char *const key[4])
{
	const struct object_key object = {
		.group = slice_of(key[0]),
		.resource = slice_of(key[1]),
		.namespace = slice_of(key[2]),
		.name = slice_of(key[3]),
	};

	return bucket_place(placement, buckets, &object);
}

static struct bucket_set parse(const char *text)
{
	struct bucket_set set;

	ck_assert_int_eq(bucket_set_parse(&set, slice_of(text), BUCKETS_MAX), 0);
	return set;
}

/* Computed with another binding of XXH3 (Python's xxhash). They never change. */
START_TEST(placement_of_an_object_never_changes)
{
	static const struct {
		enum placement_key placement;
		int buckets;
		const char *key[4];
		int bucket;
	} rows[] = {
		{ PLACEMENT_NAMESPACE_NAME,
		  256,
		  { "samplecontroller.k8s.io", "foos", "default", "example" },
		  71 },
		{ PLACEMENT_NAMESPACE_NAME,
		  1024,
		  { "samplecontroller.k8s.io", "foos", "default", "example" },
		  327 },
		{ PLACEMENT_NAMESPACE_NAME,
		  7,
		  { "samplecontroller.k8s.io", "foos", "default", "example" },
		  1 },
		{ PLACEMENT_NAMESPACE,
		  256,
		  { "samplecontroller.k8s.io", "foos", "default", "example" },
		  190 },
		{ PLACEMENT_NAME,
		  256,
		  { "samplecontroller.k8s.io", "foos", "default", "example" },
		  200 },
		{ PLACEMENT_NAMESPACE_NAME,
		  256,
		  { "apps", "deployments", "kube-system", "coredns" },
		  150 },
		{ PLACEMENT_NAMESPACE_NAME,
		  256,
		  { "", "configmaps", "default", "a" },
		  101 },
		{ PLACEMENT_NAMESPACE_NAME,
		  256,
		  { "", "namespaces", "", "default" },
		  21 },
		{ PLACEMENT_NAMESPACE_NAME, 1, { "apps", "deployments", "a", "b" }, 0 },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_msg(place(rows[i].placement, rows[i].buckets, rows[i].key) ==
				      rows[i].bucket,
			      "row %zu", i);
}
END_TEST

START_TEST(placement_ignores_the_part_that_is_not_its_key)
{
	static const char *const a[] = { "g", "foos", "here", "same" };
	static const char *const b[] = { "g", "foos", "there", "same" };
	static const char *const c[] = { "g", "foos", "here", "other" };

	ck_assert_int_eq(place(PLACEMENT_NAME, 1024, a),
			 place(PLACEMENT_NAME, 1024, b));
	ck_assert_int_eq(place(PLACEMENT_NAMESPACE, 1024, a),
			 place(PLACEMENT_NAMESPACE, 1024, c));
	ck_assert_int_ne(place(PLACEMENT_NAME, 1024, a),
			 place(PLACEMENT_NAME, 1024, c));
	ck_assert_int_ne(place(PLACEMENT_NAMESPACE, 1024, a),
			 place(PLACEMENT_NAMESPACE, 1024, b));
}
END_TEST

START_TEST(placement_by_label_puts_equal_values_together_wherever_they_are)
{
	struct object_key key = { .group = slice_of("g"),
				  .resource = slice_of("foos"),
				  .namespace = slice_of("here"),
				  .name = slice_of("a"),
				  .label = slice_of("tenant") };
	static const char *const as_name[] = { "g", "foos", "", "tenant" };
	static const char *const as_usual[] = { "g", "foos", "here", "a" };

	ck_assert_int_eq(bucket_place(PLACEMENT_LABEL, 1024, &key),
			 place(PLACEMENT_NAME, 1024, as_name));
	/* The other placements do not look at it. */
	ck_assert_int_eq(bucket_place(PLACEMENT_NAMESPACE_NAME, 1024, &key),
			 place(PLACEMENT_NAMESPACE_NAME, 1024, as_usual));
	/* Without it, as by default. */
	key.label = slice_of("");
	ck_assert_int_eq(bucket_place(PLACEMENT_LABEL, 1024, &key),
			 place(PLACEMENT_NAMESPACE_NAME, 1024, as_usual));
}
END_TEST

START_TEST(placement_takes_a_name_of_any_length)
{
	static char name[100000];
	const char *const key[] = { "g", "foos", "default", name };

	memset(name, 'a', sizeof(name) - 1);
	ck_assert_int_lt(place(PLACEMENT_NAMESPACE_NAME, 256, key), 256);
	ck_assert_int_ge(place(PLACEMENT_NAMESPACE_NAME, 256, key), 0);
}
END_TEST

START_TEST(label_value_is_a_bucket_only_in_canonical_form)
{
	static const struct {
		const char *value;
		int bucket;
	} rows[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "255", 255 },
		{ "256", BUCKET_NONE },
		{ "1024", BUCKET_NONE },
		{ "", BUCKET_NONE },
		{ "00", BUCKET_NONE },
		{ "07", BUCKET_NONE },
		{ "+7", BUCKET_NONE },
		{ "-1", BUCKET_NONE },
		{ " 7", BUCKET_NONE },
		{ "7 ", BUCKET_NONE },
		{ "7.0", BUCKET_NONE },
		{ "0x7", BUCKET_NONE },
		{ "seven", BUCKET_NONE },
		{ "18446744073709551623", BUCKET_NONE },
		{ "4294967303", BUCKET_NONE },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		ck_assert_msg(bucket_of_label(slice_of(rows[i].value), 256) ==
				      rows[i].bucket,
			      "'%s'", rows[i].value);
}
END_TEST

START_TEST(set_holds_what_was_added_and_not_removed)
{
	struct random random = { 1 };
	bool has[BUCKETS_MAX] = { 0 };
	struct bucket_set set = { 0 };
	uint16_t list[BUCKETS_MAX];
	int n = 0;

	for (int step = 0; step < 20000; step++) {
		int bucket = random_below(&random, BUCKETS_MAX);

		has[bucket] = random_below(&random, 2);
		if (has[bucket])
			bucket_set_add(&set, bucket);
		else
			bucket_set_remove(&set, bucket);
	}
	for (int bucket = 0; bucket < BUCKETS_MAX; bucket++) {
		ck_assert_int_eq(bucket_set_has(&set, bucket), has[bucket]);
		n += has[bucket];
	}
	ck_assert_int_eq(bucket_set_count(&set), n);
	ck_assert_int_eq(bucket_set_list(&set, list), n);
	for (int i = 0; i < n; i++) {
		ck_assert(has[list[i]]);
		ck_assert(i == 0 || list[i] > list[i - 1]);
	}
}
END_TEST

START_TEST(set_inverted_has_what_it_had_not)
{
	struct bucket_set set = parse("0-84,170");
	struct bucket_set inverse = bucket_set_invert(&set, 256);
	struct bucket_set again = bucket_set_invert(&inverse, 256);

	ck_assert_int_eq(bucket_set_count(&inverse), 256 - 86);
	ck_assert(!bucket_set_has(&inverse, 84) && bucket_set_has(&inverse, 85));
	ck_assert(!bucket_set_has(&inverse, 170) && !bucket_set_has(&inverse, 256));
	ck_assert(bucket_set_is_equal(&again, &set));
	ck_assert(!bucket_set_is_equal(&inverse, &set));
}
END_TEST

START_TEST(set_is_within_another_when_it_adds_nothing)
{
	struct bucket_set none = { 0 }, small = parse("3,700"),
			  large = parse("0-9,700");

	ck_assert(bucket_set_is_within(&none, &none));
	ck_assert(bucket_set_is_within(&none, &small));
	ck_assert(bucket_set_is_within(&small, &large));
	ck_assert(bucket_set_is_within(&small, &small));
	ck_assert(!bucket_set_is_within(&large, &small));
	ck_assert(!bucket_set_is_within(&small, &none));
}
END_TEST

START_TEST(set_as_text_shows_runs_and_reads_back)
{
	static const char *const texts[] = {
		"",       "0",        "1023",
		"0-1023", "0-84,170", "0,2,4-5,63-64,127-128,1000-1023",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct bucket_set set = parse(texts[i]);
		struct buf buf;

		buf_init(&buf, 100);
		ck_assert_int_eq(bucket_set_write(&set, &buf), 0);
		ck_assert_slice(buf_slice(&buf), texts[i]);
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(set_of_random_buckets_reads_back)
{
	struct random random = { 2 };

	for (int round = 0; round < 500; round++) {
		struct bucket_set set = { 0 }, back;
		int n = random_below(&random, BUCKETS_MAX);
		struct buf buf;

		for (int i = 0; i < n; i++)
			bucket_set_add(&set, random_below(&random, BUCKETS_MAX));
		buf_init(&buf, 8192);
		ck_assert_int_eq(bucket_set_write(&set, &buf), 0);
		ck_assert_int_eq(bucket_set_parse(&back, buf_slice(&buf), BUCKETS_MAX),
				 0);
		ck_assert(bucket_set_is_equal(&set, &back));
		buf_finish(&buf);
	}
}
END_TEST

START_TEST(set_text_that_is_no_ascending_list_is_refused)
{
	static const char *const texts[] = {
		",",       "1,",    "1,,2",
		",1",      "1-",    "-1",
		"-",       "2-1",   "1-2-3",
		"1 ,2",    "a",     "01",
		"1,1",     "0-3,3", "0-3,2-9",
		"5,4",     "256",   "0-256",
		"255-256", "1;2",   "1-18446744073709551615",
		"0x1",     "1,2x",
	};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct bucket_set set = parse("9");

		ck_assert_msg(bucket_set_parse(&set, slice_of(texts[i]), 256) ==
				      -EINVAL,
			      "'%s'", texts[i]);
		ck_assert_int_eq(bucket_set_count(&set), 1);
	}
}
END_TEST

START_TEST(set_picks_each_of_its_members_in_turn)
{
	struct bucket_set set = parse("3,64,200-201"), empty = { 0 };
	static const int members[] = { 3, 64, 200, 201 };

	for (uint64_t n = 0; n < 12; n++)
		ck_assert_int_eq(bucket_set_pick(&set, n), members[n % 4]);
	ck_assert_int_eq(bucket_set_pick(&set, UINT64_MAX), 201);
	ck_assert_int_eq(bucket_set_pick(&empty, 7), BUCKET_NONE);
}
END_TEST

START_TEST(set_that_does_not_fit_leaves_the_buffer_as_it_was)
{
	struct bucket_set set = parse("0,2,4,6,8");
	struct buf buf;

	buf_init(&buf, 10);
	buf_append_text(&buf, "in: ");
	ck_assert_int_eq(bucket_set_write(&set, &buf), -EMSGSIZE);
	ck_assert_slice(buf_slice(&buf), "in: ");
	buf_finish(&buf);
}
END_TEST

UNIT_MAIN("ring/bucket", placement_of_an_object_never_changes,
	  placement_ignores_the_part_that_is_not_its_key,
	  placement_by_label_puts_equal_values_together_wherever_they_are,
	  placement_takes_a_name_of_any_length,
	  label_value_is_a_bucket_only_in_canonical_form,
	  set_holds_what_was_added_and_not_removed, set_inverted_has_what_it_had_not,
	  set_is_within_another_when_it_adds_nothing,
	  set_as_text_shows_runs_and_reads_back, set_of_random_buckets_reads_back,
	  set_text_that_is_no_ascending_list_is_refused,
	  set_picks_each_of_its_members_in_turn,
	  set_that_does_not_fit_leaves_the_buffer_as_it_was)
