#include "proxy/proxy.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/kubeconfig.h"
#include "config/names.h"
#include "proxy/ending.h"
#include "proxy/handout.h"
#include "proxy/keepsake.h"
#include "proxy/net/admin.h"
#include "proxy/net/checkup.h"
#include "proxy/report.h"
#include "proxy/session/farewell.h"
#include "proxy/session/move.h"
#include "proxy/session/session.h"

/* How often the file is looked at: a ConfigMap volume swaps a symlink. */
#define FILE_CHECK_MS 500

struct proxy {
	struct config *config;
	const struct overrides *overrides;
	struct cluster cluster;
	struct member_conf member; /* config's, with id and namespace resolved */
	struct metrics *metrics;
	struct loop *loop;
	struct upstream *upstream;
	struct api api;
	struct catalog *catalog;
	struct locator *locator;
	struct ring_holder ring;
	struct sessions *sessions;
	struct membership *membership;
	struct server server;
	struct listener *listener;
	struct checkup *checkup;
	struct admin *admin;
	struct handout handout;
	struct loop_timer file_timer;
	struct stat file_seen;
	struct ending ending;
};

static const struct filter *const chain[] = { &filter_election, &filter_narrow,
					      &filter_label, &filter_fence, NULL };

/* --- who we are --- */

static void resolve_id(struct proxy *proxy)
{
	char host[256] = "";
	const char *pod = getenv("POD_NAME");

	if (proxy->member.id[0] != '\0')
		return;
	if (pod == NULL || pod[0] == '\0') {
		(void)gethostname(host, sizeof(host) - 1);
		host[strcspn(host, ".")] = '\0';
		pod = host;
	}
	proxy->member.id = arena_text(proxy->config->arena, slice_of(pod));
}

static int resolve_identity(struct proxy *proxy, struct err *err)
{
	const char *namespace = proxy->cluster.namespace;

	proxy->member = proxy->config->member;
	resolve_id(proxy);
	if (!is_dns_label(slice_of(proxy->member.id)))
		return err_set(err, -EINVAL, "member '%s': expected %s",
			       proxy->member.id, DNS_LABEL_RULE);
	if (proxy->member.namespace[0] == '\0')
		proxy->member.namespace = namespace != NULL && namespace[0] != '\0'
						  ? namespace
						  : "default";
	ring_spec_set_member(&proxy->config->spec, proxy->config->arena,
			     slice_of(proxy->member.namespace),
			     slice_of(proxy->member.id));
	return 0;
}

static int find_cluster(struct proxy *proxy, struct err *err)
{
	const struct net_conf *net = &proxy->config->net;

	if (net->kubeconfig[0] != '\0')
		return kubeconfig_load(&proxy->cluster, proxy->config->arena,
				       net->kubeconfig, net->context, err);
	return kubeconfig_in_cluster(&proxy->cluster, proxy->config->arena, err);
}

/* --- the parts tell each other --- */

static void on_ring(void *arg)
{
	struct proxy *proxy = arg;

	sessions_on_ring(proxy->sessions);
	server_on_ring(&proxy->server);
}

static void on_session_step(void *arg)
{
	struct proxy *proxy = arg;

	if (proxy->membership != NULL)
		membership_on_views(proxy->membership);
}

static bool views_follow(void *arg, enum resource_role role)
{
	struct proxy *proxy = arg;

	return sessions_follow(proxy->sessions, role);
}

static bool had_former(void *arg)
{
	struct proxy *proxy = arg;

	return membership_had_former(proxy->membership);
}

static bool views_lack(void *arg)
{
	struct proxy *proxy = arg;

	return sessions_lack(proxy->sessions, RESOURCE_OWNED);
}

static void reset_writes(void *arg, const struct bucket_set *buckets)
{
	struct proxy *proxy = arg;

	server_reset_writes(&proxy->server, buckets);
}

static void on_catalog(void *arg)
{
	struct proxy *proxy = arg;

	if (proxy->membership != NULL)
		membership_on_catalog(proxy->membership);
}

static void on_readmit(void *arg)
{
	struct proxy *proxy = arg;

	server_readmit(&proxy->server);
}

static void write_barrier(void *arg, void (*done)(void *arg, uint64_t version),
			  void *done_arg)
{
	struct proxy *proxy = arg;

	membership_write_barrier(proxy->membership, done, done_arg);
}

static bool is_ready(void *arg, const char **reason)
{
	struct proxy *proxy = arg;
	const struct ring *ring = proxy->ring.current;
	struct sessions_resource_report resources[SPEC_RESOURCES_MAX];
	int n = sessions_report(proxy->sessions, resources);

	*reason = ring->reason != NULL ? ring->reason : ring_state_name(ring->state);
	if (!ring_is_ready(ring))
		return false;
	*reason = "the files for the controller are not written";
	if (!proxy->handout.is_done)
		return false;
	*reason = "a view is being made";
	for (int i = 0; i < n; i++)
		if (strcmp(resources[i].state, "serving") != 0)
			return false;
	return true;
}

static int write_ring(void *arg, struct buf *out)
{
	struct proxy *proxy = arg;
	struct report report = {
		.spec = &proxy->config->spec,
		.ring = proxy->ring.current,
		.member = &proxy->member,
		.membership = proxy->membership,
		.sessions = proxy->sessions,
		.now_ms = loop_now_ms(proxy->loop),
	};

	return report_write(&report, out);
}

/* --- reading the file again --- */

static void reload(struct proxy *proxy)
{
	struct config *next;
	struct err err;

	if (config_load(&next, proxy->config->file, proxy->overrides->items,
			proxy->overrides->n, &err) != 0) {
		log_error("config", "not reloaded, the former values stay",
			  log_text("reason", err.text));
		return;
	}
	if (config_can_reload(proxy->config, next, &err) != 0) {
		log_error("config", "not reloaded, this needs a restart",
			  log_text("reason", err.text));
		config_destroy(next);
		return;
	}
	/* What may change is numbers; texts keep pointing into the first file. */
	next->member.id = proxy->member.id;
	next->member.namespace = proxy->member.namespace;
	next->member.lock_file = proxy->member.lock_file;
	proxy->member = next->member;
	proxy->server.conf.hold_ms = next->net.hold_ms;
	proxy->server.conf.drain_ms = next->net.drain_ms;
	log_open(STDERR_FILENO, (enum log_level)next->conf.log_level);
	sessions_reload(proxy->sessions, &next->session);
	membership_reload(proxy->membership, &proxy->member);
	checkup_reload(proxy->checkup, proxy->member.controller_silence_ms);
	log_info("config", "reloaded", log_int("shards", next->member.shards),
		 log_int("generation", next->member.generation));
	config_destroy(next);
}

static bool file_changed(struct proxy *proxy)
{
	struct stat now;
	const struct stat *seen = &proxy->file_seen;
	bool is_changed;

	/* Between the two steps of a swap there may be no file. */
	if (stat(proxy->config->file, &now) != 0)
		return false;
	is_changed = now.st_ino != seen->st_ino || now.st_size != seen->st_size ||
		     now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
		     now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
	proxy->file_seen = now;
	return is_changed;
}

static void on_file_timer(void *arg)
{
	struct proxy *proxy = arg;

	if (file_changed(proxy))
		reload(proxy);
	loop_timer_start(proxy->loop, &proxy->file_timer, FILE_CHECK_MS);
}

static void on_signal(void *arg, int signal)
{
	struct proxy *proxy = arg;

	if (signal == SIGHUP)
		reload(proxy);
	else
		ending_begin(&proxy->ending, signal);
}

/* --- building --- */

static void build_ring(struct proxy *proxy)
{
	struct config *config = proxy->config;
	struct sessions_env sessions = {
		.loop = proxy->loop,
		.api = &proxy->api,
		.spec = &config->spec,
		.catalog = proxy->catalog,
		.ring = &proxy->ring,
		.conf = &config->session,
		.write_barrier = write_barrier,
		.barrier_arg = proxy,
		.had_former = had_former,
		.former_arg = proxy,
		.on_step = on_session_step,
		.step_arg = proxy,
		.readmit = on_readmit,
		.readmit_arg = proxy,
	};
	struct membership_env membership = {
		.loop = proxy->loop,
		.api = &proxy->api,
		.spec = &config->spec,
		.catalog = proxy->catalog,
		.locator = proxy->locator,
		.conf = &proxy->member,
		.namespaces = config->namespaces,
		.ring = &proxy->ring,
		.metrics = proxy->metrics,
		.views = { .follow = views_follow,
			   .lack = views_lack,
			   .reset_writes = reset_writes,
			   .arg = proxy },
	};

	proxy->sessions = sessions_create(&sessions);
	keepsake_take(proxy->member.lock_file, proxy->sessions);
	metrics_add(proxy->metrics, sessions_metrics, sessions_values(proxy->sessions),
		    SESSIONS_METRICS_N);
	metrics_add(proxy->metrics, farewells_metrics,
		    sessions_farewells(proxy->sessions), FAREWELLS_METRICS_N);
	metrics_add(proxy->metrics, moves_metrics, sessions_moves(proxy->sessions),
		    MOVES_METRICS_N);
	proxy->ring.on_change = on_ring;
	proxy->ring.arg = proxy;
	proxy->membership = membership_create(&membership);
}

static void build_server(struct proxy *proxy)
{
	struct server *server = &proxy->server;

	server->loop = proxy->loop;
	server->upstream = proxy->upstream;
	server->cluster = &proxy->cluster;
	server->spec = &proxy->config->spec;
	server->ring = &proxy->ring;
	server->locator = proxy->locator;
	server->api = &proxy->api;
	server->catalog = proxy->catalog;
	server->chain = chain;
	server->relay = sessions_relay(proxy->sessions);
	server->conf = proxy->config->net;
	server_init(server);
	metrics_add(proxy->metrics, server_metrics, server->values, SERVER_METRICS_N);
	metrics_on_print(proxy->metrics, server_refresh, server);
}

static int build_listeners(struct proxy *proxy, struct err *err)
{
	struct admin_env admin = {
		.loop = proxy->loop,
		.metrics = proxy->metrics,
		.is_ready = is_ready,
		.write_ring = write_ring,
		.arg = proxy,
	};
	char *ca_pem = NULL;
	int rc = listener_create(&proxy->listener, &proxy->server, &ca_pem, err);

	if (rc != 0)
		return rc;
	metrics_on_print(proxy->metrics, listener_refresh, proxy->listener);
	proxy->ending = (struct ending){ .loop = proxy->loop,
					 .server = &proxy->server,
					 .listener = proxy->listener,
					 .membership = proxy->membership,
					 .sessions = proxy->sessions,
					 .conf = &proxy->member };
	ending_init(&proxy->ending);
	handout_start(&proxy->handout, proxy->loop, &proxy->config->net,
		      &proxy->cluster, ca_pem);
	if (proxy->config->net.health[0] != '\0')
		rc = checkup_create(&proxy->checkup, proxy->loop, &proxy->ring.vitals,
				    proxy->config->net.health, err);
	if (rc != 0)
		return rc;
	checkup_reload(proxy->checkup, proxy->member.controller_silence_ms);
	if (strcmp(proxy->config->net.admin, "off") != 0)
		rc = admin_create(&proxy->admin, &admin, proxy->config->net.admin, err);
	return rc;
}

static int build(struct proxy *proxy, struct err *err)
{
	struct config *config = proxy->config;
	int rc = find_cluster(proxy, err);

	if (rc == 0)
		rc = resolve_identity(proxy, err);
	if (rc == 0)
		rc = upstream_curl_create(&proxy->upstream, proxy->loop,
					  &proxy->cluster,
					  config->net.connect_timeout_ms, err);
	if (rc != 0)
		return rc;
	proxy->api = (struct api){
		.loop = proxy->loop,
		.upstream = proxy->upstream,
		.user_agent = arena_printf(config->arena, "ringside/%s (%s)",
					   RINGSIDE_VERSION, proxy->member.id),
	};
	proxy->catalog = catalog_create(&proxy->api, &config->spec, on_catalog, proxy);
	proxy->locator = locator_create(&proxy->api, proxy->catalog, &config->spec);
	metrics_add(proxy->metrics, locator_metrics, locator_values(proxy->locator),
		    LOCATOR_METRICS_N);
	build_ring(proxy);
	build_server(proxy);
	return build_listeners(proxy, err);
}

int proxy_create(struct proxy **out, struct config *config,
		 const struct overrides *overrides, struct err *err)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	int rc;

	if (proxy == NULL)
		abort();
	proxy->config = config;
	proxy->overrides = overrides;
	proxy->metrics = metrics_create();
	proxy->loop = loop_create();
	ring_holder_init(&proxy->ring, &config->spec);
	loop_on_signal(proxy->loop, on_signal, proxy);
	loop_timer_init(&proxy->file_timer, on_file_timer, proxy);
	rc = build(proxy, err);
	if (rc != 0) {
		proxy_destroy(proxy);
		return rc;
	}
	(void)file_changed(proxy);
	loop_timer_start(proxy->loop, &proxy->file_timer, FILE_CHECK_MS);
	log_info("proxy", "listening", log_slice("ring", config->spec.ring),
		 log_text("member", proxy->member.id),
		 log_text("https", config->net.https),
		 log_text("http", config->net.http),
		 log_text("admin", config->net.admin),
		 log_text("upstream", proxy->cluster.server));
	*out = proxy;
	return 0;
}

void proxy_run(struct proxy *proxy)
{
	loop_run(proxy->loop);
}

void proxy_destroy(struct proxy *proxy)
{
	handout_finish(&proxy->handout);
	loop_timer_stop(&proxy->file_timer);
	ending_finish(&proxy->ending);
	proxy->ring.on_change = NULL;
	if (proxy->admin != NULL)
		admin_destroy(proxy->admin);
	checkup_destroy(proxy->checkup);
	if (proxy->listener != NULL)
		listener_destroy(proxy->listener);
	if (proxy->membership != NULL) {
		membership_destroy(proxy->membership);
		server_finish(&proxy->server);
		sessions_destroy(proxy->sessions);
		locator_destroy(proxy->locator);
		catalog_destroy(proxy->catalog);
	}
	if (proxy->upstream != NULL)
		upstream_destroy(proxy->upstream);
	ring_holder_finish(&proxy->ring);
	loop_destroy(proxy->loop);
	metrics_destroy(proxy->metrics);
	config_destroy(proxy->config);
	free(proxy);
}
