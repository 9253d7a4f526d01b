#include <errno.h>

#include "config/kubeconfig.h"
#include "tests/unit/scratch.h"

static struct arena *arena;
static struct cluster cluster;
static struct err err;

/* In a scratch folder that is a service account's. */
static void begin(const char *host, const char *port)
{
	arena = arena_create();
	scratch_enter();
	scratch_write("token", "t");
	scratch_write("ca.crt", "c");
	scratch_write("namespace", "kube-system\n");
	setenv("KUBERNETES_SERVICE_HOST", host, 1);
	setenv("KUBERNETES_SERVICE_PORT", port, 1);
	setenv("RINGSIDE_SERVICEACCOUNT", scratch_folder, 1);
}

static void end(void)
{
	scratch_leave();
	arena_destroy(arena);
}

START_TEST(a_pod_knows_its_api_server)
{
	begin("10.96.0.1", "443");
	ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), 0);
	ck_assert_str_eq(cluster.server, "https://10.96.0.1:443");
	ck_assert_str_eq(cluster.token_file,
			 arena_printf(arena, "%s/token", scratch_folder));
	ck_assert_str_eq(cluster.ca_file,
			 arena_printf(arena, "%s/ca.crt", scratch_folder));
	ck_assert_str_eq(cluster.namespace, "kube-system");
	ck_assert_ptr_null(cluster.token);
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("RINGSIDE_SERVICEACCOUNT", ".", 1);
	ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), 0);
	ck_assert_str_eq(cluster.server, "https://[fd00::1]:443");
	ck_assert_str_eq(cluster.token_file,
			 arena_printf(arena, "%s/./token", scratch_folder));
	end();
}
END_TEST

START_TEST(a_namespace_that_is_no_name_is_none)
{
	static const char *const texts[] = { "", "a/b", "A\n", "../x" };

	begin("h", "443");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		scratch_write("namespace", texts[i]);
		ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), 0);
		ck_assert_ptr_null(cluster.namespace);
	}
	ck_assert_int_eq(unlink("namespace"), 0);
	ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), 0);
	ck_assert_ptr_null(cluster.namespace);
	end();
}
END_TEST

START_TEST(what_a_pod_lacks_is_named)
{
	const char *message;

	begin("h", "443");
	message = arena_printf(arena,
			       "%s/ca.crt: cannot be read: No such file or directory",
			       scratch_folder);
	ck_assert_int_eq(unlink("ca.crt"), 0);
	ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), -ENOENT);
	ck_assert_str_eq(err.text, message);
	setenv("KUBERNETES_SERVICE_PORT", "0", 1);
	ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, "KUBERNETES_SERVICE_PORT: expected a port");
	unsetenv("KUBERNETES_SERVICE_HOST");
	ck_assert_int_eq(kubeconfig_in_cluster(&cluster, arena, &err), -ENOENT);
	ck_assert_str_eq(err.text,
			 "this is no Pod (KUBERNETES_SERVICE_HOST and _PORT are not "
			 "set): expected a kubeconfig");
	end();
}
END_TEST

UNIT_MAIN("config/in_cluster", a_pod_knows_its_api_server,
	  a_namespace_that_is_no_name_is_none, what_a_pod_lacks_is_named)
