#include "proxy/net/curl_loop.h"

#include <stdlib.h>
#include <sys/epoll.h>

struct curl_socket {
	struct curl_loop *curl;
	curl_socket_t fd;
	struct loop_fd *watch;
};

static void act(struct curl_loop *curl, curl_socket_t fd, int mask)
{
	int running;

	curl_multi_socket_action(curl->multi, fd, mask, &running);
	curl->on_work(curl->arg);
}

static void socket_on_ready(void *arg, uint32_t events)
{
	struct curl_socket *socket = arg;
	int mask = 0;

	if (events & (EPOLLIN | EPOLLHUP))
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		mask |= CURL_CSELECT_ERR;
	act(socket->curl, socket->fd, mask);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
	struct curl_loop *curl = arg;
	struct curl_socket *socket = assigned;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL)
			loop_fd_remove(socket->watch);
		free(socket);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (socket != NULL) {
		loop_fd_change(socket->watch, events);
		return 0;
	}
	socket = calloc(1, sizeof(*socket));
	if (socket == NULL)
		abort();
	socket->curl = curl;
	socket->fd = fd;
	socket->watch = loop_fd_add(curl->loop, fd, events, socket_on_ready, socket);
	curl_multi_assign(curl->multi, fd, socket);
	return 0;
}

static void on_timeout(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long delay_ms, void *arg)
{
	struct curl_loop *curl = arg;

	(void)multi;
	loop_timer_stop(&curl->timer);
	loop_task_stop(&curl->kick);
	if (delay_ms == 0)
		loop_task_start(curl->loop, &curl->kick);
	else if (delay_ms > 0)
		loop_timer_start(curl->loop, &curl->timer, delay_ms);
	return 0;
}

void curl_loop_init(struct curl_loop *curl, struct loop *loop,
		    void (*on_work)(void *arg), void *arg)
{
	curl->loop = loop;
	curl->on_work = on_work;
	curl->arg = arg;
	loop_timer_init(&curl->timer, on_timeout, curl);
	loop_task_init(&curl->kick, on_timeout, curl);
	curl->multi = curl_multi_init();
	if (curl->multi == NULL)
		abort();
	curl_multi_setopt(curl->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(curl->multi, CURLMOPT_SOCKETDATA, curl);
	curl_multi_setopt(curl->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(curl->multi, CURLMOPT_TIMERDATA, curl);
}

void curl_loop_finish(struct curl_loop *curl)
{
	curl_multi_cleanup(curl->multi);
	loop_timer_stop(&curl->timer);
	loop_task_stop(&curl->kick);
}
