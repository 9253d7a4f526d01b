#include "proxy/kube/json.h"

#include <errno.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

struct parser {
	struct arena *arena;
	const char *const *keep;
	struct json *root;
	struct json *open[JSON_DEPTH_MAX]; /* NULL where the container is dropped */
	struct json *last[JSON_DEPTH_MAX]; /* the last child of each */
	size_t depth;
	size_t nodes;
	struct slice key;      /* of the next value */
	bool is_dropping;      /* below a top-level key that is not kept */
	const char *complaint; /* of ours, where yajl has none */
};

static bool is_kept(const struct parser *parser, struct slice key)
{
	if (!parser->keep)
		return true;
	for (const char *const *name = parser->keep; *name; name++)
		if (slice_is(key, *name))
			return true;
	return false;
}

static int complain(struct parser *parser, const char *complaint)
{
	parser->complaint = complaint;
	return 0;
}

/* Links a new value where the document stands. NULL when it is dropped. */
static struct json *add(struct parser *parser, enum json_type type)
{
	if (parser->is_dropping || parser->complaint)
		return NULL;

	struct json *node = arena_alloc(parser->arena, sizeof(*node));

	node->type = type;
	node->key = parser->key;
	parser->key = (struct slice){ 0 };
	if (parser->depth == 0) {
		parser->root = node;
		return node;
	}

	struct json *parent = parser->open[parser->depth - 1];
	struct json **last = &parser->last[parser->depth - 1];

	*(*last ? &(*last)->next : &parent->first) = node;
	*last = node;
	parent->count++;
	return node;
}

/* Of a callback: 1 goes on, 0 ends the parse. Dropped values count, too. */
static int go_on(struct parser *parser)
{
	if (++parser->nodes > JSON_NODES_MAX)
		return complain(parser, "too many values");
	return 1;
}

static int on_null(void *arg)
{
	add(arg, JSON_NULL);
	return go_on(arg);
}

static int on_bool(void *arg, int value)
{
	struct json *node = add(arg, JSON_BOOL);

	if (node)
		node->boolean = value;
	return go_on(arg);
}

static int on_text(struct parser *parser, enum json_type type, const char *data,
		   size_t len)
{
	struct json *node = add(parser, type);

	if (node)
		node->text = arena_copy(parser->arena, slice_make(data, len));
	return go_on(parser);
}

static int on_number(void *arg, const char *data, size_t len)
{
	return on_text(arg, JSON_NUMBER, data, len);
}

static int on_string(void *arg, const unsigned char *data, size_t len)
{
	return on_text(arg, JSON_STRING, (const char *)data, len);
}

static int on_open(struct parser *parser, enum json_type type)
{
	if (parser->depth == JSON_DEPTH_MAX)
		return complain(parser, "nested too deeply");

	struct json *node = add(parser, type);

	parser->open[parser->depth] = node;
	parser->last[parser->depth] = NULL;
	parser->depth++;
	return go_on(parser);
}

static int on_open_object(void *arg)
{
	return on_open(arg, JSON_OBJECT);
}

static int on_open_array(void *arg)
{
	return on_open(arg, JSON_ARRAY);
}

static int on_key(void *arg, const unsigned char *data, size_t len)
{
	struct parser *parser = arg;
	struct slice key = slice_make((const char *)data, len);

	if (parser->depth == 1)
		parser->is_dropping = !is_kept(parser, key);
	if (!parser->is_dropping)
		parser->key = arena_copy(parser->arena, key);
	return 1;
}

static int on_close(void *arg)
{
	struct parser *parser = arg;

	parser->depth--;
	return 1;
}

/* yajl_number and not yajl_integer: the latter fails from 2^63 on. */
static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_bool,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_open_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_close,
	.yajl_start_array = on_open_array,
	.yajl_end_array = on_close,
};

/* Says where, and what yajl or we found there; never the bytes. */
static int fail(struct parser *parser, yajl_handle yajl, size_t position,
		struct err *err)
{
	if (parser->complaint)
		return err_set(err, -EINVAL, "JSON, near byte %zu: %s", position,
			       parser->complaint);

	unsigned char *text = yajl_get_error(yajl, 0, NULL, 0);
	size_t len = strcspn((const char *)text, "\n");

	err_set(err, -EINVAL, "JSON, near byte %zu: %.*s", position, (int)len,
		(const char *)text);
	yajl_free_error(yajl, text);
	return -EINVAL;
}

/* yajl's white space that JSON has not (RFC 8259, 2), and no string holds as it is. */
static int check_space(struct slice text, struct err *err)
{
	for (const char *odd = "\v\f"; *odd != '\0'; odd++) {
		ptrdiff_t at = slice_find(text, *odd);

		if (at >= 0)
			return err_set(err, -EINVAL,
				       "JSON, near byte %td: a control character", at);
	}
	return 0;
}

int json_parse(struct json **out, struct arena *arena, struct slice text,
	       const char *const *keep, struct err *err)
{
	if (check_space(text, err) != 0)
		return -EINVAL;

	struct parser parser = { .arena = arena, .keep = keep };
	yajl_handle yajl = yajl_alloc(&callbacks, NULL, &parser);
	int rc = 0;

	if (!yajl)
		abort();

	yajl_status status =
		yajl_parse(yajl, (const unsigned char *)text.data, text.len);
	size_t position = yajl_get_bytes_consumed(yajl);

	if (status == yajl_status_ok)
		status = yajl_complete_parse(yajl);
	if (status == yajl_status_ok)
		*out = parser.root;
	else
		rc = fail(&parser, yajl, position, err);
	yajl_free(yajl);
	return rc;
}

/* The last child of that name. */
static const struct json *member(const struct json *object, struct slice key)
{
	const struct json *found = NULL;

	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (const struct json *child = object->first; child; child = child->next)
		if (slice_eq(child->key, key))
			found = child;
	return found;
}

const struct json *json_get(const struct json *object, const char *key)
{
	return member(object, slice_of(key));
}

const struct json *json_at(const struct json *object, const char *path)
{
	struct slice rest = slice_of(path);
	struct slice key;

	while (object && slice_split(&rest, '.', &key))
		object = member(object, key);
	return object;
}

struct slice json_text(const struct json *object, const char *path)
{
	const struct json *node = json_at(object, path);

	return node && node->type == JSON_STRING ? node->text : (struct slice){ 0 };
}

int64_t json_int(const struct json *object, const char *path, int64_t fallback)
{
	const struct json *node = json_at(object, path);

	if (!node || node->type != JSON_NUMBER)
		return fallback;

	bool is_negative = slice_starts_with(node->text, "-");
	uint64_t value;

	if (slice_to_u64(slice_from(node->text, is_negative), &value) < 0 ||
	    value > (uint64_t)INT64_MAX)
		return fallback;
	return is_negative ? -(int64_t)value : (int64_t)value;
}

/* The length of the UTF-8 sequence that s begins with, 0 if it is none. */
static size_t utf8_length(struct slice s)
{
	static const uint32_t least[] = { [2] = 0x80, [3] = 0x800, [4] = 0x10000 };
	unsigned char first = (unsigned char)s.data[0];
	size_t n = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

	if (first < 0x80)
		return 1;
	if (first < 0xc0 || first > 0xf7 || n > s.len)
		return 0;

	uint32_t point = first & (0x7f >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s.data[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (s.data[i] & 0x3f);
	}

	bool is_surrogate = point >= 0xd800 && point <= 0xdfff;

	return point < least[n] || point > 0x10ffff || is_surrogate ? 0 : n;
}

/* How many bytes at the start of s may stand in a JSON string as they are. */
static size_t plain_length(struct slice s)
{
	size_t n = 0;

	while (n < s.len) {
		unsigned char c = (unsigned char)s.data[n];
		size_t step = utf8_length(slice_from(s, n));

		if (c < 0x20 || c == '"' || c == '\\' || step == 0)
			break;
		n += step;
	}
	return n;
}

static int write_escape(struct buf *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		return buf_printf(out, "\\%c", c);
	if (c < 0x20)
		return buf_printf(out, "\\u%04x", c);
	/* No UTF-8: U+FFFD stands for it, as in Go's encoding/json. */
	return buf_append_text(out, "\\ufffd");
}

int json_write_string(struct buf *out, struct slice text)
{
	size_t start = out->len;
	int rc = buf_append_text(out, "\"");

	while (rc == 0 && text.len > 0) {
		size_t n = plain_length(text);

		rc = buf_append(out, slice_make(text.data, n));
		text = slice_from(text, n);
		if (rc == 0 && text.len > 0) {
			rc = write_escape(out, (unsigned char)text.data[0]);
			text = slice_from(text, 1);
		}
	}
	if (rc == 0)
		rc = buf_append_text(out, "\"");
	if (rc < 0)
		out->len = start;
	return rc;
}
