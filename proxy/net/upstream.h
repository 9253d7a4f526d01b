/*
 * Upstream: the way to the API server. One interface, one file per backend.
 * The first is libcurl over HTTP/1.1, one connection per transfer in flight,
 * kept alive between transfers (upstream_curl.c). A backend for HTTP/2 on
 * nghttp2 goes beside it, behind the same table.
 *
 * A transfer buffers at most TRANSFER_BYTES_MAX of the body; above that the
 * backend stops reading from its own connection and from no other. Whoever
 * drives the transfer takes bytes out with transfer_take.
 *
 * Events come from the loop, never from inside a call of ours, except may_send,
 * which is asked from within the backend and must only decide.
 */
#ifndef RINGSIDE_NET_UPSTREAM_H
#define RINGSIDE_NET_UPSTREAM_H

#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/base/metric.h"
#include "proxy/net/cluster.h"
#include "proxy/net/loop.h"

#define TRANSFER_BYTES_MAX (128 * 1024)
#define TRANSFER_HEADERS_MAX 128
#define TRANSFER_HEAD_BYTES_MAX (64 * 1024)

struct header {
	struct slice name;
	struct slice value;
};

enum upstream_identity {
	UPSTREAM_AS_CLIENT, /* exactly the headers given, no credentials of ours */
	UPSTREAM_AS_MEMBER, /* with our own credentials added */
};

/* Borrowed until on_end or transfer_close. */
struct upstream_request {
	struct slice method;
	struct slice target; /* path and query, byte exact */
	const struct header *headers;
	size_t headers_n;
	struct slice body;
	bool has_body;
	bool is_safe; /* may be sent again where a kept connection turns out dead */
	enum upstream_identity identity;
	int64_t timeout_ms; /* of the whole transfer; 0: none */
	/* How long the kernel may try to deliver what is sent; 0: its own limit. */
	int64_t write_limit_ms;
};

struct upstream_head {
	int status;
	struct slice phrase;
	const struct header *headers; /* as sent; hop-by-hop ones included */
	size_t headers_n;
	int64_t content_length; /* -1: not said */
};

enum upstream_result {
	UPSTREAM_COMPLETE,
	UPSTREAM_REFUSED,     /* may_send said no */
	UPSTREAM_UNREACHABLE, /* nothing was sent: DNS, connect, TLS */
	UPSTREAM_TIMEOUT,     /* the request was or may have been sent */
	UPSTREAM_BROKEN,      /* the same: reset, truncated, nonsense */
};

struct upstream_events {
	/* The last word before bytes leave; may be NULL. Decide only. */
	bool (*may_send)(void *arg);
	/* The head; its slices live until transfer_close. May be NULL. */
	void (*on_head)(void *arg, const struct upstream_head *head);
	/* There are bytes to take. */
	void (*on_bytes)(void *arg);
	/*
	 * Nothing more will be received; bytes may still be there to take. err
	 * says why, for a person, without secrets.
	 */
	void (*on_end)(void *arg, enum upstream_result result, const struct err *err);
};

struct upstream;
struct transfer;

struct upstream_backend {
	const char *name;
	struct transfer *(*start)(struct upstream *upstream,
				  const struct upstream_request *request,
				  const struct upstream_events *events, void *arg);
	struct slice (*peek)(const struct transfer *transfer);
	void (*take)(struct transfer *transfer, size_t n);
	void (*close)(struct transfer *transfer);
	void (*destroy)(struct upstream *upstream);
};

/* Every backend's upstream begins with this. */
struct upstream {
	const struct upstream_backend *backend;
	int64_t long_heads; /* answers given up for the size of their head */
};

/* cluster and loop outlive it. -EINVAL when the cluster makes no sense. */
int upstream_curl_create(struct upstream **out, struct loop *loop,
			 const struct cluster *cluster, int64_t connect_timeout_ms,
			 struct err *err);

/* Never NULL: failures arrive by on_end, from the loop. */
static inline struct transfer *transfer_start(struct upstream *upstream,
					      const struct upstream_request *request,
					      const struct upstream_events *events,
					      void *arg)
{
	return upstream->backend->start(upstream, request, events, arg);
}

/* The bytes that wait; borrowed until take or the next return to the loop. */
static inline struct slice transfer_peek(const struct upstream *upstream,
					 const struct transfer *transfer)
{
	return upstream->backend->peek(transfer);
}

/* Drops n bytes from the front; the backend reads on when there is room. */
static inline void transfer_take(const struct upstream *upstream,
				 struct transfer *transfer, size_t n)
{
	upstream->backend->take(transfer, n);
}

/*
 * Forgets the transfer, at whatever point it is; no event comes after. One that
 * is not complete is cut: its connection is closed, not kept.
 */
static inline void transfer_close(const struct upstream *upstream,
				  struct transfer *transfer)
{
	upstream->backend->close(transfer);
}

static inline void upstream_destroy(struct upstream *upstream)
{
	upstream->backend->destroy(upstream);
}

#endif
