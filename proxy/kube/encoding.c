#include "proxy/kube/encoding.h"

#include <errno.h>

#define PROTOBUF "application/vnd.kubernetes.protobuf"

/* Without parameters: "application/json;q=1" -> "application/json". */
static struct slice media_type(struct slice text)
{
	ptrdiff_t semicolon = slice_find(text, ';');

	if (semicolon >= 0)
		text.len = (size_t)semicolon;
	return slice_trim(text);
}

static bool ends_with_nocase(struct slice text, const char *suffix)
{
	size_t len = strlen(suffix);

	return text.len >= len &&
	       slice_is_nocase(slice_from(text, text.len - len), suffix);
}

static enum kube_encoding encoding_of(struct slice type)
{
	static const struct {
		const char *type;
		enum kube_encoding encoding;
	} rows[] = {
		{ "application/json", KUBE_JSON },
		{ PROTOBUF, KUBE_PROTOBUF },
		{ "application/cbor", KUBE_CBOR },
		{ "application/cbor-seq", KUBE_CBOR },
		{ "application/yaml", KUBE_YAML },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_is_nocase(type, rows[i].type))
			return rows[i].encoding;
	return KUBE_OTHER;
}

enum kube_encoding encoding_of_accept(struct slice accept)
{
	struct slice entry;

	while (slice_split(&accept, ',', &entry)) {
		enum kube_encoding encoding = encoding_of(media_type(entry));

		if (encoding != KUBE_OTHER && encoding != KUBE_YAML)
			return encoding;
	}
	return KUBE_JSON;
}

enum kube_encoding encoding_of_content_type(struct slice content_type)
{
	struct slice type = media_type(content_type);

	if (type.len == 0 || ends_with_nocase(type, "+json"))
		return KUBE_JSON;
	if (ends_with_nocase(type, "+yaml"))
		return KUBE_YAML;
	if (ends_with_nocase(type, "+cbor"))
		return KUBE_CBOR;
	return encoding_of(type);
}

enum kube_patch encoding_patch_of(struct slice content_type)
{
	static const struct {
		const char *type;
		enum kube_patch patch;
	} rows[] = {
		{ "application/json-patch+json", KUBE_PATCH_JSON },
		{ "application/merge-patch+json", KUBE_PATCH_MERGE },
		{ "application/strategic-merge-patch+json", KUBE_PATCH_STRATEGIC },
		{ "application/apply-patch+yaml", KUBE_PATCH_APPLY },
		{ "application/apply-patch+cbor", KUBE_PATCH_APPLY },
	};
	struct slice type = media_type(content_type);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_is_nocase(type, rows[i].type))
			return rows[i].patch;
	return KUBE_PATCH_OTHER;
}

/* One parameter of an entry, with its semicolon; "" if it is left out. */
static int append_parameter(struct buf *out, struct slice parameter)
{
	struct slice trimmed = slice_trim(parameter);

	if (slice_is_nocase(trimmed, "stream=watch"))
		return 0;
	if (slice_is(trimmed, "as=PartialObjectMetadata"))
		return buf_append_text(out, ";as=PartialObjectMetadataList");
	if (slice_starts_with(trimmed, "as="))
		return -ENOTSUP;
	return buf_printf(out, ";%.*s", SLICE_ARGS(trimmed));
}

int encoding_list_accept(struct buf *out, struct slice accept)
{
	struct slice entry, part;
	int rc = 0;

	for (bool is_first = true; rc == 0 && slice_split(&accept, ',', &entry);
	     is_first = false) {
		if (encoding_of(media_type(entry)) == KUBE_CBOR)
			return -ENOTSUP;
		/* An empty entry, as between two commas, has no part. */
		if (!slice_split(&entry, ';', &part))
			part = entry;
		rc = buf_printf(out, "%s%.*s", is_first ? "" : ",",
				SLICE_ARGS(slice_trim(part)));
		while (rc == 0 && slice_split(&entry, ';', &part))
			rc = append_parameter(out, part);
	}
	return rc;
}

const char *encoding_content_type(enum kube_encoding encoding, bool is_watch)
{
	switch (encoding) {
	case KUBE_PROTOBUF:
		return is_watch ? PROTOBUF ";stream=watch" : PROTOBUF;
	case KUBE_CBOR:
		return is_watch ? "application/cbor-seq" : "application/cbor";
	case KUBE_JSON:
	case KUBE_YAML:
	case KUBE_OTHER:
		break;
	}
	return "application/json";
}
