#include "proxy/net/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A connection of libcurl's to a server that accepts and reads nothing. */
static struct loop *loop;
static struct sockets sockets;
static CURL *easy;
static int listener, peer, ours, port;

static int port_of(int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t size = sizeof(address);

	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static void begin(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	curl_socket_t fd;
	char url[64];

	listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)),
			 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port_of(listener));
	loop = loop_create();
	sockets_init(&sockets, loop);
	easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	sockets_watch(&sockets, easy);
	ck_assert_int_eq(curl_easy_perform(easy), CURLE_OK);
	curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
	peer = accept(listener, NULL, NULL);
	ours = fd;
	port = port_of(ours);
}

static void finish(void)
{
	curl_easy_cleanup(easy);
	ck_assert(list_is_empty(&sockets.open));
	sockets_finish(&sockets);
	loop_destroy(loop);
	close(listener);
}

static unsigned limit(void)
{
	unsigned value = 0;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(ours, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size),
			 0);
	return value;
}

START_TEST(connection_is_found_by_its_port_and_limited_until_told_otherwise)
{
	begin();
	sockets_limit(&sockets, port, 7000, 0);
	ck_assert_uint_eq(limit(), 7000);
	sockets_limit(&sockets, port + 1, 3000, 0);
	ck_assert_uint_eq(limit(), 7000);
	sockets_limit(&sockets, port, 0, 0);
	ck_assert_uint_eq(limit(), 0);
	finish();
	close(peer);
}
END_TEST

/* What the peer's reads end with: 0, or an error. */
static int last_read(void)
{
	static char bytes[65536];
	ssize_t n = 1;

	while (n > 0)
		n = read(peer, bytes, sizeof(bytes));
	return n < 0 ? errno : 0;
}

START_TEST(one_writer_what_is_still_to_be_sent_is_thrown_away_with_the_connection)
{
	static const char bytes[65536];

	begin();
	ck_assert_int_eq(fcntl(ours, F_SETFL, O_NONBLOCK), 0);
	while (write(ours, bytes, sizeof(bytes)) > 0)
		;
	finish();
	ck_assert_int_eq(last_read(), ECONNRESET);
	close(peer);
}
END_TEST

START_TEST(connection_with_nothing_to_send_ends_well)
{
	begin();
	finish();
	ck_assert_int_eq(last_read(), 0);
	close(peer);
}
END_TEST

UNIT_MAIN("net/sockets",
	  connection_is_found_by_its_port_and_limited_until_told_otherwise,
	  one_writer_what_is_still_to_be_sent_is_thrown_away_with_the_connection,
	  connection_with_nothing_to_send_ends_well)
