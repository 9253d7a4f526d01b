#include "proxy/kube/list.h"

#include <errno.h>

#include "proxy/base/base64url.h"

/* Of a continue token: a name and a namespace, five times over. */
#define TOKEN_BYTES_MAX 4096

int list_of_json(struct list_head *out, const struct json *object, struct err *err)
{
	const struct json *items = json_get(object, "items");
	struct slice version = json_text(object, "metadata.resourceVersion");

	if (!items || (items->type != JSON_ARRAY && items->type != JSON_NULL))
		return err_set(err, -EINVAL, "expected a list with items");
	if (version.len == 0)
		return err_set(err, -EINVAL, "list: expected a resourceVersion");
	out->resource_version = version;
	out->continue_token = json_text(object, "metadata.continue");
	out->items = items;
	return 0;
}

static int type_of(struct slice name, enum watch_event_type *out)
{
	static const char *const names[] = {
		[WATCH_ADDED] = "ADDED",     [WATCH_MODIFIED] = "MODIFIED",
		[WATCH_DELETED] = "DELETED", [WATCH_BOOKMARK] = "BOOKMARK",
		[WATCH_ERROR] = "ERROR",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!slice_is(name, names[i]))
			continue;
		*out = (enum watch_event_type)i;
		return 0;
	}
	return -EINVAL;
}

int watch_event_of_json(struct watch_event *out, const struct json *event,
			struct err *err)
{
	struct watch_event read = { .object = json_get(event, "object") };

	if (type_of(json_text(event, "type"), &read.type) < 0)
		return err_set(err, -EINVAL,
			       "expected a watch event with a known type");
	if (!read.object || read.object->type != JSON_OBJECT)
		return err_set(err, -EINVAL, "watch event: expected an object");
	if (read.type == WATCH_ERROR) {
		read.code = json_int(read.object, "code", 0);
	} else {
		read.resource_version =
			json_text(read.object, "metadata.resourceVersion");
		if (read.resource_version.len == 0)
			return err_set(err, -EINVAL,
				       "watch event: expected a resourceVersion");
	}
	*out = read;
	return 0;
}

static int token_version(struct slice text, uint64_t *out)
{
	struct arena *arena = arena_create();
	struct json *token;
	int rc = json_parse(&token, arena, text, NULL, NULL);

	if (rc == 0) {
		int64_t version = json_int(token, "rv", 0);

		if (slice_is(json_text(token, "v"), "meta.k8s.io/v1") && version > 0)
			*out = (uint64_t)version;
		else
			rc = -EINVAL;
	}
	arena_destroy(arena);
	return rc;
}

int list_continue_version(struct slice token, uint64_t *out)
{
	char text[BASE64URL_BYTES(TOKEN_BYTES_MAX)];
	size_t len;

	for (int i = 0; i < 2 && token.len > 0 && token.data[token.len - 1] == '='; i++)
		token.len--;
	if (token.len > TOKEN_BYTES_MAX || !base64url_decode(token, text, &len))
		return -EINVAL;
	return token_version(slice_make(text, len), out);
}
