#include "proxy/net/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "proxy/base/log.h"
#include "proxy/net/liveness.h"

#define LOOK_MS 5000

struct open_socket {
	struct list node;
	int fd;
	int port;           /* local; 0: not asked yet */
	int64_t timeout_ms; /* as set last */
	int64_t until_ms;
};

static void on_look(void *arg)
{
	struct sockets *sockets = arg;

	LIST_EACH(node, &sockets->open) {
		int fd = LIST_OWNER(node, struct open_socket, node)->fd;

		if (!liveness_look(fd).is_dead)
			continue;
		log_warn("upstream", "the API server does not answer any more; "
				     "closing a connection");
		(void)shutdown(fd, SHUT_RDWR);
	}
	loop_timer_start(sockets->loop, &sockets->look, LOOK_MS);
}

void sockets_init(struct sockets *sockets, struct loop *loop)
{
	list_init(&sockets->open);
	sockets->loop = loop;
	loop_timer_init(&sockets->look, on_look, sockets);
	loop_timer_start(loop, &sockets->look, LOOK_MS);
	sockets->deadlines = deadlines_create();
	if (sockets->deadlines == NULL)
		log_warn("upstream", "no timer: a write may leave late when we are "
				     "stopped for longer than the margin");
}

void sockets_finish(struct sockets *sockets)
{
	loop_timer_stop(&sockets->look);
	LIST_EACH(node, &sockets->open) {
		list_remove(node);
		free(LIST_OWNER(node, struct open_socket, node));
	}
	deadlines_destroy(sockets->deadlines);
}

static int local_port_of(int fd)
{
	struct sockaddr_in6 address = { 0 };
	socklen_t size = sizeof(address);

	/* The port stands at the same place in addresses of both families. */
	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return 0;
	return ntohs(address.sin6_port);
}

static void set_deadline(struct sockets *sockets, int fd, int64_t until_ms)
{
	if (sockets->deadlines != NULL)
		deadline_set(sockets->deadlines, fd, until_ms);
}

static void forget(struct sockets *sockets, int fd)
{
	set_deadline(sockets, fd, 0);
	LIST_EACH(node, &sockets->open) {
		struct open_socket *opened = LIST_OWNER(node, struct open_socket, node);

		if (opened->fd != fd)
			continue;
		list_remove(node);
		free(opened);
		return;
	}
}

static int on_open(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct sockets *sockets = arg;
	struct open_socket *opened = calloc(1, sizeof(*opened));

	(void)purpose;
	/* libcurl closes some without telling us, when it gives up connecting. */
	forget(sockets, fd);
	if (opened == NULL)
		abort();
	opened->fd = fd;
	liveness_probe(fd);
	list_add(sockets->open.next, &opened->node);
	return CURL_SOCKOPT_OK;
}

static int on_close(void *arg, curl_socket_t fd)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int waiting = 0;

	forget(arg, fd);
	if (ioctl(fd, SIOCOUTQ, &waiting) == 0 && waiting > 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return close(fd);
}

void sockets_watch(struct sockets *sockets, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, sockets);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}

static void limit(struct open_socket *opened, int64_t timeout_ms)
{
	unsigned value = (unsigned)timeout_ms;

	if (opened->timeout_ms == timeout_ms)
		return;
	opened->timeout_ms = timeout_ms;
	if (setsockopt(opened->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value,
		       sizeof(value)) != 0)
		log_warn("upstream", "TCP_USER_TIMEOUT could not be set",
			 log_int("fd", opened->fd));
}

static struct open_socket *find(struct sockets *sockets, int local_port)
{
	LIST_EACH(node, &sockets->open) {
		struct open_socket *opened = LIST_OWNER(node, struct open_socket, node);

		if (opened->port == 0)
			opened->port = local_port_of(opened->fd);
		if (opened->port != local_port)
			continue;
		/* Idle watches gather behind those that are used again and again. */
		list_remove(node);
		list_add(sockets->open.next, node);
		return opened;
	}
	return NULL;
}

void sockets_limit(struct sockets *sockets, int local_port, int64_t timeout_ms,
		   int64_t until_ms)
{
	struct open_socket *opened = find(sockets, local_port);

	if (opened == NULL)
		return;
	limit(opened, timeout_ms);
	opened->until_ms = until_ms;
	set_deadline(sockets, opened->fd, until_ms);
}

void sockets_relax(struct sockets *sockets, int local_port, int64_t until_ms)
{
	struct open_socket *opened = find(sockets, local_port);

	/* It may be in use again. */
	if (opened != NULL && opened->until_ms == until_ms)
		set_deadline(sockets, opened->fd, 0);
}
