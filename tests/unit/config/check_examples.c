#include "config/fields.h"
#include "config/tables.h"
#include "proxy/base/file.h"
#include "tests/unit/unit.h"

/* Tests run at the top of the repository. */
#define MINIMAL_FILE "config/minimal.yaml"
#define FULL_FILE "config/full.yaml"

static struct err err;

static struct config *load(const char *file)
{
	struct config *config;
	int rc = config_load(&config, file, NULL, 0, &err);

	ck_assert_msg(rc == 0, "%s", err.text);
	return config;
}

START_TEST(the_minimal_example_loads)
{
	struct config *config = load(MINIMAL_FILE);

	ck_assert_slice(config->spec.ring, "foos");
	ck_assert_int_eq(config->member.shards, 3);
	ck_assert_int_eq(config->spec.resources_n, 2);
	ck_assert_slice(config->spec.resources[0].group, "samplecontroller.k8s.io");
	ck_assert_slice(config->spec.resources[0].resource, "foos");
	ck_assert_slice(config->spec.resources[1].resource, "deployments");
	ck_assert_int_eq(config->spec.resources[1].owner, 0);
	config_destroy(config);
}
END_TEST

/* What stands under a dotted path, or NULL. */
static const struct node *find(const struct node *node, const char *path)
{
	struct slice rest = slice_of(path), key;

	while (node && slice_split(&rest, '.', &key)) {
		const struct node *child = node->first;

		while (child && !slice_eq(child->key, key))
			child = child->next;
		node = child;
	}
	return node;
}

START_TEST(the_full_example_has_every_option_with_its_default)
{
	struct arena *arena = arena_create();
	const struct opt *row;
	struct slice text;
	struct node *root;

	ck_assert_int_eq(file_read(&text, arena, FULL_FILE, CONFIG_BYTES_MAX, &err), 0);
	ck_assert_int_eq(node_parse(&root, arena, FULL_FILE, text, &err), 0);
	for (size_t i = 0; (row = tables_option(i, NULL)); i++) {
		const struct node *node = find(root, row->name);

		ck_assert_msg(!!node, FULL_FILE " lacks %s", row->name);
		ck_assert_slice(node->text, row->value);
	}
	for (size_t i = 0; i < ring_fields_n; i++)
		ck_assert_msg(!!find(root, ring_fields[i].name), FULL_FILE " lacks %s",
			      ring_fields[i].name);
	arena_destroy(arena);
}
END_TEST

START_TEST(the_full_example_changes_nothing_about_a_ring)
{
	struct config *config = load(FULL_FILE);
	struct config defaults = { .arena = arena_create() };

	tables_set_defaults(&defaults);
	for (size_t i = 0; i < tables_count(); i++)
		ck_assert(tables_is_equal(i, config, &defaults));
	ck_assert_int_eq(config->spec.buckets, BUCKETS_DEFAULT);
	ck_assert_int_eq(config->spec.placement, PLACEMENT_NAMESPACE_NAME);
	ck_assert_ptr_null(config->namespaces[0]);
	ck_assert_int_eq(config->spec.resources_n, 3);
	arena_destroy(defaults.arena);
	config_destroy(config);
}
END_TEST

UNIT_MAIN("config/examples", the_minimal_example_loads,
	  the_full_example_has_every_option_with_its_default,
	  the_full_example_changes_nothing_about_a_ring)
