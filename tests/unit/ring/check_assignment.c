#include "proxy/ring/assignment.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/ring/random.h"
#include "tests/unit/unit.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BYTES_MAX (2 << 20)

static const struct ring_spec spec = {
	.buckets = 8,
	.resources_n = 2,
	.resources = { { .group = SLICE_LITERAL("samplecontroller.k8s.io"),
			 .resource = SLICE_LITERAL("foos") },
		       { .group = SLICE_LITERAL("apps"),
			 .resource = SLICE_LITERAL("deployments"),
			 .role = RESOURCE_OWNED,
			 .index = 1 } },
	.hash = "0123456789abcdef",
};

/* The keys of a sound assignment, as `kubectl get cm -o yaml` shows them. */
struct field {
	const char *key;
	const char *text;
};

static const struct field sound[] = {
	{ "format", "1" },
	{ "buckets", "8" },
	{ "placement", "namespace,name" },
	{ "resources", "0123456789abcdef" },
	{ "shards", "2" },
	{ "generation", "4" },
	{ "epoch", "17" },
	{ "labelled", "foos.samplecontroller.k8s.io,deployments.apps" },
	{ "members", "a/3f2c91d0\nb/77aa0011\n" },
	{ "owners", "0-3,7 a/3f2c91d0 1\n4-5 b/77aa0011 17\n" },
};

/* Parses the sound assignment with one key replaced (text NULL: left out). */
static int parse_with(struct assignment *out, struct arena *arena, const char *key,
		      const char *text, struct err *err)
{
	struct json *data;
	struct buf buf;
	const char *comma = "{";

	buf_init(&buf, BYTES_MAX);
	for (size_t i = 0; i < COUNT(sound); i++) {
		bool is_replaced = key && strcmp(sound[i].key, key) == 0;
		const char *value = is_replaced ? text : sound[i].text;

		if (!value)
			continue;
		buf_printf(&buf, "%s\"%s\":", comma, sound[i].key);
		json_write_string(&buf, slice_of(value));
		comma = ",";
	}
	if (key && strcmp(key, "leaving") == 0) {
		buf_append_text(&buf, ",\"leaving\":");
		json_write_string(&buf, slice_of(text));
	}
	buf_append_text(&buf, ",\"unknown\":\"is left alone\"}");
	ck_assert_int_eq(json_parse(&data, arena, buf_slice(&buf), NULL, err), 0);
	buf_finish(&buf);
	return assignment_parse(out, arena, &spec, data, err);
}

/* Whether two assignments say the same. */
static bool is_equal(const struct assignment *a, const struct assignment *b)
{
	bool equal = a->buckets == b->buckets && a->placement == b->placement &&
		     slice_eq(a->resources, b->resources) && a->shards == b->shards &&
		     a->generation == b->generation && a->epoch == b->epoch &&
		     a->labelled == b->labelled && a->members_n == b->members_n &&
		     a->active_n == b->active_n;

	for (int i = 0; equal && i < a->members_n; i++)
		equal = slice_eq(a->members[i], b->members[i]);
	for (int i = 0; equal && i < a->buckets; i++)
		equal = a->bucket[i].owner == b->bucket[i].owner &&
			a->bucket[i].target == b->bucket[i].target &&
			a->bucket[i].since == b->bucket[i].since;
	return equal;
}

START_TEST(assignment_is_read_as_a_person_reads_it)
{
	struct arena *arena = arena_create();
	struct assignment a;
	struct bucket_set owned;
	struct err err;

	ck_assert_int_eq(parse_with(&a, arena, NULL, NULL, &err), 0);
	ck_assert_int_eq(a.buckets, 8);
	ck_assert_int_eq(a.placement, PLACEMENT_NAMESPACE_NAME);
	ck_assert_slice(a.resources, "0123456789abcdef");
	ck_assert_int_eq(a.shards, 2);
	ck_assert_uint_eq(a.generation, 4);
	ck_assert_uint_eq(a.epoch, 17);
	ck_assert_uint_eq(a.labelled, 3);
	ck_assert_int_eq(a.members_n, 2);
	ck_assert_int_eq(a.active_n, 2);
	ck_assert_int_eq(assignment_member(&a, slice_of("b/77aa0011")), 1);
	ck_assert_int_eq(a.bucket[7].owner, 0);
	ck_assert_uint_eq(a.bucket[7].since, 1);
	ck_assert_int_eq(a.bucket[4].target, 1);
	ck_assert_uint_eq(a.bucket[4].since, 17);
	owned = assignment_owned(&a, slice_of("a/3f2c91d0"));
	ck_assert_int_eq(bucket_set_count(&owned), 5);
	arena_destroy(arena);
}
END_TEST

START_TEST(bucket_that_no_line_names_is_nobodys)
{
	struct arena *arena = arena_create();
	struct assignment a;
	struct err err;

	ck_assert_int_eq(parse_with(&a, arena, NULL, NULL, &err), 0);
	ck_assert_int_eq(a.bucket[6].owner, -1);
	ck_assert_int_eq(a.bucket[6].target, -1);
	ck_assert_int_eq(parse_with(&a, arena, "owners", "", &err), 0);
	for (int b = 0; b < 8; b++)
		ck_assert_int_eq(a.bucket[b].owner, -1);
	arena_destroy(arena);
}
END_TEST

/* one_writer: what is named for another incarnation is not ours. */
START_TEST(assignment_gives_nothing_to_another_incarnation)
{
	struct arena *arena = arena_create();
	struct assignment a;
	struct bucket_set owned;
	struct err err;

	ck_assert_int_eq(parse_with(&a, arena, NULL, NULL, &err), 0);
	owned = assignment_owned(&a, slice_of("a/3f2c91d1"));
	ck_assert_int_eq(bucket_set_count(&owned), 0);
	owned = assignment_owned(&a, slice_of("a"));
	ck_assert_int_eq(bucket_set_count(&owned), 0);
	ck_assert(!assignment_names(&a, slice_of("a/3f2c91d1")));
	ck_assert(assignment_names(&a, slice_of("a/3f2c91d0")));
	arena_destroy(arena);
}
END_TEST

START_TEST(assignment_names_targets_and_whoever_leaves)
{
	struct arena *arena = arena_create();
	struct assignment a;
	struct err err;

	ck_assert_int_eq(parse_with(&a, arena, "owners",
				    "0-1 a/3f2c91d0 3 b/77aa0011\n2 - 5\n3 - 4 "
				    "a/3f2c91d0\n4 a/3f2c91d0 1 -",
				    &err),
			 0);
	ck_assert_int_eq(a.bucket[0].owner, 0);
	ck_assert_int_eq(a.bucket[0].target, 1);
	ck_assert_int_eq(a.bucket[2].owner, -1);
	ck_assert_uint_eq(a.bucket[2].since, 5);
	ck_assert_int_eq(a.bucket[3].target, 0);
	ck_assert_int_eq(a.bucket[4].target, -1);
	ck_assert(assignment_names(&a, slice_of("b/77aa0011")));
	ck_assert_int_eq(parse_with(&a, arena, "leaving", "c/1\n", &err), 0);
	ck_assert_int_eq(a.members_n, 3);
	ck_assert_int_eq(a.active_n, 2);
	ck_assert(!assignment_names(&a, slice_of("c/1")));
	arena_destroy(arena);
}
END_TEST

START_TEST(labelled_names_that_the_spec_does_not_have_are_ignored)
{
	static const struct {
		const char *text;
		uint32_t labelled;
	} rows[] = {
		{ "", 0 },
		{ "foos", 0 },
		{ "deployments.apps", 2 },
		{ "pods,foos.samplecontroller.k8s.io,,bars.g", 1 },
	};
	struct arena *arena = arena_create();

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct assignment a;
		struct err err;

		ck_assert_int_eq(parse_with(&a, arena, "labelled", rows[i].text, &err),
				 0);
		ck_assert_uint_eq(a.labelled, rows[i].labelled);
	}
	arena_destroy(arena);
}
END_TEST

static const struct {
	const char *key;
	const char *text;
	const char *says;
} senseless[] = {
	{ "format", NULL, "format: expected a text" },
	{ "format", "2", "format: expected 1, found 2" },
	{ "format", "", "format: " },
	{ "format", "one", "format: " },
	{ "buckets", NULL, "buckets: expected a text" },
	{ "buckets", "0", "buckets: expected a number from 1 to 1024" },
	{ "buckets", "1025", "buckets: expected a number from 1 to 1024" },
	{ "buckets", "-8", "buckets: " },
	{ "buckets", "08", "buckets: " },
	{ "buckets", "99999999999999999999999", "buckets: " },
	{ "placement", "name,namespace", "placement: expected namespace,name" },
	{ "placement", "", "placement: " },
	{ "resources", "", "resources: expected a hash" },
	{ "resources", "0123456789abcdeg", "resources: " },
	{ "resources", "0123456789abcdef0", "resources: " },
	{ "shards", "0", "shards: expected a number from 1 to 256" },
	{ "shards", "257", "shards: " },
	{ "generation", "x", "generation: expected a number" },
	{ "generation", "18446744073709551616", "generation: " },
	{ "epoch", "0", "epoch: expected a number from 1" },
	{ "epoch", NULL, "epoch: expected a text" },
	{ "labelled", NULL, "labelled: expected a text" },
	{ "members", NULL, "members: expected a text" },
	{ "members", "a/3f2c91d0\nb\n", "members, line 2: expected <member>" },
	{ "members", "a/3f2c91d0\n\nb/1", "members, line 2: " },
	{ "members", "/1", "members, line 1: " },
	{ "members", "a/", "members, line 1: " },
	{ "members", "a/1/2", "members, line 1: " },
	{ "members", "a b/1", "members, line 1: " },
	{ "members", "a/1\tx", "members, line 1: " },
	{ "members", "\xc3\xa4/1", "members, line 1: " },
	{ "members", "a/1\nb/1\na/1\n", "members, line 3: this member is named" },
	{ "leaving", "a/3f2c91d0\n", "leaving, line 1: this member is named" },
	{ "owners", NULL, "owners: expected a text" },
	{ "owners", "0-3 a/3f2c91d0\n", "owners, line 1: expected <buckets>" },
	{ "owners", "0-3\n", "owners, line 1: expected <buckets>" },
	{ "owners", "\n", "owners, line 1: expected <buckets>" },
	{ "owners", " a/3f2c91d0 1\n", "owners, line 1: expected buckets" },
	{ "owners", "0-3  a/3f2c91d0 1\n", "owners, line 1: " },
	{ "owners", "0-3 a/3f2c91d0 1 b/77aa0011 x\n", "owners, line 1: expected" },
	{ "owners", "0-8 a/3f2c91d0 1\n", "owners, line 1: expected buckets" },
	{ "owners", "5-4 a/3f2c91d0 1\n", "owners, line 1: expected buckets" },
	{ "owners", "0-3 a/3f2c91d0 1\n2-4 b/77aa0011 1\n",
	  "owners, line 2: a bucket is named twice" },
	{ "owners", "0-3 c/1 1\n", "owners, line 1: the owner or target" },
	{ "owners", "0-3 a/3f2c91d0 1 c/1\n", "owners, line 1: the owner or" },
	{ "owners", "0-3 a 1\n", "owners, line 1: the owner or target" },
	{ "owners", "0-3 a/3f2c91d0 18\n", "owners, line 1: since" },
	{ "owners", "0-3 a/3f2c91d0 x\n", "owners, line 1: since" },
	{ "owners", "0 a/3f2c91d0 1\n1 a/3f2c91d0 1\r\n", "owners, line 2: since" },
};

START_TEST(assignment_that_makes_no_sense_is_refused_by_key_and_line)
{
	for (size_t i = 0; i < COUNT(senseless); i++) {
		struct arena *arena = arena_create();
		struct assignment a = { .epoch = 4711 };
		struct err err;

		ck_assert_msg(parse_with(&a, arena, senseless[i].key, senseless[i].text,
					 &err) == -EINVAL,
			      "row %zu: %s '%s'", i, senseless[i].key,
			      senseless[i].text);
		ck_assert_msg(strncmp(err.text, senseless[i].says,
				      strlen(senseless[i].says)) == 0,
			      "row %zu: '%s' is not '%s'", i, err.text,
			      senseless[i].says);
		ck_assert_uint_eq(a.epoch, 4711);
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(assignment_bounds_members_by_number_and_length)
{
	struct arena *arena = arena_create();
	struct assignment a;
	struct err err;
	char text[16384], *end = text;

	for (int i = 0; i <= ASSIGNMENT_MEMBERS_MAX; i++)
		end += sprintf(end, "m%d/1\n", i);
	ck_assert_int_eq(parse_with(&a, arena, "members", text, &err), -EINVAL);
	ck_assert_str_eq(err.text, "members, line 257: too many members");
	memset(text, 'a', sizeof(text));
	memcpy(text + IDENTITY_BYTES_MAX - 1, "/1", 3);
	ck_assert_int_eq(parse_with(&a, arena, "members", text, &err), -EINVAL);
	ck_assert_str_eq(err.text, "members, line 1: expected <member>/<incarnation>");
	ck_assert(identity_is_valid(slice_from(slice_of(text), 1)));
	arena_destroy(arena);
}
END_TEST

START_TEST(data_that_is_no_object_of_texts_is_refused)
{
	static const char *const texts[] = { "null",
					     "[]",
					     "\"format\"",
					     "{}",
					     "{\"format\":1}",
					     "{\"format\":null}",
					     "{\"format\":{\"a\":\"1\"}}" };

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct arena *arena = arena_create();
		struct assignment a;
		struct json *data;
		struct err err;

		ck_assert_int_eq(
			json_parse(&data, arena, slice_of(texts[i]), NULL, &err), 0);
		ck_assert_int_eq(assignment_parse(&a, arena, &spec, data, &err),
				 -EINVAL);
		ck_assert_str_eq(err.text, "format: expected a text");
		arena_destroy(arena);
	}
	ck_assert_int_eq(
		assignment_parse(&(struct assignment){ 0 }, NULL, &spec, NULL, NULL),
		-EINVAL);
}
END_TEST

/* Writes it and reads it back, in arenas of their own. */
static bool survives(const struct assignment *a)
{
	struct arena *arena = arena_create();
	struct assignment back;
	struct json *data;
	struct buf out;
	struct err err;
	bool is_sound;

	buf_init(&out, BYTES_MAX);
	ck_assert_int_eq(assignment_write(&out, a, &spec), 0);
	ck_assert_int_eq(json_parse(&data, arena, buf_slice(&out), NULL, &err), 0);
	ck_assert_msg(assignment_parse(&back, arena, &spec, data, &err) == 0, "%s",
		      err.text);
	is_sound = is_equal(a, &back);
	buf_finish(&out);
	arena_destroy(arena);
	return is_sound;
}

static struct assignment random_assignment(struct random *random, struct arena *arena)
{
	struct assignment a = {
		.buckets = 1 + random_below(random, BUCKETS_MAX),
		.placement = (enum placement_key)random_below(random, 3),
		.resources = slice_of(spec.hash),
		.shards = 1 + random_below(random, ASSIGNMENT_MEMBERS_MAX),
		.generation = random_next(random),
		.epoch = 1 + random_next(random) / 2,
		.labelled = (uint32_t)random_below(random, 4),
		.members_n = 1 + random_below(random, ASSIGNMENT_MEMBERS_MAX),
	};
	int kinds = 1 + random_below(random, 6);

	a.active_n = random_below(random, a.members_n + 1);
	for (int i = 0; i < a.members_n; i++)
		a.members[i] = slice_of(
			arena_printf(arena, "pod-%d.x/%08x", i, (unsigned)i * 77));
	for (int b = 0; b < a.buckets; b++) {
		struct assigned_bucket *bucket = &a.bucket[b];

		bucket->owner = random_below(random, a.members_n + 1) - 1;
		bucket->target = random_below(random, 3)
					 ? bucket->owner
					 : random_below(random, a.members_n + 1) - 1;
		bucket->since = (uint64_t)random_below(random, kinds) % (a.epoch + 1);
	}
	return a;
}

START_TEST(assignment_written_reads_back_as_it_was)
{
	struct random random = { 5 };

	for (int round = 0; round < 200; round++) {
		struct arena *arena = arena_create();
		struct assignment a = random_assignment(&random, arena);

		ck_assert(survives(&a));
		arena_destroy(arena);
	}
}
END_TEST

START_TEST(assignment_is_written_for_a_person)
{
	struct arena *arena = arena_create();
	struct assignment a;
	struct json *data;
	struct err err;
	struct buf out;

	ck_assert_int_eq(parse_with(&a, arena, NULL, NULL, &err), 0);
	buf_init(&out, BYTES_MAX);
	ck_assert_int_eq(assignment_write(&out, &a, &spec), 0);
	ck_assert_int_eq(json_parse(&data, arena, buf_slice(&out), NULL, &err), 0);
	ck_assert_uint_eq(data->count, COUNT(sound));
	for (size_t i = 0; i < COUNT(sound); i++)
		ck_assert_slice(json_get(data, sound[i].key)->text, sound[i].text);
	buf_finish(&out);
	buf_init(&out, 100);
	ck_assert_int_eq(assignment_write(&out, &a, &spec), -EMSGSIZE);
	ck_assert_uint_eq(out.len, 0);
	buf_finish(&out);
	arena_destroy(arena);
}
END_TEST

/* Whatever is cut off or written over: an error, or a sound assignment. */
START_TEST(assignment_that_was_mangled_never_makes_the_reader_stumble)
{
	static const char junk[] = "\"{}[],:-/ 0123456789abcdef\\n";
	struct random random = { 6 };
	int refused = 0;

	for (int round = 0; round < 20000; round++) {
		struct arena *arena = arena_create();
		struct assignment a;
		char text[256];
		struct err err;
		const struct field *field = &sound[random_below(&random, COUNT(sound))];
		size_t len = (size_t)snprintf(text, sizeof(text), "%s", field->text);

		for (int n = random_below(&random, 3); n >= 0; n--)
			text[random_below(&random, (int)len)] =
				junk[random_below(&random, sizeof(junk) - 1)];
		text[random_below(&random, (int)len + 1)] &=
			(char)(random_below(&random, 2) ? 0 : 0xff);
		if (parse_with(&a, arena, field->key, text, &err) < 0)
			refused++;
		else if (!survives(&a))
			ck_abort_msg("%s: '%s' does not survive", field->key, text);
		arena_destroy(arena);
	}
	ck_assert_int_gt(refused, 1000);
}
END_TEST

UNIT_MAIN("ring/assignment", assignment_is_read_as_a_person_reads_it,
	  bucket_that_no_line_names_is_nobodys,
	  assignment_gives_nothing_to_another_incarnation,
	  assignment_names_targets_and_whoever_leaves,
	  labelled_names_that_the_spec_does_not_have_are_ignored,
	  assignment_that_makes_no_sense_is_refused_by_key_and_line,
	  assignment_bounds_members_by_number_and_length,
	  data_that_is_no_object_of_texts_is_refused,
	  assignment_written_reads_back_as_it_was, assignment_is_written_for_a_person,
	  assignment_that_was_mangled_never_makes_the_reader_stumble)
