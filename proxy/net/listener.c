#include "proxy/net/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/http2.h>

#include "proxy/base/log.h"
#include "proxy/net/connections.h"
#include "proxy/net/listen.h"
#include "proxy/net/tls.h"

/* A controller's connections idle for minutes between requests. */
#define IDLE_TIMEOUT_MS (10 * 60 * 1000)
/* Turns of the loop in which h2o notices that its connections are closed. */
#define TURNS_MAX 100
/* How often connections are looked at, and how long we wait for a descriptor. */
#define LOOK_MS 500
/* The same while requests arrive: what they hold may grow fast. */
#define LOOK_CLOSELY_MS 50
#define NO_FDS_MS 100
/* What a header field costs besides its name and value. */
#define FIELD_BYTES 8

struct listening {
	struct listener *listener;
	h2o_socket_t *socket; /* NULL: off */
	h2o_accept_ctx_t accept;
};

struct handler {
	h2o_handler_t super;
	struct listener *listener;
};

struct listener {
	struct server *server;
	struct connections connections;
	struct loop_timer look;
	struct loop_timer no_fds;
	h2o_globalconf_t config;
	h2o_context_t context;
	SSL_CTX *ssl;
	struct listening https;
	struct listening http;
};

static size_t head_bytes(const h2o_req_t *req)
{
	size_t n = req->input.method.len + req->input.path.len +
		   req->input.authority.len;

	for (size_t i = 0; i < req->headers.size; i++)
		n += req->headers.entries[i].name->len +
		     req->headers.entries[i].value.len + FIELD_BYTES;
	return n;
}

static int on_request(h2o_handler_t *super, h2o_req_t *req)
{
	struct handler *handler = H2O_STRUCT_FROM_MEMBER(struct handler, super, super);
	struct server *server = handler->listener->server;
	h2o_socket_t *socket = req->conn->callbacks->get_socket(req->conn);
	struct connection *connection = connection_of(socket);

	if (!connection_begin(connection, head_bytes(req), req->entity.len) &&
	    !connection->is_cut) {
		server->values[SERVER_ABUSED]++;
		log_warn("listener", "a client took back too many requests; closing");
		connection_reset(connection);
	}
	exchange_start(server, &connection->guard, req);
	return 0;
}

/*
 * h2o gathers bodies by itself, and we can answer nothing before they are whole:
 * when what arrives takes more than its half, the slowest have to go.
 */
static void shed(struct listener *listener)
{
	struct server *server = listener->server;
	struct connections *connections = &listener->connections;
	size_t half = (size_t)server->conf.memory_bytes / 2;

	while (connections->partial_bytes > half && connections_shed(connections)) {
		server->values[SERVER_MEMORY]++;
		log_warn("listener", "requests that arrive take more than half of "
				     "limits.memory; closing the slowest");
	}
}

/* Signs of life: whoever is connected, and takes what is sent to it. */
static void note_vitals(const struct listener *listener, int64_t now_ms)
{
	struct vitals *vitals = &listener->server->ring->vitals;

	if (listener->connections.n > 0)
		vitals->connected_ms = now_ms;
	if (listener->connections.stuck_n == 0)
		vitals->taken_ms = now_ms;
}

static void note_closed(struct server *server, const struct connections *connections)
{
	const struct {
		size_t n;
		int row;
		const char *why;
	} closed[] = {
		{ connections->stalled_n, SERVER_STALLED, "requests do not arrive" },
		{ connections->chatty_n, SERVER_CHATTY,
		  "clients flood us with what belongs to no request" },
		{ connections->dead_n, SERVER_DEAD, "clients do not answer any more" },
	};

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		server->values[closed[i].row] += (int64_t)closed[i].n;
		if (closed[i].n > 0)
			log_warn("listener", "closing connections",
				 log_text("reason", closed[i].why),
				 log_int("connections", (int64_t)closed[i].n));
	}
}

static void on_look(void *arg)
{
	struct listener *listener = arg;
	struct server *server = listener->server;
	struct connections *connections = &listener->connections;

	connections_look(connections, &listener->context, loop_now_ms(server->loop));
	note_closed(server, connections);
	note_vitals(listener, loop_now_ms(server->loop));
	shed(listener);
	server_count_memory(server, connections->partial_bytes);
	loop_timer_start(server->loop, &listener->look,
			 connections->partial_n > 0 ? LOOK_CLOSELY_MS : LOOK_MS);
}

static void on_accept(h2o_socket_t *socket, const char *err);

static void listening_read(struct listening *listening, bool is_on)
{
	if (listening->socket != NULL && is_on)
		h2o_socket_read_start(listening->socket, on_accept);
	else if (listening->socket != NULL)
		h2o_socket_read_stop(listening->socket);
}

static void on_fds(void *arg)
{
	struct listener *listener = arg;

	listening_read(&listener->https, true);
	listening_read(&listener->http, true);
}

/* Clients wait in the kernel's queue; else the loop would turn for nothing. */
static void wait_for_fds(struct listener *listener)
{
	if (listener->server->values[SERVER_NO_FDS]++ == 0)
		log_warn("listener", "no descriptor is left for a connection");
	listening_read(&listener->https, false);
	listening_read(&listener->http, false);
	loop_timer_start(listener->server->loop, &listener->no_fds, NO_FDS_MS);
}

/* As h2o_accept goes on, which tells nobody what a connection speaks. */
static void on_shaken(h2o_socket_t *socket, const char *err)
{
	struct connection *connection = connection_of(socket);
	struct listening *listening = socket->data;
	struct timeval now;
	h2o_iovec_t protocol;

	if (err != NULL) {
		h2o_socket_close(socket);
		return;
	}
	now = *h2o_get_timestamp(listening->accept.ctx, NULL, NULL);
	protocol = h2o_socket_ssl_get_selected_protocol(socket);
	connection->is_shaking_hands = false;
	/* Drafts of it bear names that begin so. */
	connection->is_http2 = protocol.len >= 2 &&
			       h2o_memis(protocol.base, 2, H2O_STRLIT("h2"));
	if (connection->is_http2)
		h2o_http2_accept(&listening->accept, socket, now);
	else
		h2o_http1_accept(&listening->accept, socket, now);
}

static void shake_hands(struct listening *listening, h2o_socket_t *socket)
{
	connection_of(socket)->is_shaking_hands = true;
	socket->data = listening;
	h2o_socket_ssl_handshake(socket, listening->accept.ssl_ctx, NULL, on_shaken);
}

static void on_accept(h2o_socket_t *socket, const char *err)
{
	struct listening *listening = socket->data;
	struct listener *listener = listening->listener;
	h2o_socket_t *accepted;

	if (err != NULL)
		return;
	accepted = h2o_evloop_socket_accept(socket);
	if (accepted == NULL && (errno == EMFILE || errno == ENFILE))
		wait_for_fds(listener);
	if (accepted == NULL)
		return;
	if (listener->connections.n >= listener->server->conf.connections_max) {
		listener->server->values[SERVER_FULL]++;
		h2o_socket_close(accepted);
		return;
	}
	connections_add(&listener->connections, accepted);
	if (listening->accept.ssl_ctx != NULL)
		shake_hands(listening, accepted);
	else
		h2o_accept(&listening->accept, accepted);
}

static void configure(struct listener *listener)
{
	h2o_globalconf_t *config = &listener->config;
	h2o_hostconf_t *host;
	struct handler *handler;

	h2o_config_init(config);
	/* The API server does not name itself either. */
	config->server_name = h2o_iovec_init(NULL, 0);
	/* Up to limits.body a request is passed, up to this it is answered. */
	config->max_request_entity_size = 2 * (size_t)listener->server->conf.body_bytes;
	config->http1.req_timeout = IDLE_TIMEOUT_MS;
	/* No HTTP/2 without TLS: the API server declines it too. */
	config->http1.upgrade_to_http2 = 0;
	config->http2.idle_timeout = IDLE_TIMEOUT_MS;
	host = h2o_config_register_host(config, h2o_iovec_init(H2O_STRLIT("default")),
					65535);
	handler = (struct handler *)h2o_create_handler(
		h2o_config_register_path(host, "/", 0), sizeof(*handler));
	handler->super.on_req = on_request;
	handler->listener = listener;
	h2o_context_init(&listener->context, loop_h2o(listener->server->loop), config);
}

static int open_address(struct listener *listener, struct listening *listening,
			const char *address, struct err *err)
{
	int fd;

	if (slice_is(slice_of(address), "off"))
		return 0;
	fd = listen_on(address, err);
	if (fd < 0)
		return fd;
	listening->listener = listener;
	listening->accept.ctx = &listener->context;
	listening->accept.hosts = listener->config.hosts;
	listening->socket = h2o_evloop_socket_create(loop_h2o(listener->server->loop),
						     fd, H2O_SOCKET_FLAG_DONT_READ);
	listening->socket->data = listening;
	h2o_socket_read_start(listening->socket, on_accept);
	return 0;
}

int listener_create(struct listener **out, struct server *server, char **ca_pem,
		    struct err *err)
{
	struct listener *listener = calloc(1, sizeof(*listener));
	const struct net_conf *conf = &server->conf;
	int rc;

	if (listener == NULL)
		abort();
	listener->server = server;
	connections_init(&listener->connections, server->loop);
	loop_timer_init(&listener->look, on_look, listener);
	loop_timer_init(&listener->no_fds, on_fds, listener);
	loop_timer_start(server->loop, &listener->look, LOOK_MS);
	configure(listener);
	*ca_pem = NULL;
	rc = open_address(listener, &listener->http, conf->http, err);
	if (rc == 0)
		rc = open_address(listener, &listener->https, conf->https, err);
	if (rc == 0 && listener->https.socket != NULL) {
		rc = tls_create(&listener->ssl, ca_pem, conf, err);
		listener->https.accept.ssl_ctx = listener->ssl;
	}
	if (rc != 0) {
		listener_destroy(listener);
		return rc;
	}
	*out = listener;
	return 0;
}

static void stop_listening(struct listening *listening)
{
	if (listening->socket != NULL)
		h2o_socket_close(listening->socket);
	listening->socket = NULL;
}

void listener_drain(struct listener *listener)
{
	stop_listening(&listener->https);
	stop_listening(&listener->http);
	h2o_context_request_shutdown(&listener->context);
}

void listener_refresh(void *arg)
{
	struct listener *listener = arg;
	int64_t *values = listener->server->values;

	values[SERVER_CONNECTIONS] = listener->connections.n;
	values[SERVER_LONG_BODIES] =
		listener->server->long_bodies +
		(int64_t)listener->context.emitted_error_status[H2O_STATUS_ERROR_413];
	values[SERVER_STREAMS] =
		(int64_t)listener->context.http2.events
			.protocol_level_errors[-H2O_HTTP2_ERROR_REFUSED_STREAM];
}

size_t listener_connections(const struct listener *listener)
{
	return (size_t)listener->connections.n;
}

void listener_cut(struct listener *listener)
{
	LIST_EACH(node, &listener->connections.open) {
		connection_cut(LIST_OWNER(node, struct connection, node));
	}
}

void listener_destroy(struct listener *listener)
{
	loop_timer_stop(&listener->look);
	loop_timer_stop(&listener->no_fds);
	stop_listening(&listener->https);
	stop_listening(&listener->http);
	listener_cut(listener);
	/* What had arrived by then may still become a request. */
	for (int i = 0; i < TURNS_MAX && (listener_connections(listener) > 0 ||
					  server_open_count(listener->server) > 0);
	     i++) {
		server_abandon_all(listener->server);
		loop_turn(listener->server->loop);
	}
	/* Trap: h2o leaves the timer of its GOAWAYs linked, and asserts it is not. */
	if (h2o_timeout_is_linked(&listener->context.http2._graceful_shutdown_timeout))
		h2o_timeout_unlink(&listener->context.http2._graceful_shutdown_timeout);
	h2o_context_dispose(&listener->context);
	/* Trap: h2o 2.2.5 destroys the queue and keeps its memory. */
	free(listener->context.queue);
	h2o_config_dispose(&listener->config);
	SSL_CTX_free(listener->ssl);
	free(listener);
}
