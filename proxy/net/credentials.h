/*
 * How a libcurl handle is told where the API server is, whom to trust and, for
 * our own calls, who we are. Token files are read again when they change, as the
 * kubelet rotates them.
 */
#ifndef RINGSIDE_NET_CREDENTIALS_H
#define RINGSIDE_NET_CREDENTIALS_H

#include <curl/curl.h>
#include <sys/stat.h>

#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/net/cluster.h"

#define TOKEN_BYTES_MAX 16384

struct credentials {
	const struct cluster *cluster;
	char *url;    /* what the certificate is checked against */
	CURLU *parts; /* the same: parsed once, not for each request */
	char *prefix; /* the path part of the server's URL, no slash at the end */
	struct curl_slist *connect_to; /* where that really is, or NULL */
	struct buf authorization;      /* "Authorization: Bearer ...", or empty */
	struct timespec token_time;    /* of the token file that was read */
	ino_t token_inode;
};

/* cluster outlives it. -EINVAL when its server is no http(s) URL. */
int credentials_init(struct credentials *credentials, const struct cluster *cluster,
		     struct err *err);
void credentials_finish(struct credentials *credentials);

/* URL, TLS trust and, with is_member, the client certificate. */
void credentials_apply(const struct credentials *credentials, CURL *easy,
		       bool is_member);

/*
 * Our Authorization header line, or NULL where we have no token; borrowed until
 * the next call. An unreadable token file leaves the last token in force and
 * says so in err (err->text is "" otherwise).
 */
const char *credentials_header(struct credentials *credentials, struct err *err);

#endif
