#include "proxy/net/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST_BYTES_MAX 256

/* "host:port" or "[host]:port"; *port points into address. */
static int address_split(const char *address, char host[HOST_BYTES_MAX],
			 const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon != NULL ? (size_t)(colon - address) : 0;
	char *end;
	unsigned long number;

	if (address[0] == '[') {
		if (n < 3 || address[n - 1] != ']')
			return -EINVAL;
		address++;
		n -= 2;
	} else if (memchr(address, ':', n) != NULL) {
		return -EINVAL;
	}
	if (n == 0 || n >= HOST_BYTES_MAX || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	number = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || number > 65535)
		return -EINVAL;
	memcpy(host, address, n);
	host[n] = '\0';
	*port = colon + 1;
	return 0;
}

static int open_one(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			info->ai_protocol);
	int on = 1, rc;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(fd, SOMAXCONN) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int listen_on(const char *address, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	char host[HOST_BYTES_MAX];
	struct addrinfo *found;
	const char *port;
	int rc = -EADDRNOTAVAIL;
	int problem;

	if (address_split(address, host, &port) != 0)
		return err_set(err, -EINVAL,
			       "address '%s': expected one like 127.0.0.1:8443 or "
			       "[::1]:8443",
			       address);
	problem = getaddrinfo(host, port, &hints, &found);
	if (problem != 0)
		return err_set(err, -EADDRNOTAVAIL, "address %s: %s", address,
			       gai_strerror(problem));
	for (const struct addrinfo *info = found; info != NULL && rc < 0;
	     info = info->ai_next)
		rc = open_one(info);
	freeaddrinfo(found);
	if (rc < 0)
		return err_set(err, rc, "cannot listen on %s: %s", address,
			       strerror(-rc));
	return rc;
}

int listen_port(int fd)
{
	struct sockaddr_storage name = { 0 };
	socklen_t n = sizeof(name);

	if (getsockname(fd, (struct sockaddr *)&name, &n) != 0)
		return 0;
	if (name.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&name)->sin_port);
	if (name.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&name)->sin6_port);
	return 0;
}
