/*
 * A list in JSON: {"kind":..,"items":[{..},{..}],"metadata":{..}}, in any order.
 */
#include <errno.h>
#include <string.h>

#include "proxy/kube/json.h"
#include "proxy/kube/list_reader.h"

/* Which byte comes next, white space aside. */
enum place {
	LIST_START,  /* { */
	FIRST_KEY,   /* " or } */
	KEY,         /* " */
	IN_KEY,      /* of the key's bytes */
	COLON,       /* : */
	VALUE,       /* the first byte of a value */
	IN_VALUE,    /* of its bytes */
	AFTER_VALUE, /* , or } */
	FIRST_ITEM,  /* the first byte of an item, or ] */
	ITEM,        /* the first byte of an item */
	IN_ITEM,     /* of its bytes */
	AFTER_ITEM,  /* , or ] */
	LIST_DONE,   /* nothing */
};

static int fail(struct err *err, const char *what)
{
	return err_set(err, -EINVAL, "JSON list: %s", what);
}

static bool is_wanted(const char *key)
{
	return strcmp(key, "kind") == 0 || strcmp(key, "apiVersion") == 0 ||
	       strcmp(key, "metadata") == 0;
}

/* The member's bytes are complete: keeps what is wanted of it. */
static int end_value(struct list_reader *reader, struct err *err)
{
	struct slice value = buf_slice(&reader->value), text = { 0 };
	bool fits = true;

	reader->place = AFTER_VALUE;
	if (!is_wanted(reader->key))
		return 0;
	if (strcmp(reader->key, "metadata") == 0) {
		if (json_span_text(value, "resourceVersion", &text))
			fits = list_reader_copy(reader->version,
						sizeof(reader->version), text);
		if (fits && json_span_text(value, "continue", &text)) {
			buf_clear(&reader->next);
			fits = buf_append(&reader->next, text) == 0;
		}
	} else {
		bool is_kind = reader->key[0] == 'k';

		value = value.len >= 2 ? slice_make(value.data + 1, value.len - 2)
				       : value;
		fits = list_reader_copy(is_kind ? reader->kind : reader->api_version,
					sizeof(reader->kind), value);
	}
	buf_clear(&reader->value);
	return fits ? 0 : fail(err, "a part of its head is too long");
}

static int end_key(struct list_reader *reader)
{
	struct slice key = buf_slice(&reader->value);

	/* A longer one is none that we know. */
	if (!list_reader_copy(reader->key, sizeof(reader->key),
			      slice_make(key.data + 1, key.len - 2)))
		reader->key[0] = '\0';
	buf_clear(&reader->value);
	reader->place = COLON;
	return 0;
}

/* The bytes of a key, a value or an item, as far as they go. */
static int gather(struct list_reader *reader, struct slice bytes, size_t *at,
		  struct err *err)
{
	struct slice rest = slice_from(bytes, *at);
	bool is_end, is_kept = reader->place != IN_VALUE || is_wanted(reader->key);
	size_t n = json_scan(&reader->scan, rest, &is_end);

	if (is_kept && buf_append(&reader->value, slice_make(rest.data, n)) != 0)
		return err_set(err, -EMSGSIZE, "JSON list: an item above %u bytes",
			       LIST_ITEM_BYTES_MAX);
	*at += n;
	if (!is_end)
		return 0;
	if (reader->place == IN_KEY)
		return end_key(reader);
	if (reader->place == IN_VALUE)
		return end_value(reader, err);
	reader->place = AFTER_ITEM;
	return 1;
}

static int go(struct list_reader *reader, enum place place)
{
	reader->place = place;
	return 0;
}

/* A value or an item begins with this byte, which is not taken yet. */
static int begin(struct list_reader *reader, enum place place, size_t *at)
{
	reader->scan = (struct json_scan){ 0 };
	(*at)--;
	return go(reader, place);
}

static int begin_value(struct list_reader *reader, char c, size_t *at)
{
	if (strcmp(reader->key, "items") == 0 && c == '[')
		return go(reader, FIRST_ITEM);
	return begin(reader, IN_VALUE, at);
}

/* One byte of what stands between keys, values and items; taken. */
static int step(struct list_reader *reader, char c, size_t *at, struct err *err)
{
	switch ((enum place)reader->place) {
	case LIST_START:
		return c == '{' ? go(reader, FIRST_KEY) : fail(err, "expected {");
	case FIRST_KEY:
	case KEY:
		if (c == '}' && reader->place == FIRST_KEY)
			return go(reader, LIST_DONE);
		return c == '"' ? begin(reader, IN_KEY, at)
				: fail(err, "expected a key");
	case COLON:
		return c == ':' ? go(reader, VALUE) : fail(err, "expected :");
	case VALUE:
		return strchr(",:]}", c) ? fail(err, "expected a value")
					 : begin_value(reader, c, at);
	case AFTER_VALUE:
		return c == ','   ? go(reader, KEY)
		       : c == '}' ? go(reader, LIST_DONE)
				  : fail(err, "expected , or }");
	case FIRST_ITEM:
	case ITEM:
		if (c == ']' && reader->place == FIRST_ITEM)
			return go(reader, AFTER_VALUE);
		return c == '{' ? begin(reader, IN_ITEM, at)
				: fail(err, "expected an item");
	case AFTER_ITEM:
		return c == ','   ? go(reader, ITEM)
		       : c == ']' ? go(reader, AFTER_VALUE)
				  : fail(err, "expected , or ]");
	case IN_KEY:
	case IN_VALUE:
	case IN_ITEM:
	case LIST_DONE:
		break;
	}
	return fail(err, "bytes behind its end");
}

int list_json_next(struct list_reader *reader, struct slice bytes, size_t *at,
		   struct err *err)
{
	int rc = 0;

	while (rc == 0 && *at < bytes.len) {
		char c = bytes.data[*at];

		if (reader->place == IN_KEY || reader->place == IN_VALUE ||
		    reader->place == IN_ITEM)
			rc = gather(reader, bytes, at, err);
		else if ((*at)++, !json_is_space(c))
			rc = step(reader, c, at, err);
	}
	return rc;
}

bool list_json_is_complete(const struct list_reader *reader)
{
	return reader->place == LIST_DONE;
}
