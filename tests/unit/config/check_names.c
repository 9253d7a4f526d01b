#include "config/names.h"

#include "tests/unit/unit.h"

#define LABEL_63 "a23456789012345678901234567890123456789012345678901234567890123"

_Static_assert(sizeof(LABEL_63) - 1 == 63, "the longest label");

START_TEST(names_are_judged_as_kubernetes_does)
{
	static const struct {
		const char *name;
		bool is_label, is_subdomain;
	} cases[] = {
		{ "foo", true, true },
		{ "a", true, true },
		{ "0", true, true },
		{ "foo-7c9d-x2", true, true },
		{ LABEL_63, true, true },
		{ LABEL_63 "4", false, false },
		{ "", false, false },
		{ "-foo", false, false },
		{ "foo-", false, false },
		{ "Foo", false, false },
		{ "foo_bar", false, false },
		{ "samplecontroller.k8s.io", false, true },
		{ "a.b", false, true },
		{ "a..b", false, false },
		{ ".a", false, false },
		{ "a.", false, false },
		{ "a.-b", false, false },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, false, false },
		{ LABEL_63 "." LABEL_63 "." LABEL_63, false, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice name = slice_of(cases[i].name);

		ck_assert_msg(is_dns_label(name) == cases[i].is_label, "%s",
			      cases[i].name);
		ck_assert_msg(is_dns_subdomain(name) == cases[i].is_subdomain, "%s",
			      cases[i].name);
	}
}
END_TEST

START_TEST(label_keys_are_judged_as_kubernetes_does)
{
	static const struct {
		const char *key;
		bool is_key;
	} cases[] = {
		{ "app", true },
		{ "App_1.x-y", true },
		{ "app.kubernetes.io/name", true },
		{ "io.javaoperatorsdk/primary-name", true },
		{ LABEL_63, true },
		{ "a/" LABEL_63, true },
		{ "", false },
		{ "/app", false },
		{ "a/", false },
		{ "a/b/c", false },
		{ "A.b/c", false },
		{ "-app", false },
		{ "app-", false },
		{ "a b", false },
		{ LABEL_63 "4", false },
		{ "bucket.ringside.dev/foos", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(is_label_key(slice_of(cases[i].key)) == cases[i].is_key,
			      "%s", cases[i].key);
}
END_TEST

UNIT_MAIN("config/names", names_are_judged_as_kubernetes_does,
	  label_keys_are_judged_as_kubernetes_does)
