#include "proxy/net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "proxy/net/curl_loop.h"
#include "proxy/net/liveness.h"

#define LOOK_MS 5000

struct dial {
	struct loop *loop;
	struct loop_timer look; /* for a peer that is dead, once it is open */
	struct credentials credentials;
	struct curl_loop curl;
	CURL *easy;
	char curl_text[CURL_ERROR_SIZE];
	const struct dial_events *events;
	void *arg;
	curl_socket_t fd;
	struct loop_fd *watch; /* NULL: nothing is wanted */
	uint32_t wanted;
	bool is_over; /* on_open or on_fail has been told */
};

static void tell(struct dial *dial, CURLcode code)
{
	struct err err;

	dial->is_over = true;
	if (code == CURLE_OK && (curl_easy_getinfo(dial->easy, CURLINFO_ACTIVESOCKET,
						   &dial->fd) != CURLE_OK ||
				 dial->fd == CURL_SOCKET_BAD))
		code = CURLE_COULDNT_CONNECT;
	if (code == CURLE_OK) {
		loop_timer_start(dial->loop, &dial->look, LOOK_MS);
		dial->events->on_open(dial->arg);
		return;
	}
	err_set(&err, -EIO, "%s",
		dial->curl_text[0] ? dial->curl_text : curl_easy_strerror(code));
	dial->events->on_fail(dial->arg, &err);
}

/* Who waits for it sees an end. */
static void on_look(void *arg)
{
	struct dial *dial = arg;

	if (liveness_look(dial->fd).is_dead)
		(void)shutdown(dial->fd, SHUT_RDWR);
	else
		loop_timer_start(dial->loop, &dial->look, LOOK_MS);
}

/* libcurl has returned: what follows may close the dial. */
static void on_work(void *arg)
{
	struct dial *dial = arg;
	CURLMsg *message;
	int left;

	while (!dial->is_over &&
	       (message = curl_multi_info_read(dial->curl.multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		tell(dial, message->data.result);
		return;
	}
}

static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg, (void)purpose;
	liveness_probe(fd);
	return CURL_SOCKOPT_OK;
}

static void set_transport(struct dial *dial, const struct dial_target *target)
{
	CURL *easy = dial->easy;

	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	/* By ALPN too: there are no upgrades in HTTP/2. */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* As for other requests (handles.c). */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)target->connect_timeout_ms);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, dial->curl_text);
	credentials_apply(&dial->credentials, easy, target->is_member);
}

int dial_open(struct dial **out, struct loop *loop, const struct dial_target *target,
	      const struct dial_events *events, void *arg)
{
	struct dial *dial = calloc(1, sizeof(*dial));
	struct err err;
	int rc;

	if (dial == NULL)
		abort();
	rc = credentials_init(&dial->credentials, target->cluster, &err);
	if (rc != 0) {
		free(dial);
		return rc;
	}
	dial->loop = loop;
	loop_timer_init(&dial->look, on_look, dial);
	dial->events = events;
	dial->arg = arg;
	curl_loop_init(&dial->curl, loop, on_work, dial);
	dial->easy = curl_easy_init();
	if (dial->easy == NULL)
		abort();
	set_transport(dial, target);
	/* Fails for bad handles and without memory only. */
	if (curl_multi_add_handle(dial->curl.multi, dial->easy) != CURLM_OK)
		abort();
	*out = dial;
	return 0;
}

void dial_close(struct dial *dial)
{
	if (dial == NULL)
		return;
	loop_timer_stop(&dial->look);
	loop_fd_remove(dial->watch);
	/* Closes the connection, as nothing else can find it any more. */
	curl_multi_remove_handle(dial->curl.multi, dial->easy);
	curl_easy_cleanup(dial->easy);
	curl_loop_finish(&dial->curl);
	credentials_finish(&dial->credentials);
	free(dial);
}

struct credentials *dial_credentials(struct dial *dial)
{
	return &dial->credentials;
}

int dial_send(struct dial *dial, const char *data, size_t size, size_t *n)
{
	CURLcode code = curl_easy_send(dial->easy, data, size, n);

	if (code == CURLE_OK && *n > 0)
		return 0;
	return code == CURLE_OK || code == CURLE_AGAIN ? -EAGAIN : -EPIPE;
}

int dial_recv(struct dial *dial, char *data, size_t size, size_t *n)
{
	CURLcode code = curl_easy_recv(dial->easy, data, size, n);

	if (code == CURLE_OK)
		return 0;
	return code == CURLE_AGAIN ? -EAGAIN : -EIO;
}

static void on_ready(void *arg, uint32_t events)
{
	struct dial *dial = arg;

	(void)events;
	dial->events->on_ready(dial->arg);
}

void dial_want(struct dial *dial, bool to_recv, bool to_send)
{
	uint32_t wanted = (to_recv ? EPOLLIN : 0U) | (to_send ? EPOLLOUT : 0U);

	if (wanted == dial->wanted)
		return;
	dial->wanted = wanted;
	if (wanted == 0) {
		/* A hang-up is reported even to who wants nothing, again and again. */
		loop_fd_remove(dial->watch);
		dial->watch = NULL;
	} else if (dial->watch != NULL) {
		loop_fd_change(dial->watch, wanted);
	} else {
		dial->watch = loop_fd_add(dial->loop, dial->fd, wanted, on_ready, dial);
	}
}
