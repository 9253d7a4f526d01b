#include <errno.h>

#include "config/node.h"
#include "config/tables.h"
#include "tests/unit/config/loading.h"

START_TEST(config_load_needs_a_ring_and_a_resource_only)
{
	struct config defaults = { .arena = arena_create() };

	load_whole(MINIMAL);
	ck_assert_slice(config->spec.ring, "foos");
	ck_assert_slice(config->spec.label, "bucket.ringside.dev/foos");
	ck_assert_int_eq(config->spec.buckets, BUCKETS_DEFAULT);
	ck_assert_int_eq(config->spec.placement, PLACEMENT_NAMESPACE_NAME);
	ck_assert_ptr_null(config->namespaces[0]);
	ck_assert_uint_eq(strlen(config->spec.hash), 16);
	ck_assert_str_eq(config->file, "r.yaml");
	tables_set_defaults(&defaults);
	for (size_t i = 0; i < tables_count(); i++)
		ck_assert(tables_is_equal(i, config, &defaults));
	arena_destroy(defaults.arena);
	unload();
}
END_TEST

START_TEST(config_load_sets_options_by_their_path)
{
	load_whole(MINIMAL "shards: 3\n"
			   "member: foo-0\n"
			   "lease: {duration: 30s, renew: 2s}\n"
			   "listen:\n"
			   "  http: \"[::1]:8001\"\n"
			   "  https: off\n"
			   "upstream: {credentials: own}\n"
			   "limits:\n"
			   "  body: 1Mi\n"
			   "session:\n" /* all of it commented out */
			   "log: {level: debug}\n"
			   "write: {ca: }\n");
	ck_assert_int_eq(config->member.shards, 3);
	ck_assert_str_eq(config->member.id, "foo-0");
	ck_assert_int_eq(config->member.lease_duration_ms, 30000);
	ck_assert_int_eq(config->member.lease_renew_ms, 2000);
	ck_assert_str_eq(config->net.http, "[::1]:8001");
	ck_assert_str_eq(config->net.https, "off");
	ck_assert_int_eq(config->net.credentials, NET_CREDENTIALS_OWN);
	ck_assert_int_eq(config->net.body_bytes, 1 << 20);
	ck_assert_int_eq(config->conf.log_level, LOG_LEVEL_DEBUG);
	ck_assert_str_eq(config->net.ca_out, "");
	unload();
}
END_TEST

START_TEST(config_load_loads_the_ring)
{
	load_whole("ring: r2\n"
		   "buckets: 1024\n"
		   "key: [name]\n"
		   "namespaces: [a, b-c]\n"
		   "resources: [{resource: pods}]\n");
	ck_assert_slice(config->spec.ring, "r2");
	ck_assert_int_eq(config->spec.buckets, 1024);
	ck_assert_int_eq(config->spec.placement, PLACEMENT_NAME);
	ck_assert_str_eq(config->namespaces[0], "a");
	ck_assert_str_eq(config->namespaces[1], "b-c");
	ck_assert_ptr_null(config->namespaces[2]);
	load_whole(MINIMAL "locks: [{name: b}, {namespace: c, name: d.e}]\n");
	ck_assert_int_eq(config->spec.locks_n, 2);
	ck_assert(slice_is(config->spec.locks[0].name, "b"));
	ck_assert(slice_is(config->spec.locks[0].namespace, ""));
	ck_assert(slice_is(config->spec.locks[1].name, "d.e"));
	ck_assert(slice_is(config->spec.locks[1].namespace, "c"));
	load_whole(MINIMAL "key: [namespace]\nnamespaces:\n");
	ck_assert_int_eq(config->spec.placement, PLACEMENT_NAMESPACE);
	ck_assert_ptr_null(config->namespaces[0]);
	unload();
}
END_TEST

START_TEST(config_load_knows_labels_that_place_and_that_name_owners)
{
	static const char *const keys[] = { MINIMAL "key: label:a.b/C_d\n",
					    MINIMAL "key: [label:a.b/C_d]\n" };
	const struct ring_resource *resources;

	for (size_t i = 0; i < 2; i++) {
		load_whole(keys[i]);
		ck_assert_int_eq(config->spec.placement, PLACEMENT_LABEL);
		ck_assert_slice(config->spec.placement_label, "a.b/C_d");
		ck_assert_slice(config->spec.resources[0].keys.place, "a.b/C_d");
		unload();
	}
	load_whole(
		"ring: foos\n"
		"resources: [{resource: foos, owns: [\n"
		"  {resource: a, by: 'label:x'}, {resource: b, by: annotation:y/z},\n"
		"  {resource: c}]}]\n");
	resources = config->spec.resources;
	ck_assert_slice(resources[1].keys.owner, "x");
	ck_assert(!resources[1].keys.is_owner_annotation);
	ck_assert_slice(resources[2].keys.owner, "y/z");
	ck_assert(resources[2].keys.is_owner_annotation);
	ck_assert_uint_eq(resources[3].keys.owner.len, 0);
	ck_assert_slice(resources[3].keys.label, "bucket.ringside.dev/foos");
	ck_assert_uint_eq(resources[3].keys.place.len, 0);
	unload();
}
END_TEST

START_TEST(config_load_loads_resources_of_any_depth)
{
	const struct ring_resource *resources;

	load_whole("ring: foos\n"
		   "resources:\n"
		   "  - owns:\n" /* the order of keys does not matter */
		   "      - {group: apps, resource: deployments, owns: [\n"
		   "          {group: apps, resource: replicasets, by: owner},\n"
		   "          {resource: secrets, unowned: hidden}]}\n"
		   "      - {group: '', resource: services, unowned: visible}\n"
		   "    resource: foos\n"
		   "    refuse: notFound\n"
		   "    group: example.com\n"
		   "  - {resource: bars, group: example.com, owns: []}\n");
	resources = config->spec.resources;
	ck_assert_int_eq(config->spec.resources_n, 6);
	static const struct {
		const char *group, *resource;
		int owner;
	} wanted[] = {
		{ "example.com", "foos", -1 }, { "apps", "deployments", 0 },
		{ "apps", "replicasets", 1 },  { "", "secrets", 1 },
		{ "", "services", 0 },         { "example.com", "bars", -1 },
	};

	for (int i = 0; i < 6; i++) {
		ck_assert_slice(resources[i].group, wanted[i].group);
		ck_assert_slice(resources[i].resource, wanted[i].resource);
		ck_assert_int_eq(resources[i].owner, wanted[i].owner);
		ck_assert_int_eq(resources[i].index, i);
		ck_assert_int_eq(resources[i].role,
				 wanted[i].owner < 0 ? RESOURCE_MAIN : RESOURCE_OWNED);
		ck_assert_int_eq(resources[i].unowned,
				 i == 3 ? UNOWNED_HIDDEN : UNOWNED_VISIBLE);
		ck_assert_int_eq(resources[i].refuse,
				 i == 0 ? REFUSE_NOT_FOUND : REFUSE_CONFLICT);
	}
	unload();
}
END_TEST

START_TEST(unknown_keys_are_refused_with_what_was_probably_meant)
{
	static const struct refusal cases[] = {
		{ MINIMAL "shrads: 3\n",
		  "r.yaml:3:1: unknown key 'shrads'; did you mean 'shards'?" },
		{ "rnig: foos\n",
		  "r.yaml:1:1: unknown key 'rnig'; did you mean 'ring'?" },
		{ MINIMAL "lease:\n  duration: 15s\n  renw: 1s\n",
		  "r.yaml:5:3: unknown key 'lease.renw'; did you mean 'renew'?" },
		{ MINIMAL "lease: {quux: 1}\n",
		  "r.yaml:3:9: unknown key 'lease.quux'; expected one of duration, "
		  "renew, margin" },
		{ MINIMAL "duration: 15s\n",
		  "r.yaml:3:1: unknown key 'duration'; did you mean "
		  "'lease.duration'?" },
		{ MINIMAL "lease.duration: 15s\n",
		  "r.yaml:3:1: unknown key 'lease.duration': a dot is written as a "
		  "mapping in a mapping" },
		{ MINIMAL "listen: {lease: {duration: 1s}}\n",
		  "r.yaml:3:10: unknown key 'listen.lease'; expected one of https, "
		  "http, admin" },
		{ MINIMAL "\"\": 1\n",
		  "r.yaml:3:1: unknown key ''; expected one of ring, buckets, key, "
		  "namespaces, locks, resources, member, namespace, lockFile, onStop, "
		  "shards, generation, controller, lease, handover, label, listen, "
		  "tls, write, upstream, hold, drain, limits, session, log" },
		{ "ring: foos\nresources:\n  - resource: foos\n    onws: []\n",
		  "r.yaml:4:5: unknown key 'onws'; did you mean 'owns'?" },
		{ "ring: foos\nresources:\n  - resource: foos\n    version: v1\n",
		  "r.yaml:4:5: unknown key 'version'; expected one of group, resource, "
		  "by, unowned, refuse, onRelease, relist, owns" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(values_are_refused_with_what_was_expected)
{
	static const struct refusal cases[] = {
		{ MINIMAL "shards: many\n",
		  "r.yaml:3:9: shards: expected a whole number between 1 and 128, got "
		  "'many'" },
		{ MINIMAL "lease:\n  duration: 15\n",
		  "r.yaml:4:13: lease.duration: expected a duration such as 15s "
		  "between 2s and 5m, got '15'" },
		{ MINIMAL "hold:\n",
		  "r.yaml:3:6: hold: expected a duration such as 15s between 0s and "
		  "2m, got ''" },
		{ MINIMAL "shards: [3]\n",
		  "r.yaml:3:9: shards: expected text, found a list" },
		{ MINIMAL "lease: 15s\n",
		  "r.yaml:3:8: lease: expected a mapping, found text" },
		{ MINIMAL "log: {level: loud}\n",
		  "r.yaml:3:14: log.level: expected one of debug, info, warn, error, "
		  "got 'loud'" },
		{ "[a]\n", "r.yaml:1:1: expected a mapping, found a list" },
		{ "foos\n", "r.yaml:1:1: expected a mapping, found text" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

#define KEY_EXPECTED "expected [namespace, name], [namespace], [name] or label:<key>"
#define LABEL_KEY_EXPECTED \
	"expected the key of a label or annotation, such as app.kubernetes.io/name, " \
	"and not one of ringside's own"
#define RING_EXPECTED \
	"ring: expected a DNS label of at most 40 characters: lower case letters, " \
	"digits, and '-' in between"

START_TEST(a_ring_that_makes_no_sense_is_refused)
{
	static const struct refusal cases[] = {
		{ "", "r.yaml:1:1: 'ring' is missing: expected a DNS label of at most "
		      "40 characters" },
		{ "ring:\n",
		  "r.yaml:1:1: 'ring' is missing: expected a DNS label of at "
		  "most 40 characters" },
		{ "ring: a.b\n", "r.yaml:1:7: " RING_EXPECTED },
		{ "ring: Foos\n", "r.yaml:1:7: " RING_EXPECTED },
		{ "ring: a2345678901234567890123456789012345678901\n",
		  "r.yaml:1:7: " RING_EXPECTED },
		{ "ring: [foos]\n", "r.yaml:1:7: ring: expected text, found a list" },
		{ MINIMAL "buckets: 0\n",
		  "r.yaml:3:10: buckets: expected a whole number "
		  "between 1 and 1024" },
		{ MINIMAL "buckets: 1025\n", "r.yaml:3:10: buckets: expected a whole "
					     "number between 1 and 1024" },
		{ MINIMAL "buckets: 2\nshards: 3\n",
		  "r.yaml:4:9: shards is 3: expected at most the 2 buckets" },
		{ MINIMAL "key: name\n", "r.yaml:3:6: key: " KEY_EXPECTED },
		{ MINIMAL "key: [name, namespace]\n",
		  "r.yaml:3:6: key: " KEY_EXPECTED },
		{ MINIMAL "key: []\n", "r.yaml:3:6: key: " KEY_EXPECTED },
		{ MINIMAL "key: [namespace, name, uid]\n",
		  "r.yaml:3:6: key: " KEY_EXPECTED },
		{ MINIMAL "key: [label:a b]\n",
		  "r.yaml:3:7: key: " LABEL_KEY_EXPECTED },
		{ MINIMAL "key: 'label:'\n", "r.yaml:3:6: key: " LABEL_KEY_EXPECTED },
		{ MINIMAL "key: [label:a, label:b]\n",
		  "r.yaml:3:6: key: " KEY_EXPECTED },
		{ MINIMAL "locks: a\n",
		  "r.yaml:3:8: locks: expected a list, found text" },
		{ MINIMAL "locks: [{name: a, nam: b}]\n",
		  "r.yaml:3:19: unknown key 'nam'; did you mean 'name'?" },
		{ MINIMAL "locks: [{namespace: a}]\n",
		  "r.yaml:3:9: 'name' is missing: expected the name of a Lease" },
		{ MINIMAL "locks: [{name: A}]\n",
		  "r.yaml:3:16: name: expected the name of a Lease, at most 189 "
		  "characters" },
		{ MINIMAL "locks: [{name: a, namespace: A.b}]\n",
		  "r.yaml:3:30: namespace: expected a DNS label: lower case letters, "
		  "digits, and '-' in between, at most 63" },
		{ MINIMAL "locks: [{name: a}, {name: a, namespace: b},"
			  " {name: a}]\n",
		  "r.yaml:3:52: locks: 'a' stands there twice" },
		{ "ring: foos\nlocks: [{name: a}]\nresources:\n"
		  "  - {group: coordination.k8s.io, resource: leases}\n",
		  "r.yaml:4:44: leases of coordination.k8s.io cannot be a resource "
		  "of a ring that has locks" },
		{ MINIMAL "namespaces: a\n",
		  "r.yaml:3:13: namespaces: expected a list, found text" },
		{ MINIMAL "namespaces: [a, B]\n",
		  "r.yaml:3:17: namespaces: expected a DNS label: lower case letters, "
		  "digits, and '-' in between, at most 63" },
		{ MINIMAL "namespaces: [a, b, a]\n",
		  "r.yaml:3:20: namespaces: 'a' already stands at 3:14" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

#define RESOURCE_EXPECTED \
	"resource: expected a plural in lower case, as `kubectl api-resources` shows it"

START_TEST(resources_that_make_no_sense_are_refused)
{
	static const struct refusal cases[] = {
		{ "ring: foos\n",
		  "r.yaml:1:1: 'resources' is missing: expected a list of resources" },
		{ "ring: foos\nresources: []\n",
		  "r.yaml:2:12: resources: expected at least one resource" },
		{ "ring: foos\nresources: {resource: foos}\n",
		  "r.yaml:2:12: resources: expected a list, found a mapping" },
		{ "ring: foos\nresources: [foos]\n",
		  "r.yaml:2:13: expected a mapping, found text" },
		{ "ring: foos\nresources:\n  - group: apps\n",
		  "r.yaml:3:5: 'resource' is missing: expected a plural in lower "
		  "case" },
		{ "ring: foos\nresources: [{resource: Foo}]\n",
		  "r.yaml:2:24: " RESOURCE_EXPECTED },
		{ "ring: foos\nresources: [{resource: foos/status}]\n",
		  "r.yaml:2:24: " RESOURCE_EXPECTED
		  "; subresources belong to their resource" },
		{ "ring: foos\nresources: [{resource: foos.example.com}]\n",
		  "r.yaml:2:24: " RESOURCE_EXPECTED
		  "; the group has its own key, 'group'" },
		{ "ring: foos\nresources: [{resource: foos, group: apps/v1}]\n",
		  "r.yaml:2:37: group: expected a group without version; all versions "
		  "of a resource are one" },
		{ "ring: foos\nresources: [{resource: foos, group: Apps}]\n",
		  "r.yaml:2:37: group: expected a DNS subdomain such as apps or "
		  "example.com, or \"\" for the core group" },
		{ "ring: foos\nresources: [{resource: foos, by: owner}]\n",
		  "r.yaml:2:30: by: only for resources that stand under owns" },
		{ "ring: foos\nresources: [{resource: foos, unowned: hidden}]\n",
		  "r.yaml:2:30: unowned: only for resources that stand under owns" },
		{ "ring: foos\nresources: [{resource: a, owns: [{resource: b, by: "
		  "label:/x}]}]\n",
		  "r.yaml:2:52: by: " LABEL_KEY_EXPECTED },
		{ "ring: foos\nresources: [{resource: a, owns: [{resource: b, by: "
		  "annotation:bucket.ringside.dev/x}]}]\n",
		  "r.yaml:2:52: by: " LABEL_KEY_EXPECTED },
		{ "ring: foos\nresources: [{resource: a, owns: [{resource: b, by: "
		  "labels:x}]}]\n",
		  "r.yaml:2:52: by: expected owner, label:<key> or annotation:<key>" },
		{ "ring: foos\nresources: [{resource: a, owns: [{resource: b, by: "
		  "name}]}]\n",
		  "r.yaml:2:52: by: expected owner, label:<key> or annotation:<key>" },
		{ "ring: foos\nresources: [{resource: a, owns: [{resource: b, unowned: "
		  "no}]}]\n",
		  "r.yaml:2:57: unowned: expected visible or hidden" },
		{ "ring: foos\nresources: [{resource: a, refuse: no}]\n",
		  "r.yaml:2:35: refuse: expected conflict or notFound" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
}
END_TEST

START_TEST(a_resource_listed_twice_is_shown_at_both_places)
{
	static const struct refusal cases[] = {
		{ "ring: foos\n"
		  "resources:\n"
		  "  - resource: pods\n"
		  "  - resource: pods\n",
		  "r.yaml:4:15: resource 'pods' of group '' already stands at 3:15" },
		{ "ring: foos\n"
		  "resources:\n"
		  "  - owns: [{resource: deployments, group: apps}]\n"
		  "    group: apps\n"
		  "    resource: deployments\n",
		  "r.yaml:3:23: resource 'deployments' of group 'apps' already stands "
		  "at 5:15" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
	load_whole("ring: foos\n"
		   "resources: [{resource: events}, {resource: events, group: "
		   "events.k8s.io}]\n");
	unload();
}
END_TEST

START_TEST(there_are_at_most_32_resources)
{
	char text[8192];
	int n = snprintf(text, sizeof(text), "ring: foos\nresources:\n");

	for (int i = 0; i < SPEC_RESOURCES_MAX; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " - resource: r%d\n",
			      i);
	load_whole(text);
	ck_assert_int_eq(config->spec.resources_n, SPEC_RESOURCES_MAX);
	snprintf(text + n, sizeof(text) - (size_t)n, " - resource: more\n");
	ck_assert_int_eq(load(text), -EINVAL);
	ck_assert_str_eq(err.text, "r.yaml:35:4: more than 32 resources");
}
END_TEST

START_TEST(resources_may_own_each_other_as_deep_as_there_are_resources)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	buf_append_text(&text, "ring: foos\nresources: ");
	for (int i = 0; i < SPEC_RESOURCES_MAX; i++)
		buf_printf(&text, "[{resource: r%d, owns: ", i);
	buf_append_text(&text, "[]");
	for (int i = 0; i < SPEC_RESOURCES_MAX; i++)
		buf_append_text(&text, "}]");
	buf_append(&text, slice_make("\n", 2));
	load_whole(text.data);
	ck_assert_int_eq(config->spec.resources_n, SPEC_RESOURCES_MAX);
	ck_assert_int_eq(config->spec.resources[31].owner, 30);
	buf_finish(&text);
	unload();
}
END_TEST

START_TEST(overrides_are_laid_over_the_file_and_the_last_wins)
{
	static const struct config_override overrides[] = {
		{ "shards", "4", "RINGSIDE_SHARDS" },
		{ "member", "foo-1", "RINGSIDE_MEMBER" },
		{ "shards", "5", "--shards" },
	};

	ck_assert_int_eq(load_over(MINIMAL "shards: 3\n", overrides, 3), 0);
	ck_assert_int_eq(config->member.shards, 5);
	ck_assert_str_eq(config->member.id, "foo-1");
	unload();
}
END_TEST

START_TEST(overrides_are_refused_by_their_source)
{
	static const struct {
		struct config_override override;
		const char *message;
	} cases[] = {
		{ { "shards", "x", "--shards" },
		  "--shards: expected a whole number between 1 and 128, got 'x'" },
		{ { "shard", "1", "--shard" }, "--shard: there is no option 'shard'" },
		{ { "member", "A.b", "RINGSIDE_MEMBER" },
		  "RINGSIDE_MEMBER: member: expected a DNS label: lower case letters, "
		  "digits, and '-' in between, at most 63" },
		{ { "lease.renew", "6s", "--lease-renew" },
		  "--lease-renew: lease.renew is 6s: expected at most a third of "
		  "lease.duration, which is 15s" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(load_over(MINIMAL, &cases[i].override, 1), -EINVAL);
		ck_assert_str_eq(err.text, cases[i].message);
	}
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
	struct config *none = NULL;

	ck_assert_int_eq(config_load(&none, "/no/such.yaml", NULL, 0, &err), -ENOENT);
	ck_assert_str_eq(err.text,
			 "/no/such.yaml: cannot be opened: No such file or directory");
	ck_assert_int_eq(config_load(&none, "/dev/zero", NULL, 0, &err), -EFBIG);
	ck_assert_ptr_null(none);
}
END_TEST

START_TEST(config_load_survives_any_damage)
{
	static const char text[] =
		"ring: foos\nkey: [name]\nnamespaces: [a]\nshards: 3\n"
		"resources: [{resource: a, owns: [{resource: b, by: owner}]}]\n"
		"lease: {renew: 4s}\nlisten: {http: \"[::1]:8001\"}\n";
	static const char bytes[] = "\0\n\t :,[]{}\"'#&*!|>%@`-?.~x0\x7f\x80\xff";
	char damaged[sizeof(text)];

	for (size_t at = 0; at < sizeof(text) - 1; at++)
		for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
			memcpy(damaged, text, sizeof(text));
			damaged[at] = bytes[i];
			load(damaged);
		}
	unload();
}
END_TEST

UNIT_MAIN("config/load", config_load_needs_a_ring_and_a_resource_only,
	  config_load_sets_options_by_their_path, config_load_loads_the_ring,
	  config_load_knows_labels_that_place_and_that_name_owners,
	  config_load_loads_resources_of_any_depth,
	  unknown_keys_are_refused_with_what_was_probably_meant,
	  values_are_refused_with_what_was_expected,
	  a_ring_that_makes_no_sense_is_refused,
	  resources_that_make_no_sense_are_refused,
	  a_resource_listed_twice_is_shown_at_both_places,
	  there_are_at_most_32_resources,
	  resources_may_own_each_other_as_deep_as_there_are_resources,
	  overrides_are_laid_over_the_file_and_the_last_wins,
	  overrides_are_refused_by_their_source, a_file_that_cannot_be_read_is_named,
	  config_load_survives_any_damage)
