#include "config/node.h"

#include <errno.h>

#include "proxy/base/buf.h"
#include "tests/unit/unit.h"

static struct arena *arena;
static struct err err;

static int parse_bytes(struct node **root, struct slice text)
{
	arena_destroy(arena);
	arena = arena_create();
	err.text[0] = '\0';
	return node_parse(root, arena, "f.yaml", text, &err);
}

static struct node *parse(const char *text)
{
	struct node *root;
	int rc = parse_bytes(&root, slice_of(text));

	ck_assert_msg(rc == 0, "'%s' gives %s", text, err.text);
	return root;
}

static void end(void)
{
	arena_destroy(arena);
	arena = NULL;
}

START_TEST(node_parse_makes_a_tree_that_knows_its_places)
{
	const struct node *root = parse("ring: foos\n"
					"lease:\n"
					"  duration: 15s\n"
					"list: [a, {b: c}]\n");
	const struct node *duration, *list;

	ck_assert_int_eq(root->type, NODE_MAPPING);
	ck_assert_slice(root->first->key, "ring");
	ck_assert_slice(root->first->text, "foos");
	duration = node_get(node_get(root, "lease"), "duration");
	ck_assert_slice(duration->text, "15s");
	ck_assert_str_eq(duration->place.file, "f.yaml");
	ck_assert_int_eq(duration->place.line, 3);
	ck_assert_int_eq(duration->place.column, 13);
	ck_assert_int_eq(duration->key_place.line, 3);
	ck_assert_int_eq(duration->key_place.column, 3);
	list = node_get(root, "list");
	ck_assert_int_eq(list->type, NODE_LIST);
	ck_assert_slice(list->first->text, "a");
	ck_assert_slice(node_get(list->first->next, "b")->text, "c");
	ck_assert_ptr_null(list->first->next->next);
	ck_assert_ptr_null(node_get(root, "rings"));
	ck_assert_ptr_null(node_get(list, "a"));
	end();
}
END_TEST

START_TEST(node_parse_reads_json)
{
	const struct node *root =
		parse("{\"a\":{\"b\":[1,true,\"x\\u00e9\\/\"]},\n\t\"c\": null}");
	const struct node *item = node_get(node_get(root, "a"), "b")->first;

	ck_assert_slice(item->text, "1");
	ck_assert_slice(item->next->text, "true");
	ck_assert_slice(item->next->next->text, "x\xc3\xa9/");
	ck_assert(node_get(root, "c")->is_null);
	end();
}
END_TEST

START_TEST(node_text_is_never_guessed_at)
{
	static const char *const texts[] = { "no",         "off",  "0x10", "1e3",
					     "2001-01-01", "true", "012" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const struct node *root = parse(texts[i]);

		ck_assert_slice(root->text, texts[i]);
		ck_assert(!root->is_null);
	}
	end();
}
END_TEST

START_TEST(node_null_is_nothing_or_unquoted_null)
{
	static const struct {
		const char *text;
		bool is_null;
	} cases[] = {
		{ "", true },        { "# only a comment\n", true },
		{ "---\n", true },   { "null", true },
		{ "~", true },       { "\"\"", false },
		{ "'null'", false }, { "\"~\"", false },
		{ "Null", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(parse(cases[i].text)->is_null == cases[i].is_null, "'%s'",
			      cases[i].text);
	end();
}
END_TEST

START_TEST(node_parse_refuses_with_the_place)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "a: 1\nb: 2\na: 3\n",
		  "f.yaml:3:1: a key that already stands at 1:1" },
		{ "a: &x 1\nb: *x\n", "f.yaml:2:4: an alias; they are not supported" },
		{ "a: !!int 1\n", "f.yaml:1:4: a tag; they are not supported" },
		{ "a: !x {b: c}\n", "f.yaml:1:4: a tag; they are not supported" },
		{ "a: !x [b]\n", "f.yaml:1:4: a tag; they are not supported" },
		{ "a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document; expected one" },
		{ "[a]: 1\n", "f.yaml:1:1: expected a key, found a list" },
		{ "{a: b}: 1\n", "f.yaml:1:1: expected a key, found a mapping" },
		{ "a: \"x\\0y\"\n", "f.yaml:1:4: a text with a zero byte in it" },
		{ "a: 1\n b: 2\n",
		  "f.yaml:2:3: not valid YAML: mapping values are not allowed in this "
		  "context" },
		{ "a: [1, 2\n",
		  "f.yaml:2:1: not valid YAML: did not find expected ',' or ']'" },
		{ "a:\n\t- b\n",
		  "f.yaml:2:1: not valid YAML: found character that cannot start any "
		  "token" },
		{ "a: 1\nbc\x01: 2\n",
		  "f.yaml:2:3: not valid YAML: control characters are not allowed" },
		{ "a: \xff\n",
		  "f.yaml:1:4: not valid YAML: invalid leading UTF-8 octet" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct node *root = NULL;

		ck_assert_int_eq(parse_bytes(&root, slice_of(cases[i].text)), -EINVAL);
		ck_assert_str_eq(err.text, cases[i].message);
		ck_assert_ptr_null(root);
	}
	end();
}
END_TEST

/* `n` times the text; the caller finishes the buffer. */
static struct buf repeat(const char *text, int n)
{
	struct buf buf;

	buf_init(&buf, 4 << 20);
	while (n-- > 0)
		ck_assert_int_eq(buf_append_text(&buf, text), 0);
	return buf;
}

START_TEST(node_parse_bounds_depth)
{
	static const char *const openings[] = { "[", "{a: ", "? ", "- " };

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		struct buf deep = repeat(openings[i], NODE_DEPTH_MAX + 1);
		struct node *root;

		ck_assert_int_eq(parse_bytes(&root, buf_slice(&deep)), -EINVAL);
		ck_assert_ptr_nonnull(strstr(err.text, "nested more than 80 deep"));
		buf_finish(&deep);
	}
	end();
}
END_TEST

START_TEST(node_parse_bounds_the_number_of_values)
{
	struct buf wide = repeat("- a\n", NODE_COUNT_MAX);
	struct node *root;

	ck_assert_int_eq(parse_bytes(&root, buf_slice(&wide)), -EINVAL);
	ck_assert_str_eq(err.text, "f.yaml:100000:3: more than 100000 values");
	buf_finish(&wide);
	end();
}
END_TEST

START_TEST(node_parse_bounds_the_keys_of_a_mapping)
{
	struct buf wide;
	struct node *root;

	buf_init(&wide, 1 << 20);
	for (int i = 0; i <= NODE_KEYS_MAX; i++)
		ck_assert_int_eq(buf_printf(&wide, "k%d: v\n", i), 0);
	ck_assert_int_eq(parse_bytes(&root, buf_slice(&wide)), -EINVAL);
	ck_assert_str_eq(err.text, "f.yaml:257:1: more than 256 keys in one mapping");
	buf_finish(&wide);
	end();
}
END_TEST

START_TEST(node_parse_survives_any_damage)
{
	static const char text[] = "# c\na: {b: [1, \"x\\n\", 'y'], ? c : |\n  d}\n"
				   "e: >-\n  f\n  g\nh: &i [~, null, *i]\nj: !!k l\n"
				   "---\n%YAML 1.1\n...\n";
	char damaged[sizeof(text)];
	struct node *root;

	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		parse_bytes(&root, slice_make(text, at));
		for (int byte = 0; byte < 256; byte += 3) {
			memcpy(damaged, text, sizeof(text));
			damaged[at] = (char)byte;
			parse_bytes(&root, slice_make(damaged, sizeof(text) - 1));
		}
	}
	end();
}
END_TEST

START_TEST(node_expect_names_what_it_found)
{
	const struct node *root = parse("a: 1\nb: [1]\nc:\n");

	ck_assert_int_eq(node_expect(node_get(root, "a"), NODE_SCALAR, &err), 0);
	ck_assert_int_eq(node_expect(node_get(root, "a"), NODE_LIST, &err), -EINVAL);
	ck_assert_str_eq(err.text, "f.yaml:1:4: a: expected a list, found text");
	ck_assert_int_eq(node_expect(node_get(root, "b"), NODE_SCALAR, &err), -EINVAL);
	ck_assert_str_eq(err.text, "f.yaml:2:4: b: expected text, found a list");
	ck_assert_int_eq(node_expect(node_get(root, "b")->first, NODE_MAPPING, &err),
			 -EINVAL);
	ck_assert_str_eq(err.text, "f.yaml:2:5: expected a mapping, found text");
	ck_assert_int_eq(node_expect(node_get(root, "c"), NODE_LIST, &err), 0);
	ck_assert_int_eq(node_expect(node_get(root, "c"), NODE_MAPPING, &err), 0);
	end();
}
END_TEST

START_TEST(place_error_is_one_line)
{
	const struct place place = { "f.yaml", 3, 7 };

	ck_assert_int_eq(place_error(&place, &err, "got '%s'", "a\nb\x1b[1m"), -EINVAL);
	ck_assert_str_eq(err.text, "f.yaml:3:7: got 'a?b?[1m'");
}
END_TEST

UNIT_MAIN("config/node", node_parse_makes_a_tree_that_knows_its_places,
	  node_parse_reads_json, node_text_is_never_guessed_at,
	  node_null_is_nothing_or_unquoted_null, node_parse_refuses_with_the_place,
	  node_parse_bounds_depth, node_parse_bounds_the_number_of_values,
	  node_parse_bounds_the_keys_of_a_mapping, node_parse_survives_any_damage,
	  node_expect_names_what_it_found, place_error_is_one_line)
