#include "proxy/net/handles.h"

#include <stdlib.h>

/* Below kube-apiserver's own 90 s, so that we never reuse what it just closed. */
#define CONNECTION_IDLE_S 60L
/* Of each transfer, also of an idle watch: half of what libcurl takes by itself. */
#define READ_BYTES 8192L
/* Of the API server's addresses: where all of them have moved, nobody is there. */
#define NAME_CACHED_S 5L

/*
 * Trap: of the most connections that libcurl keeps it counts those in use as well. With
 * as many watches open, each request would be sent on a connection of its own.
 */
static void count(struct handles *handles, long change)
{
	handles->taken += change;
	curl_multi_setopt(handles->multi, CURLMOPT_MAXCONNECTS,
			  handles->taken + HANDLES_CONNECTIONS_MAX);
}

void handles_init(struct handles *handles, const struct credentials *credentials,
		  struct sockets *sockets, CURLM *multi, int64_t connect_timeout_ms)
{
	*handles = (struct handles){ .credentials = credentials,
				     .sockets = sockets,
				     .multi = multi,
				     .connect_timeout_ms = connect_timeout_ms };
	count(handles, 0);
}

static void kept_finish(struct handles_kept *kept)
{
	while (kept->n > 0)
		curl_easy_cleanup(kept->easy[--kept->n]);
}

void handles_finish(struct handles *handles)
{
	kept_finish(&handles->client);
	kept_finish(&handles->member);
}

static struct handles_kept *kept_of(struct handles *handles, bool is_member)
{
	return is_member ? &handles->member : &handles->client;
}

static CURL *handle_create(const struct handles *handles, bool is_member)
{
	CURL *easy = curl_easy_init();

	if (easy == NULL)
		abort();
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, READ_BYTES);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, NAME_CACHED_S);
	/* Who gives up waits for the thread that looks a name up else, and all do. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)handles->connect_timeout_ms);
	sockets_watch(handles->sockets, easy);
	credentials_apply(handles->credentials, easy, is_member);
	return easy;
}

CURL *handles_get(struct handles *handles, bool is_member)
{
	struct handles_kept *kept = kept_of(handles, is_member);

	count(handles, 1);
	return kept->n > 0 ? kept->easy[--kept->n] : handle_create(handles, is_member);
}

void handles_put(struct handles *handles, CURL *easy, bool is_member, bool is_sound)
{
	struct handles_kept *kept = kept_of(handles, is_member);

	count(handles, -1);
	if (!is_sound || kept->n == HANDLES_KEPT_MAX) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
	/* Takes back that there is a body, in the request or in the answer. */
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 0L);
	kept->easy[kept->n++] = easy;
}
