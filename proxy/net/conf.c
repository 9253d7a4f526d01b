#include "proxy/net/conf.h"

#define ROW(field) .offset = offsetof(struct net_conf, field)
#define SECOND 1000
#define MINUTE (60 * SECOND)

static const char *const credentials[] = { "client", "own", NULL };

const struct opt net_options[] = {
	{ .name = "listen.https",
	  .type = OPT_ADDRESS,
	  ROW(https),
	  .value = "127.0.0.1:7443",
	  .flag = "https",
	  .environment = "RINGSIDE_HTTPS",
	  .help = "Where the controller reaches the proxy by TLS "
		  "(HTTP/1.1 and HTTP/2)." },
	{ .name = "listen.http",
	  .type = OPT_ADDRESS,
	  ROW(http),
	  .value = "off",
	  .flag = "http",
	  .environment = "RINGSIDE_HTTP",
	  .help = "Where the controller reaches the proxy without TLS (HTTP/1.1)." },
	{ .name = "listen.admin",
	  .type = OPT_ADDRESS,
	  ROW(admin),
	  .value = "127.0.0.1:7444",
	  .flag = "admin",
	  .environment = "RINGSIDE_ADMIN",
	  .help = "Where /healthz, /readyz, /metrics and /ring are served." },
	{ .name = "tls.certificate",
	  .type = OPT_TEXT,
	  ROW(certificate),
	  .value = "",
	  .flag = "tls-certificate",
	  .environment = "RINGSIDE_TLS_CERTIFICATE",
	  .help = "PEM file with the serving certificate and its chain. Empty: one is "
		  "made at start." },
	{ .name = "tls.key",
	  .type = OPT_TEXT,
	  ROW(key),
	  .value = "",
	  .flag = "tls-key",
	  .environment = "RINGSIDE_TLS_KEY",
	  .help = "PEM file with the certificate's key." },
	{ .name = "tls.keep",
	  .type = OPT_TEXT,
	  ROW(kept),
	  .value = "",
	  .flag = "tls-keep",
	  .environment = "RINGSIDE_TLS_KEEP",
	  .help = "File that keeps the certificate made at start, with its key "
		  "and its CA, for the next start: a controller that trusts the CA "
		  "goes on when the proxy alone restarts. Empty: each start has a CA "
		  "of its own." },
	{ .name = "write.ca",
	  .type = OPT_TEXT,
	  ROW(ca_out),
	  .value = "",
	  .flag = "write-ca",
	  .environment = "RINGSIDE_WRITE_CA",
	  .help = "File to which the CA of the serving certificate is written. Empty: "
		  "not written." },
	{ .name = "write.kubeconfig",
	  .type = OPT_TEXT,
	  ROW(kubeconfig_out),
	  .value = "",
	  .flag = "write-kubeconfig",
	  .environment = "RINGSIDE_WRITE_KUBECONFIG",
	  .help = "File to which a kubeconfig for the controller is written: "
		  "this proxy, "
		  "its CA, the credentials of the upstream kubeconfig. Empty: not "
		  "written." },
	{ .name = "upstream.kubeconfig",
	  .type = OPT_TEXT,
	  ROW(kubeconfig),
	  .value = "",
	  .flag = "kubeconfig",
	  .environment = "KUBECONFIG",
	  .help = "Kubeconfig file of the API server. "
		  "Empty: the Pod's service account." },
	{ .name = "upstream.context",
	  .type = OPT_TEXT,
	  ROW(context),
	  .value = "",
	  .flag = "context",
	  .environment = "RINGSIDE_CONTEXT",
	  .help = "Context of the kubeconfig. Empty: its current-context." },
	{ .name = "upstream.credentials",
	  .type = OPT_CHOICE,
	  ROW(credentials),
	  .choices = credentials,
	  .value = "client",
	  .help = "Whose identity goes upstream: the client's Authorization unchanged, "
		  "or the member's own for every request (for kubeconfigs with client "
		  "certificates, which cannot pass a TLS proxy)." },
	{ .name = "upstream.connectTimeout",
	  .type = OPT_DURATION,
	  ROW(connect_timeout_ms),
	  .min = 100,
	  .max = 5 * MINUTE,
	  .value = "10s",
	  .help = "How long a connection to the API server may take." },
	{ .name = "hold",
	  .type = OPT_DURATION,
	  ROW(hold_ms),
	  .min = 0,
	  .max = 2 * MINUTE,
	  .value = "30s",
	  .reload = true,
	  .help = "How long a LIST or WATCH waits for the ring to be ready before "
		  "it is "
		  "answered 503 with Retry-After." },
	{ .name = "drain",
	  .type = OPT_DURATION,
	  ROW(drain_ms),
	  .min = 0,
	  .max = 10 * MINUTE,
	  .value = "10s",
	  .reload = true,
	  .help = "How long requests under way may take after SIGTERM." },
	{ .name = "limits.body",
	  .type = OPT_SIZE,
	  ROW(body_bytes),
	  .min = 65536,
	  .max = 64 << 20,
	  .value = "8Mi",
	  .help = "Largest request body; the API server itself takes about 3Mi." },
};

const size_t net_options_n = sizeof(net_options) / sizeof(net_options[0]);
