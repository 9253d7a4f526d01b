#include "config/check.h"

#include "config/tables.h"
#include "tests/unit/config/loading.h"

START_TEST(times_of_the_lease_must_fit_each_other)
{
	static const struct refusal cases[] = {
		{ MINIMAL "lease:\n  renew: 5001ms\n",
		  "r.yaml:4:10: lease.renew is 5s1ms: expected at most a third of "
		  "lease.duration, which is 15s" },
		{ MINIMAL "lease:\n  duration: 12s\n",
		  "r.yaml:4:13: lease.renew is 5s: expected at most a third of "
		  "lease.duration, which is 12s" },
		{ MINIMAL "lease:\n  margin: 5s\n",
		  "r.yaml:4:11: lease.margin is 5s: expected less than lease.duration "
		  "without two lease.renew, which is 5s; otherwise one lost renewal "
		  "would stop the member's writes" },
		{ MINIMAL "lease: {duration: 6s, renew: 2s}\n",
		  "r.yaml:3:19: lease.margin is 3s: expected less than lease.duration "
		  "without two lease.renew, which is 2s; otherwise one lost renewal "
		  "would stop the member's writes" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
	load_whole(MINIMAL "lease: {renew: 5s, margin: 4999ms}\n");
	load_whole(MINIMAL "lease: {duration: 2s, renew: 500ms, margin: 500ms}\n");
	unload();
}
END_TEST

START_TEST(a_certificate_needs_its_key)
{
	static const struct refusal cases[] = {
		{ MINIMAL "tls:\n  certificate: a.pem\n",
		  "r.yaml:4:16: tls.certificate and tls.key belong together: expected "
		  "both or none" },
		{ MINIMAL "tls:\n  key: a.pem\n",
		  "r.yaml:4:8: tls.certificate and tls.key belong together: expected "
		  "both or none" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
	load_whole(MINIMAL "tls: {certificate: a.pem, key: b.pem}\n");
	unload();
}
END_TEST

START_TEST(the_controller_has_a_way_in)
{
	static const struct refusal cases[] = {
		{ MINIMAL "listen: {https: off}\n",
		  "r.yaml:3:17: listen.https and listen.http are both off: the "
		  "controller needs one of them" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
	load_whole(MINIMAL "listen: {https: off, http: 127.0.0.1:8001}\n");
	load_whole(MINIMAL "listen: {admin: off}\n");
	unload();
}
END_TEST

START_TEST(only_loopback_addresses_serve_the_controller)
{
	static const struct {
		const char *address;
		bool is_loopback;
	} cases[] = {
		{ "127.0.0.1:7443", true }, { "127.255.0.1:0", true },
		{ "[::1]:7443", true },     { "localhost:7443", true },
		{ "0.0.0.0:7443", false },  { "10.0.0.1:7443", false },
		{ "128.0.0.1:1", false },   { "[::]:7443", false },
		{ "[fe80::1]:1", false },   { "127.0.0.1.nip.io:1", false },
		{ "example.com:1", false }, { "localhost.example.com:1", false },
	};
	static const char *const options[] = { "listen.https", "listen.http" };

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_override override = { options[i % 2],
						    cases[i / 2].address, "--here" };
		char message[sizeof(err.text)];
		int rc = load_over(MINIMAL, &override, 1);

		ck_assert_msg((rc == 0) == cases[i / 2].is_loopback, "%s gives %s",
			      override.value, err.text);
		snprintf(message, sizeof(message),
			 "--here: %s: expected a loopback address such as "
			 "127.0.0.1:7443: ",
			 override.option);
		if (rc < 0)
			ck_assert_ptr_eq(strstr(err.text, message), err.text);
	}
	load_whole(MINIMAL "listen: {admin: 0.0.0.0:7444}\n");
	unload();
}
END_TEST

START_TEST(the_controllers_health_is_asked_beside_the_proxy)
{
	static const char message[] =
		"r.yaml:3:22: controller.health: expected an http or https URL on a "
		"loopback address, with its port, such as "
		"http://127.0.0.1:8081/healthz: the controller is beside the proxy";
	static const struct refusal cases[] = {
		{ MINIMAL "controller: {health: http://10.0.0.1:8081/healthz}\n",
		  message },
		{ MINIMAL "controller: {health: 'http://127.0.0.1/healthz'}\n",
		  message },
		{ MINIMAL "controller: {health: https://example.com:443/}\n", message },
		{ MINIMAL "controller: {health: 127.0.0.1:8081}\n", message },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
	load_whole(MINIMAL "controller: {health: http://127.0.0.1:8081/healthz}\n");
	load_whole(MINIMAL "controller: {health: 'https://[::1]:10257/livez?x=y'}\n");
	unload();
}
END_TEST

START_TEST(names_in_kubernetes_are_labels)
{
	static const struct refusal cases[] = {
		{ MINIMAL "member: foo.bar\n",
		  "r.yaml:3:9: member: expected a DNS label: lower case letters, "
		  "digits, and '-' in between, at most 63" },
		{ MINIMAL "namespace: Foo\n",
		  "r.yaml:3:12: namespace: expected a DNS label: lower case letters, "
		  "digits, and '-' in between, at most 63" },
	};

	check_refusals(cases, sizeof(cases) / sizeof(cases[0]));
	load_whole(MINIMAL "member: foo-7c9d-x\nnamespace: kube-system\n");
	unload();
}
END_TEST

UNIT_MAIN("config/check", times_of_the_lease_must_fit_each_other,
	  a_certificate_needs_its_key, the_controller_has_a_way_in,
	  only_loopback_addresses_serve_the_controller,
	  the_controllers_health_is_asked_beside_the_proxy,
	  names_in_kubernetes_are_labels)
