#include "proxy/net/backlog.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Not with <netinet/tcp.h>, whose struct tcp_info is an older one. */
#include <linux/sockios.h>
#include <linux/tcp.h>

bool backlog_is_waiting(int fd, uint64_t *taken)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);
	int waiting = 0;

	*taken = 0;
	if (ioctl(fd, SIOCOUTQ, &waiting) != 0 || waiting == 0 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	*taken = info.tcpi_bytes_acked;
	return true;
}
