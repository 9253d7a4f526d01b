#include "proxy/net/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes the parts of the server's URL; the caller frees what was set. */
static int server_split(const char *server, char *part[4], struct err *err)
{
	static const CURLUPart parts[4] = { CURLUPART_SCHEME, CURLUPART_HOST,
					    CURLUPART_PORT, CURLUPART_PATH };
	CURLU *url = curl_url();
	int rc = 0;

	if (curl_url_set(url, CURLUPART_URL, server, 0) != CURLUE_OK)
		rc = err_set(err, -EINVAL, "server '%s': expected an http or https URL",
			     server);
	for (int i = 0; rc == 0 && i < 4; i++)
		if (curl_url_get(url, parts[i], &part[i], CURLU_DEFAULT_PORT) !=
		    CURLUE_OK)
			rc = err_set(err, -EINVAL, "server '%s': no host or port",
				     server);
	if (rc == 0 && strncmp(part[0], "http", 4) != 0)
		rc = err_set(err, -EINVAL, "server '%s': expected http or https",
			     server);
	curl_url_cleanup(url);
	return rc;
}

/* "::host:port": whatever the URL names is found there. */
static struct curl_slist *found_at(const char *host, const char *port)
{
	struct curl_slist *list;
	char *to;

	if (asprintf(&to, "::%s:%s", host, port) < 0)
		abort();
	list = curl_slist_append(NULL, to);
	free(to);
	return list;
}

/* From scheme, host, port and path of the server's URL. */
static int take_parts(struct credentials *credentials, char *part[4], struct err *err)
{
	const char *name = credentials->cluster->tls_server_name;
	size_t path = strlen(part[3]);

	while (path > 0 && part[3][path - 1] == '/')
		part[3][--path] = '\0';
	credentials->prefix = strdup(part[3]);
	if (asprintf(&credentials->url, "%s://%s:%s", part[0], name ? name : part[1],
		     part[2]) < 0)
		abort();
	if (name != NULL)
		credentials->connect_to = found_at(part[1], part[2]);
	credentials->parts = curl_url();
	if (curl_url_set(credentials->parts, CURLUPART_URL, credentials->url, 0) !=
	    CURLUE_OK)
		return err_set(err, -EINVAL, "tls-server-name '%s': no name of a host",
			       name ? name : "");
	return 0;
}

int credentials_init(struct credentials *credentials, const struct cluster *cluster,
		     struct err *err)
{
	char *part[4] = { 0 };
	int rc = server_split(cluster->server, part, err);

	*credentials = (struct credentials){ .cluster = cluster };
	buf_init(&credentials->authorization, TOKEN_BYTES_MAX + 64);
	if (rc == 0)
		rc = take_parts(credentials, part, err);
	if (rc != 0)
		credentials_finish(credentials);
	for (int i = 0; i < 4; i++)
		curl_free(part[i]);
	return rc;
}

void credentials_finish(struct credentials *credentials)
{
	free(credentials->url);
	curl_url_cleanup(credentials->parts);
	free(credentials->prefix);
	curl_slist_free_all(credentials->connect_to);
	buf_finish(&credentials->authorization);
}

static void apply_pem(CURL *easy, CURLoption blob, CURLoption file, const char *pem,
		      const char *path)
{
	if (pem != NULL) {
		struct curl_blob data = { .data = (void *)(uintptr_t)pem,
					  .len = strlen(pem),
					  .flags = CURL_BLOB_NOCOPY };

		curl_easy_setopt(easy, blob, &data);
	} else if (path != NULL) {
		curl_easy_setopt(easy, file, path);
	}
}

void credentials_apply(const struct credentials *credentials, CURL *easy,
		       bool is_member)
{
	const struct cluster *cluster = credentials->cluster;

	curl_easy_setopt(easy, CURLOPT_CURLU, credentials->parts);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, credentials->connect_to);
	if (cluster->ca_pem != NULL || cluster->ca_file != NULL) {
		/* Those of the system beside it are none of the cluster's. */
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	apply_pem(easy, CURLOPT_CAINFO_BLOB, CURLOPT_CAINFO, cluster->ca_pem,
		  cluster->ca_file);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, cluster->is_insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, cluster->is_insecure ? 0L : 2L);
	/* A resumed session asks for no certificate: one that expired would do. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/* By default libcurl reads a CA file once a day; CAs are rotated. */
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
	if (!is_member)
		return;
	apply_pem(easy, CURLOPT_SSLCERT_BLOB, CURLOPT_SSLCERT, cluster->certificate_pem,
		  cluster->certificate_file);
	apply_pem(easy, CURLOPT_SSLKEY_BLOB, CURLOPT_SSLKEY, cluster->key_pem,
		  cluster->key_file);
}

static int token_set(struct credentials *credentials, struct slice token,
		     const char *file, struct err *err)
{
	while (token.len > 0 && strchr(" \r\n\t", token.data[token.len - 1]) != NULL)
		token.len--;
	if (token.len == 0 || token.len > TOKEN_BYTES_MAX)
		return err_set(err, -EINVAL, "%s: no token, or one above %d bytes",
			       file, TOKEN_BYTES_MAX);
	/* A line break would be a header of the token's own. */
	if (memchr(token.data, '\n', token.len) || memchr(token.data, '\r', token.len))
		return err_set(err, -EINVAL, "%s: a token is one line", file);
	buf_clear(&credentials->authorization);
	return buf_printf(&credentials->authorization, "Authorization: Bearer %.*s%c",
			  SLICE_ARGS(token), '\0');
}

static int token_read(struct credentials *credentials, const char *file,
		      struct err *err)
{
	char text[TOKEN_BYTES_MAX + 1];
	struct stat info;
	ssize_t n;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &info) != 0) {
		int rc = err_set(err, -errno, "token file %s: %s", file,
				 strerror(errno));

		if (fd >= 0)
			close(fd);
		return rc;
	}
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0)
		return err_set(err, -EIO, "token file %s: cannot be read", file);
	credentials->token_time = info.st_mtim;
	credentials->token_inode = info.st_ino;
	return token_set(credentials, slice_make(text, (size_t)n), file, err);
}

static bool token_is_current(const struct credentials *credentials, const char *file)
{
	struct stat info;

	return credentials->authorization.len > 0 && stat(file, &info) == 0 &&
	       info.st_ino == credentials->token_inode &&
	       info.st_mtim.tv_sec == credentials->token_time.tv_sec &&
	       info.st_mtim.tv_nsec == credentials->token_time.tv_nsec;
}

const char *credentials_header(struct credentials *credentials, struct err *err)
{
	const struct cluster *cluster = credentials->cluster;

	err->text[0] = '\0';
	if (cluster->token_file != NULL) {
		if (!token_is_current(credentials, cluster->token_file))
			(void)token_read(credentials, cluster->token_file, err);
	} else if (cluster->token != NULL && credentials->authorization.len == 0) {
		(void)token_set(credentials, slice_of(cluster->token), "kubeconfig",
				err);
	}
	return credentials->authorization.len > 0 ? credentials->authorization.data
						  : NULL;
}
