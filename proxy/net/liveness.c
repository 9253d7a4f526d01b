#include "proxy/net/liveness.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* Not with <netinet/tcp.h>, whose struct tcp_info is an older one. */
#include <linux/tcp.h>

#define IDLE_S 20
#define INTERVAL_S 5
/* One more than in that time: who looks finds it dead, and counts it, before. */
#define PROBES_N ((LIVENESS_DEAD_MS / 1000 - IDLE_S) / INTERVAL_S + 1)

static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

void liveness_probe(int fd)
{
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S);
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_S);
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, PROBES_N);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

/*
 * One that was asked once may be about to answer: a window that is closed is asked
 * after every two minutes at the end.
 */
static bool is_dead(const struct tcp_info *info)
{
	return (info->tcpi_retransmits > 1 || info->tcpi_probes > 1) &&
	       info->tcpi_last_ack_recv >= LIVENESS_DEAD_MS;
}

struct liveness liveness_look(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return (struct liveness){ .is_dead = false };
	return (struct liveness){
		.is_dead = is_dead(&info),
		.is_waiting = info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0,
		.taken = info.tcpi_bytes_acked,
		.received = info.tcpi_bytes_received,
	};
}
