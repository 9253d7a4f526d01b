#include "proxy/net/admin.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <h2o.h>
#include <h2o/http1.h>

#include "proxy/net/listen.h"

#define CONNECTIONS_MAX 64
#define REQUEST_BYTES_MAX 4096
#define ANSWER_BYTES_MAX (8 << 20)
#define TIMEOUT_MS 10000
/* How long to leave the listener alone when descriptors have run out. */
#define PAUSE_MS 200
#define TURNS_MAX 100

struct admin {
	struct admin_env env;
	h2o_globalconf_t config;
	h2o_context_t context;
	h2o_accept_ctx_t accept;
	h2o_socket_t *listener;
	struct loop_timer resume;
	struct list connections;
	size_t connections_n;
};

struct handler {
	h2o_handler_t super;
	struct admin *admin;
};

struct connection {
	struct admin *admin;
	h2o_socket_t *socket;
	struct list node;
};

/* --- answers --- */

struct answer {
	int status;
	const char *reason;
	const char *type;
};

#define TEXT "text/plain; charset=utf-8"

static const struct answer ok = { 200, "OK", TEXT };

static void send_answer(h2o_req_t *req, const struct answer *answer, struct slice body)
{
	req->res.status = answer->status;
	req->res.reason = answer->reason;
	req->res.content_length = body.len;
	h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, NULL,
		       answer->type, strlen(answer->type));
	/* Probes come seldom: nothing is gained by idle connections. */
	req->http1_is_persistent = 0;
	h2o_send_inline(req, body.data, body.len);
}

/* Sends what write has written, or why there is nothing. */
static void send_written(h2o_req_t *req, int rc, struct buf *written, const char *type)
{
	static const struct answer failed = { 500, "Internal Server Error", TEXT };
	struct answer answer = { 200, "OK", type };

	if (rc == 0)
		send_answer(req, &answer, buf_slice(written));
	else
		send_answer(req, &failed, slice_of("cannot be written\n"));
	buf_finish(written);
}

static void on_healthz(struct admin *admin, h2o_req_t *req)
{
	(void)admin;
	send_answer(req, &ok, slice_of("ok"));
}

static void on_readyz(struct admin *admin, h2o_req_t *req)
{
	static const struct answer not_ready = { 503, "Service Unavailable", TEXT };
	const char *reason = "not ready";

	if (admin->env.is_ready(admin->env.arg, &reason))
		send_answer(req, &ok, slice_of("ok"));
	else
		send_answer(req, &not_ready, slice_of(reason));
}

static void on_metrics(struct admin *admin, h2o_req_t *req)
{
	struct buf page;
	int rc;

	buf_init(&page, ANSWER_BYTES_MAX);
	rc = metrics_print(admin->env.metrics, &page);
	send_written(req, rc, &page, "text/plain; version=0.0.4; charset=utf-8");
}

static void on_ring(struct admin *admin, h2o_req_t *req)
{
	struct buf page;
	int rc;

	buf_init(&page, ANSWER_BYTES_MAX);
	rc = admin->env.write_ring(admin->env.arg, &page);
	send_written(req, rc, &page, "application/json");
}

static const struct {
	const char *path;
	void (*answer)(struct admin *admin, h2o_req_t *req);
} routes[] = {
	{ "/healthz", on_healthz },
	{ "/readyz", on_readyz },
	{ "/metrics", on_metrics },
	{ "/ring", on_ring },
};

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
	static const struct answer not_found = { 404, "Not Found", TEXT };
	static const struct answer not_allowed = { 405, "Method Not Allowed", TEXT };
	struct admin *admin =
		H2O_STRUCT_FROM_MEMBER(struct handler, super, self)->admin;
	struct slice path =
		slice_make(req->path_normalized.base, req->path_normalized.len);

	if (!slice_is(slice_make(req->method.base, req->method.len), "GET")) {
		h2o_add_header_by_str(&req->pool, &req->res.headers,
				      H2O_STRLIT("allow"), 0, NULL, H2O_STRLIT("GET"));
		send_answer(req, &not_allowed, slice_of("only GET\n"));
		return 0;
	}
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (slice_is(path, routes[i].path)) {
			routes[i].answer(admin, req);
			return 0;
		}
	}
	send_answer(req, &not_found, slice_of("/healthz /readyz /metrics /ring\n"));
	return 0;
}

/* --- connections --- */

static void on_close(void *arg)
{
	struct connection *connection = arg;

	list_remove(&connection->node);
	connection->admin->connections_n--;
	free(connection);
}

static void connection_open(struct admin *admin, h2o_socket_t *socket)
{
	struct connection *connection = malloc(sizeof(*connection));
	struct timeval now = *h2o_get_timestamp(&admin->context, NULL, NULL);

	if (connection == NULL)
		abort();
	*connection = (struct connection){ .admin = admin, .socket = socket };
	list_init(&connection->node);
	list_add(&admin->connections, &connection->node);
	admin->connections_n++;
	socket->on_close.cb = on_close;
	socket->on_close.data = connection;
	h2o_http1_accept(&admin->accept, socket, now);
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
	struct admin *admin = listener->data;
	h2o_socket_t *socket;

	if (err != NULL)
		return;
	errno = 0;
	while ((socket = h2o_evloop_socket_accept(listener)) != NULL) {
		if (admin->connections_n < CONNECTIONS_MAX)
			connection_open(admin, socket);
		else
			h2o_socket_close(socket);
		errno = 0;
	}
	/* Without descriptors the listener would be ready for ever. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		h2o_socket_read_stop(listener);
		loop_timer_start(admin->env.loop, &admin->resume, PAUSE_MS);
	}
}

static void on_resume(void *arg)
{
	struct admin *admin = arg;

	h2o_socket_read_start(admin->listener, on_accept);
}

/* --- life --- */

static void configure(struct admin *admin)
{
	h2o_hostconf_t *host;
	struct handler *handler;

	h2o_config_init(&admin->config);
	admin->config.server_name = h2o_iovec_init(NULL, 0);
	admin->config.max_request_entity_size = REQUEST_BYTES_MAX;
	admin->config.http1.req_timeout = TIMEOUT_MS;
	admin->config.http1.upgrade_to_http2 = 0;
	host = h2o_config_register_host(&admin->config,
					h2o_iovec_init(H2O_STRLIT("default")), 65535);
	handler = (struct handler *)h2o_create_handler(
		h2o_config_register_path(host, "/", 0), sizeof(*handler));
	handler->super.on_req = on_request;
	handler->admin = admin;
	h2o_context_init(&admin->context, loop_h2o(admin->env.loop), &admin->config);
	admin->accept.ctx = &admin->context;
	admin->accept.hosts = admin->config.hosts;
}

int admin_create(struct admin **out, const struct admin_env *env, const char *address,
		 struct err *err)
{
	int fd = listen_on(address, err);
	struct admin *admin;

	if (fd < 0)
		return fd;
	admin = calloc(1, sizeof(*admin));
	if (admin == NULL)
		abort();
	admin->env = *env;
	list_init(&admin->connections);
	loop_timer_init(&admin->resume, on_resume, admin);
	configure(admin);
	admin->listener = h2o_evloop_socket_create(loop_h2o(env->loop), fd,
						   H2O_SOCKET_FLAG_DONT_READ);
	admin->listener->data = admin;
	h2o_socket_read_start(admin->listener, on_accept);
	*out = admin;
	return 0;
}

void admin_destroy(struct admin *admin)
{
	if (admin == NULL)
		return;
	loop_timer_stop(&admin->resume);
	h2o_socket_close(admin->listener);
	/* h2o knows no "close": a connection ends by what its socket says. */
	LIST_EACH(node, &admin->connections)
		shutdown(h2o_socket_get_fd(
				 LIST_OWNER(node, struct connection, node)->socket),
			 SHUT_RDWR);
	for (int i = 0; i < TURNS_MAX && admin->connections_n > 0; i++)
		h2o_evloop_run(loop_h2o(admin->env.loop), 0);
	h2o_context_dispose(&admin->context);
	/* Trap: h2o 2.2.5 destroys the queue and keeps its memory. */
	free(admin->context.queue);
	h2o_config_dispose(&admin->config);
	free(admin);
}
