#include "proxy/ring/spec.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define L "bucket.ringside.dev/foos"

/* A ring of foos, which own deployments (visible) and secrets (hidden). */
static struct ring_spec foos_spec(struct arena *arena, int buckets)
{
	struct ring_spec spec = {
		.ring = slice_of("foos"),
		.buckets = buckets,
		.resources_n = 3,
		.resources = {
			{ .group = slice_of("samplecontroller.k8s.io"),
			  .resource = slice_of("foos"),
			  .role = RESOURCE_MAIN,
			  .owner = -1,
			  .index = 0 },
			{ .group = slice_of("apps"),
			  .resource = slice_of("deployments"),
			  .role = RESOURCE_OWNED,
			  .unowned = UNOWNED_VISIBLE,
			  .owner = 0,
			  .index = 1 },
			{ .resource = slice_of("secrets"),
			  .role = RESOURCE_OWNED,
			  .unowned = UNOWNED_HIDDEN,
			  .owner = 0,
			  .index = 2 },
		},
	};

	ring_spec_seal(&spec, arena);
	return spec;
}

enum { FOOS, DEPLOYMENTS, SECRETS };

static struct bucket_set parse(const char *text)
{
	struct bucket_set set;

	ck_assert_int_eq(bucket_set_parse(&set, slice_of(text), BUCKETS_MAX), 0);
	return set;
}

START_TEST(spec_finds_a_resource_by_group_and_name)
{
	struct arena *arena = arena_create();
	struct ring_spec spec = foos_spec(arena, 256);
	const struct ring_resource *found =
		ring_spec_find(&spec, slice_of("apps"), slice_of("deployments"));

	ck_assert_ptr_eq(found, &spec.resources[DEPLOYMENTS]);
	ck_assert_ptr_null(
		ring_spec_find(&spec, slice_of(""), slice_of("deployments")));
	ck_assert_ptr_null(ring_spec_find(&spec, slice_of("apps"), slice_of("foos")));
	ck_assert_ptr_nonnull(ring_spec_find(&spec, slice_of(""), slice_of("secrets")));
	arena_destroy(arena);
}
END_TEST

START_TEST(spec_names_resources_as_kubectl_does)
{
	struct arena *arena = arena_create();
	struct ring_spec spec = foos_spec(arena, 256);

	ck_assert_str_eq(ring_resource_name(&spec.resources[FOOS], arena),
			 "foos.samplecontroller.k8s.io");
	ck_assert_str_eq(ring_resource_name(&spec.resources[SECRETS], arena),
			 "secrets");
	ck_assert_slice(spec.label, L);
	arena_destroy(arena);
}
END_TEST

/* Members compare hashes across versions of the proxy: it is pinned. */
START_TEST(spec_hash_never_changes)
{
	struct arena *arena = arena_create();

	ck_assert_str_eq(foos_spec(arena, 256).hash, "3ee417cab62f9cf2");
	arena_destroy(arena);
}
END_TEST

static void change_group(struct ring_spec *spec)
{
	spec->resources[DEPLOYMENTS].group = slice_of("extensions");
}

static void change_resource(struct ring_spec *spec)
{
	spec->resources[SECRETS].resource = slice_of("configmaps");
}

static void change_role(struct ring_spec *spec)
{
	spec->resources[DEPLOYMENTS].role = RESOURCE_MAIN;
}

static void change_owner(struct ring_spec *spec)
{
	spec->resources[SECRETS].owner = DEPLOYMENTS;
}

static void change_unowned(struct ring_spec *spec)
{
	spec->resources[SECRETS].unowned = UNOWNED_VISIBLE;
}

static void change_number(struct ring_spec *spec)
{
	spec->resources_n = 2;
}

static void change_by_label(struct ring_spec *spec)
{
	spec->resources[DEPLOYMENTS].keys.owner = slice_of("app");
}

static void change_by_annotation(struct ring_spec *spec)
{
	change_by_label(spec);
	spec->resources[DEPLOYMENTS].keys.is_owner_annotation = true;
}

static void change_placement_label(struct ring_spec *spec)
{
	spec->placement = PLACEMENT_LABEL;
	spec->placement_label = slice_of("tenant");
}

START_TEST(spec_hash_tells_members_that_disagree_apart)
{
	char seen[16][sizeof(((struct ring_spec *)0)->hash)];
	struct arena *arena = arena_create();
	static void (*const changes[])(struct ring_spec *) = {
		change_group,    change_resource,      change_role,
		change_owner,    change_unowned,       change_number,
		change_by_label, change_by_annotation, change_placement_label,
	};

	for (size_t i = 0; i < COUNT(changes); i++) {
		struct ring_spec spec = foos_spec(arena, 256);

		changes[i](&spec);
		ring_spec_seal(&spec, arena);
		ck_assert_msg(strcmp(spec.hash, foos_spec(arena, 256).hash) != 0,
			      "change %zu", i);
		for (size_t j = 0; j < i; j++)
			ck_assert_msg(strcmp(spec.hash, seen[j]) != 0,
				      "changes %zu and %zu", j, i);
		memcpy(seen[i], spec.hash, sizeof(spec.hash));
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(spec_hash_leaves_out_what_is_compared_on_its_own)
{
	struct arena *arena = arena_create();
	struct ring_spec spec = foos_spec(arena, 1024);
	struct ring_resource moved = spec.resources[DEPLOYMENTS];

	spec.placement = PLACEMENT_NAME;
	spec.ring = slice_of("other");
	/* The order of the YAML is no matter of agreement. */
	spec.resources[DEPLOYMENTS] = spec.resources[SECRETS];
	spec.resources[SECRETS] = moved;
	ring_spec_seal(&spec, arena);
	ck_assert_str_eq(spec.hash, foos_spec(arena, 256).hash);
	arena_destroy(arena);
}
END_TEST

START_TEST(selector_is_the_one_of_the_table)
{
	struct arena *arena = arena_create();
	static const struct {
		int resource;
		const char *view;
		const char *selector;
	} rows[] = {
		{ FOOS, "", L ",!" L },
		{ FOOS, "3", L " in (3)" },
		{ FOOS, "0-3", L " in (0,1,2,3)" },
		{ FOOS, "0-4", L "," L " notin (5,6,7)" },
		{ FOOS, "0-2,4-7", L "," L " notin (3)" },
		{ FOOS, "0-7", L " in (0,1,2,3,4,5,6,7)" },
		{ SECRETS, "", L ",!" L },
		{ SECRETS, "1-2", L " in (1,2)" },
		{ SECRETS, "0-4", L "," L " notin (5,6,7)" },
		{ DEPLOYMENTS, "", "!" L },
		{ DEPLOYMENTS, "3", L " notin (0,1,2,4,5,6,7)" },
		{ DEPLOYMENTS, "0-4", L " notin (5,6,7)" },
		{ DEPLOYMENTS, "0-7", "" },
	};
	struct ring_spec spec = foos_spec(arena, 8);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bucket_set view = parse(rows[i].view);
		struct buf out;

		buf_init(&out, 4096);
		ck_assert_int_eq(ring_selector_write(&out, &spec,
						     &spec.resources[rows[i].resource],
						     &view),
				 0);
		ck_assert_slice(buf_slice(&out), rows[i].selector);
		buf_finish(&out);
	}
	arena_destroy(arena);
}
END_TEST

/* Whether the list in parentheses has the value. */
static bool list_has(struct slice list, const char *value)
{
	struct slice part;

	while (slice_split(&list, ',', &part))
		if (slice_is(part, value))
			return true;
	return false;
}

/* The API's meaning of one requirement; value NULL: the object has no label. */
static bool requirement_matches(struct slice text, const char *value)
{
	ptrdiff_t open = slice_find(text, '(');
	struct slice list;

	if (slice_is(text, L))
		return value;
	if (slice_is(text, "!" L))
		return !value;
	ck_assert(open > 0 && text.data[text.len - 1] == ')');
	list = slice_make(text.data + open + 1, text.len - (size_t)open - 2);
	if (slice_starts_with(text, L " in ("))
		return value && list_has(list, value);
	ck_assert(slice_starts_with(text, L " notin ("));
	return !value || !list_has(list, value);
}

static bool selector_matches(struct slice text, const char *value)
{
	size_t start = 0;
	int depth = 0;

	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.data[i] : ',';

		depth += (c == '(') - (c == ')');
		if (c != ',' || depth > 0)
			continue;
		if (i > start &&
		    !requirement_matches(slice_make(text.data + start, i - start),
					 value))
			return false;
		start = i + 1;
	}
	return true;
}

/* What each of 3 members sees of an object, as bits. */
static unsigned seen_by(const struct ring_spec *spec, int resource,
			const struct bucket_set owned[3], const char *value)
{
	unsigned seen = 0;

	for (int member = 0; member < 3; member++) {
		struct buf out;

		buf_init(&out, 16384);
		ck_assert_int_eq(ring_selector_write(&out, spec,
						     &spec->resources[resource],
						     &owned[member]),
				 0);
		if (selector_matches(buf_slice(&out), value))
			seen |= 1u << member;
		buf_finish(&out);
	}
	return seen;
}

START_TEST(full_coverage_each_labelled_object_is_seen_by_its_owner_alone)
{
	struct arena *arena = arena_create();
	struct random random = { 4 };

	for (int round = 0; round < 200; round++) {
		int buckets = 1 + random_below(&random, 60);
		int weight = 1 + random_below(&random, 12);
		struct ring_spec spec = foos_spec(arena, buckets);
		struct bucket_set owned[3] = { 0 };
		int owner[60];

		for (int b = 0; b < buckets; b++) {
			owner[b] = random_below(&random, 2 + weight) % 3;
			bucket_set_add(&owned[owner[b]], b);
		}
		for (int b = 0; b < buckets; b++) {
			char value[8];

			snprintf(value, sizeof(value), "%d", b);
			for (int resource = FOOS; resource <= SECRETS; resource++)
				ck_assert_uint_eq(
					seen_by(&spec, resource, owned, value),
					1u << owner[b]);
		}
		ck_assert_uint_eq(seen_by(&spec, FOOS, owned, NULL), 0);
		ck_assert_uint_eq(seen_by(&spec, SECRETS, owned, NULL), 0);
		ck_assert_uint_eq(seen_by(&spec, DEPLOYMENTS, owned, NULL), 7);
	}
	arena_destroy(arena);
}
END_TEST

START_TEST(unplaced_is_what_has_no_label_or_garbage)
{
	struct arena *arena = arena_create();
	struct ring_spec spec = foos_spec(arena, 4);
	struct buf out;

	buf_init(&out, 4096);
	ck_assert_int_eq(ring_selector_write_unplaced(&out, &spec), 0);
	ck_assert_slice(buf_slice(&out), L " notin (0,1,2,3)");
	ck_assert(selector_matches(buf_slice(&out), NULL));
	ck_assert(selector_matches(buf_slice(&out), "4"));
	ck_assert(selector_matches(buf_slice(&out), "01"));
	ck_assert(!selector_matches(buf_slice(&out), "1"));
	buf_finish(&out);
	arena_destroy(arena);
}
END_TEST

START_TEST(selector_that_does_not_fit_leaves_the_buffer_as_it_was)
{
	struct arena *arena = arena_create();
	struct ring_spec spec = foos_spec(arena, 256);
	struct bucket_set views[] = { parse(""), parse("0-99"), parse("0-199") };

	for (size_t i = 0; i < COUNT(views); i++) {
		struct buf out;

		buf_init(&out, 50);
		buf_append_text(&out, "app=a,");
		ck_assert_int_eq(ring_selector_write(&out, &spec, &spec.resources[FOOS],
						     &views[i]),
				 -EMSGSIZE);
		ck_assert_slice(buf_slice(&out), "app=a,");
		buf_finish(&out);
	}
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("ring/spec", spec_finds_a_resource_by_group_and_name,
	  spec_names_resources_as_kubectl_does, spec_hash_never_changes,
	  spec_hash_tells_members_that_disagree_apart,
	  spec_hash_leaves_out_what_is_compared_on_its_own,
	  selector_is_the_one_of_the_table,
	  full_coverage_each_labelled_object_is_seen_by_its_owner_alone,
	  unplaced_is_what_has_no_label_or_garbage,
	  selector_that_does_not_fit_leaves_the_buffer_as_it_was)
