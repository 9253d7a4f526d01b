/* The kubeconfig of the controller beside us. */
#include <errno.h>
#include <yaml.h>

#include "config/base64.h"
#include "config/kubeconfig.h"
#include "proxy/base/buf.h"
#include "proxy/base/file.h"

#define NAME "ringside" /* of the cluster, the user and the context */

/* As large as what kubeconfig_load reads, in base64. */
#define WRITTEN_BYTES_MAX (4 << 20)

struct writer {
	yaml_emitter_t yaml;
	struct arena *arena;
	struct buf out;
	bool is_ok; /* nothing failed so far */
};

static int on_bytes(void *arg, unsigned char *bytes, size_t n)
{
	struct buf *out = arg;

	return buf_append(out, slice_make((const char *)bytes, n)) == 0;
}

/* Takes the event; is_made: whether there is one. */
static void emit(struct writer *writer, yaml_event_t *event, int is_made)
{
	if (writer->is_ok && is_made)
		writer->is_ok = yaml_emitter_emit(&writer->yaml, event);
	else if (is_made)
		yaml_event_delete(event);
	else
		writer->is_ok = false;
}

static void write_scalar(struct writer *writer, const char *text,
			 yaml_scalar_style_t style)
{
	yaml_event_t event;

	emit(writer, &event,
	     yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
					  (int)strlen(text), 1, 1, style));
}

static void write_key(struct writer *writer, const char *key)
{
	write_scalar(writer, key, YAML_PLAIN_SCALAR_STYLE);
}

/* Values are quoted: a token of digits is no number. NULL: nothing at all. */
static void write_pair(struct writer *writer, const char *key, const char *value)
{
	if (!value)
		return;
	write_key(writer, key);
	write_scalar(writer, value, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

/* PEM text as base64 under data_key, else the name of a file under file_key. */
static void write_pem(struct writer *writer, const char *data_key, const char *pem,
		      const char *file_key, const char *file)
{
	if (pem)
		write_pair(writer, data_key,
			   base64_encode(writer->arena, slice_of(pem)));
	else
		write_pair(writer, file_key, file);
}

static void open_mapping(struct writer *writer)
{
	yaml_event_t event;

	emit(writer, &event,
	     yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
						 YAML_BLOCK_MAPPING_STYLE));
}

static void close_mapping(struct writer *writer)
{
	yaml_event_t event;

	emit(writer, &event, yaml_mapping_end_event_initialize(&event));
}

/* `clusters:`, its only entry, and in that `cluster:`; close_entry ends them. */
static void open_entry(struct writer *writer, const char *list, const char *key)
{
	yaml_event_t event;

	write_key(writer, list);
	emit(writer, &event,
	     yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
						  YAML_BLOCK_SEQUENCE_STYLE));
	open_mapping(writer);
	write_pair(writer, "name", NAME);
	write_key(writer, key);
	open_mapping(writer);
}

static void close_entry(struct writer *writer)
{
	yaml_event_t event;

	close_mapping(writer);
	close_mapping(writer);
	emit(writer, &event, yaml_sequence_end_event_initialize(&event));
}

static void write_credentials(struct writer *writer, const struct cluster *cluster)
{
	write_pair(writer, "token", cluster->token);
	write_pair(writer, "tokenFile", cluster->token_file);
	write_pem(writer, "client-certificate-data", cluster->certificate_pem,
		  "client-certificate", cluster->certificate_file);
	write_pem(writer, "client-key-data", cluster->key_pem, "client-key",
		  cluster->key_file);
}

static void write_document(struct writer *writer, const char *url, const char *ca_pem,
			   const struct cluster *cluster)
{
	open_mapping(writer);
	write_pair(writer, "apiVersion", "v1");
	write_pair(writer, "kind", "Config");
	write_pair(writer, "current-context", NAME);
	open_entry(writer, "clusters", "cluster");
	write_pair(writer, "server", url);
	write_pem(writer, "certificate-authority-data",
		  ca_pem && ca_pem[0] ? ca_pem : NULL, NULL, NULL);
	close_entry(writer);
	open_entry(writer, "contexts", "context");
	write_pair(writer, "cluster", NAME);
	write_pair(writer, "user", NAME);
	write_pair(writer, "namespace", cluster->namespace);
	close_entry(writer);
	open_entry(writer, "users", "user");
	write_credentials(writer, cluster);
	close_entry(writer);
	close_mapping(writer);
}

static void write_stream(struct writer *writer, const char *url, const char *ca_pem,
			 const struct cluster *cluster)
{
	yaml_event_t event;

	emit(writer, &event,
	     yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(writer, &event,
	     yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	write_document(writer, url, ca_pem, cluster);
	emit(writer, &event, yaml_document_end_event_initialize(&event, 1));
	emit(writer, &event, yaml_stream_end_event_initialize(&event));
}

int kubeconfig_write(const char *file, const char *url, const char *ca_pem,
		     const struct cluster *cluster, struct err *err)
{
	struct writer writer = { .arena = arena_create(), .is_ok = true };
	int rc;

	if (!yaml_emitter_initialize(&writer.yaml)) {
		arena_destroy(writer.arena);
		return err_set(err, -ENOMEM, "%s: out of memory", file);
	}
	buf_init(&writer.out, WRITTEN_BYTES_MAX);
	yaml_emitter_set_output(&writer.yaml, on_bytes, &writer.out);
	yaml_emitter_set_width(&writer.yaml, -1);
	write_stream(&writer, url, ca_pem, cluster);
	if (writer.is_ok)
		rc = file_replace(file, buf_slice(&writer.out), 0600, err);
	else
		rc = err_set(err, -EINVAL,
			     "%s: cannot be written: a text of the credentials is too "
			     "long or no UTF-8",
			     file);
	yaml_emitter_delete(&writer.yaml);
	buf_finish(&writer.out);
	arena_destroy(writer.arena);
	return rc;
}
