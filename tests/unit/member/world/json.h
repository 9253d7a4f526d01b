/*
 * Objects of the API server in memory (server.h) as JSON: parsed, written, stamped
 * with uid and resourceVersion.
 */
#ifndef RINGSIDE_UNIT_WORLD_JSON_H
#define RINGSIDE_UNIT_WORLD_JSON_H

#include <inttypes.h>

#include "proxy/kube/json.h"
#include "tests/unit/unit.h"

static inline void json_emit(struct buf *out, const struct json *json);

static inline void json_emit_children(struct buf *out, const struct json *json)
{
	for (const struct json *child = json->first; child; child = child->next) {
		if (child != json->first)
			buf_append_text(out, ",");
		if (json->type == JSON_OBJECT) {
			json_write_string(out, child->key);
			buf_append_text(out, ":");
		}
		json_emit(out, child);
	}
}

static inline void json_emit(struct buf *out, const struct json *json)
{
	switch (json->type) {
	case JSON_NULL:
		buf_append_text(out, "null");
		return;
	case JSON_BOOL:
		buf_append_text(out, json->boolean ? "true" : "false");
		return;
	case JSON_NUMBER:
		buf_append(out, json->text);
		return;
	case JSON_STRING:
		json_write_string(out, json->text);
		return;
	case JSON_ARRAY:
	case JSON_OBJECT:
		buf_append_text(out, json->type == JSON_ARRAY ? "[" : "{");
		json_emit_children(out, json);
		buf_append_text(out, json->type == JSON_ARRAY ? "]" : "}");
		return;
	}
}

/* The object with this uid and version in its metadata instead of its own. */
static inline char *json_stamp(const struct json *object, const char *uid,
			       uint64_t version)
{
	struct buf out;
	char *text;

	buf_init(&out, 1 << 22);
	buf_printf(&out,
		   "{\"metadata\":{\"uid\":\"%s\",\"resourceVersion\":\"%" PRIu64 "\"",
		   uid, version);
	for (const struct json *at = json_get(object, "metadata")->first; at;
	     at = at->next) {
		if (slice_is(at->key, "uid") || slice_is(at->key, "resourceVersion"))
			continue;
		buf_append_text(&out, ",");
		json_write_string(&out, at->key);
		buf_append_text(&out, ":");
		json_emit(&out, at);
	}
	buf_append_text(&out, "}");
	for (const struct json *at = object->first; at; at = at->next) {
		if (slice_is(at->key, "metadata"))
			continue;
		buf_append_text(&out, ",");
		json_write_string(&out, at->key);
		buf_append_text(&out, ":");
		json_emit(&out, at);
	}
	buf_append_text(&out, "}");
	text = strndup(out.data, out.len);
	buf_finish(&out);
	return text;
}

static inline struct json *json_read(struct arena *arena, const char *text)
{
	struct json *json = NULL;
	struct err err;

	ck_assert_msg(json_parse(&json, arena, slice_of(text), NULL, &err) == 0,
		      "%s: %s", err.text, text);
	return json;
}

#endif
