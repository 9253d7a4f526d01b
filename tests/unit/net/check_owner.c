#include "proxy/net/owner.h"

#include "tests/unit/net/fake_ring.h"

struct row {
	const char *child; /* its namespace */
	const char *value;
	bool is_found;
	const char *namespace, *name;
};

static void check_rows(struct fake_ring *ring, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct object_meta meta = { .owner_name = slice_of(rows[i].value) };
		struct owned owned = { .resource = &ring->spec.resources[DEPLOYMENTS],
				       .namespace = slice_of(rows[i].child),
				       .meta = &meta };
		struct locate_question at;

		ck_assert_msg(owner_find(&at, ring->catalog, &ring->spec, &owned) ==
				      rows[i].is_found,
			      "'%s'", rows[i].value);
		if (!rows[i].is_found)
			continue;
		ck_assert_ptr_eq(at.resource, &ring->spec.resources[FOOS]);
		ck_assert_slice(at.namespace, rows[i].namespace);
		ck_assert_slice(at.name, rows[i].name);
		ck_assert_slice(at.uid, "");
	}
}

START_TEST(owner_that_is_named_is_in_the_same_namespace_unless_it_says_another)
{
	static const struct row rows[] = {
		{ "ns", "web", true, "ns", "web" },
		{ "ns", "shop/web", true, "shop", "web" },
		{ "", "shop/web", true, "shop", "web" },
		{ "", "web", false },
		{ "ns", "", false },
		{ "ns", "/", false },
		{ "ns", "/web", false },
		{ "ns", "shop/", false },
		{ "ns", "a/b/c", false },
	};
	struct fake_ring ring;

	fake_ring_init(&ring);
	fake_ring_learn(&ring);
	ring.spec.resources[DEPLOYMENTS].keys.owner = slice_of("app");
	check_rows(&ring, rows, sizeof(rows) / sizeof(rows[0]));
	fake_ring_finish(&ring);
}
END_TEST

START_TEST(owner_of_a_cluster_scoped_kind_has_no_namespace)
{
	static const struct row rows[] = {
		{ "ns", "web", true, "", "web" },
		{ "", "web", true, "", "web" },
		{ "ns", "ns/web", false },
	};
	const struct owner_reference reference = { SLICE_LITERAL("g/v2"),
						   SLICE_LITERAL("Foo"),
						   SLICE_LITERAL("f"),
						   SLICE_LITERAL("uf"), false };
	struct object_meta meta = { .owners = &reference, .owners_n = 1 };
	struct locate_question at;
	struct fake_ring ring;

	fake_ring_init(&ring);
	fake_ring_learn(&ring);
	/* The catalog's entries are read by all and written by it alone. */
	((struct catalog_entry *)catalog_entry(ring.catalog, FOOS))->is_namespaced =
		false;
	struct owned owned = { .resource = &ring.spec.resources[DEPLOYMENTS],
			       .namespace = slice_of("ns"),
			       .meta = &meta };

	/* By whichever of its versions the reference names it. */
	ck_assert(owner_find(&at, ring.catalog, &ring.spec, &owned));
	ck_assert_ptr_eq(at.resource, &ring.spec.resources[FOOS]);
	ck_assert_slice(at.namespace, "");
	ck_assert_slice(at.uid, "uf");
	ring.spec.resources[DEPLOYMENTS].keys.owner = slice_of("app");
	/* Who is named by a label is not looked for in references. */
	ck_assert(!owner_find(&at, ring.catalog, &ring.spec, &owned));
	check_rows(&ring, rows, sizeof(rows) / sizeof(rows[0]));
	fake_ring_finish(&ring);
}
END_TEST

START_TEST(owner_is_uncertain_while_a_kind_is_not_known)
{
	const struct owner_reference reference = { .kind = SLICE_LITERAL("Foo") };
	struct object_meta meta = { .owners = &reference };
	struct fake_ring ring;

	fake_ring_init(&ring);
	struct owned owned = { .resource = &ring.spec.resources[DEPLOYMENTS],
			       .namespace = slice_of("ns"),
			       .meta = &meta };

	ck_assert(owner_is_certain(ring.catalog, &owned));
	meta.owners_n = 1;
	ck_assert(!owner_is_certain(ring.catalog, &owned));
	ring.spec.resources[DEPLOYMENTS].keys.owner = slice_of("app");
	ck_assert(owner_is_certain(ring.catalog, &owned));
	meta.owner_name = slice_of("web");
	ck_assert(!owner_is_certain(ring.catalog, &owned));
	fake_ring_finish(&ring);
}
END_TEST

UNIT_MAIN("net/owner",
	  owner_that_is_named_is_in_the_same_namespace_unless_it_says_another,
	  owner_of_a_cluster_scoped_kind_has_no_namespace,
	  owner_is_uncertain_while_a_kind_is_not_known)
