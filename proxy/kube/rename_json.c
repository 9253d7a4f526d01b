/* Another name in JSON: a walk along the few paths where a name can stand. */
#include <errno.h>

#include "proxy/kube/json.h"
#include "proxy/kube/json_scan.h"
#include "proxy/kube/rename.h"

/* An event, a Table in it, a row, an object, its metadata. */
#define DEPTH_MAX 8

enum place {
	OBJECT,  /* an object of Kubernetes, an event, a row of a Table */
	OBJECTS, /* a list of them */
	NAMED,   /* metadata, or the details of a Status */
	NAMES,   /* the cells of a row */
	NAME,
	MESSAGE,
};

static const struct {
	enum place in;
	const char *key;
	enum place to;
} ways[] = {
	{ OBJECT, "metadata", NAMED },  { OBJECT, "details", NAMED },
	{ OBJECT, "object", OBJECT },   { OBJECT, "items", OBJECTS },
	{ OBJECT, "rows", OBJECTS },    { OBJECT, "cells", NAMES },
	{ OBJECT, "message", MESSAGE }, { NAMED, "name", NAME },
};

struct walk {
	struct buf *out;
	struct slice text;
	size_t copied; /* of the text */
	const struct rename *rename;
	int depth;
	int rc;
};

static void walk_value(struct walk *walk, const struct json_member *value,
		       enum place place);

static void copy_until(struct walk *walk, size_t at)
{
	struct slice bytes =
		slice_make(walk->text.data + walk->copied, at - walk->copied);

	if (walk->rc == 0)
		walk->rc = buf_append(walk->out, bytes);
	walk->copied = at;
}

static void walk_name(struct walk *walk, const struct json_member *value)
{
	const struct json_member as_key = { .start = value->value };

	if (!json_scan_key_is(walk->text, &as_key, walk->rename->from))
		return;
	copy_until(walk, value->value);
	if (walk->rc == 0)
		walk->rc = json_write_string(walk->out, walk->rename->to);
	walk->copied = value->end;
}

static void walk_message(struct walk *walk, const struct json_member *value)
{
	struct slice text =
		slice_make(walk->text.data + value->value, value->end - value->value);

	if (walk->rename->keeps_messages)
		return;
	copy_until(walk, value->value);
	if (walk->rc == 0)
		walk->rc = rename_text(walk->out, text, walk->rename);
	walk->copied = value->end;
}

static void walk_member(struct walk *walk, const struct json_member *member,
			enum place place)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].in == place &&
		    json_scan_key_is(walk->text, member, slice_of(ways[i].key)))
			walk_value(walk, member, ways[i].to);
}

static void walk_members(struct walk *walk, size_t at, enum place place)
{
	struct json_member member;
	struct json_scan scan;

	json_scan_open(&scan, walk->text, at);
	while (walk->rc == 0 && json_scan_next(&scan, &member))
		walk_member(walk, &member, place);
	if (scan.is_broken && walk->rc == 0)
		walk->rc = -EINVAL;
}

static void walk_items(struct walk *walk, size_t at, enum place place)
{
	struct json_member item;
	struct json_scan scan;

	json_scan_open_list(&scan, walk->text, at);
	while (walk->rc == 0 && json_scan_next_item(&scan, &item))
		walk_value(walk, &item, place);
	if (scan.is_broken && walk->rc == 0)
		walk->rc = -EINVAL;
}

static void walk_value(struct walk *walk, const struct json_member *value,
		       enum place place)
{
	char first = walk->text.data[value->value];

	if (++walk->depth > DEPTH_MAX)
		walk->rc = -EINVAL;
	else if (first == '{' && (place == OBJECT || place == NAMED))
		walk_members(walk, value->value, place);
	else if (first == '[' && place == OBJECTS)
		walk_items(walk, value->value, OBJECT);
	else if (first == '[' && place == NAMES)
		walk_items(walk, value->value, NAME);
	else if (first == '"' && place == NAME)
		walk_name(walk, value);
	else if (first == '"' && place == MESSAGE)
		walk_message(walk, value);
	walk->depth--;
}

int rename_json(struct buf *out, struct slice text, const struct rename *rename)
{
	struct walk walk = { .out = out, .text = text, .rename = rename };

	walk_members(&walk, json_scan_skip(text, 0), OBJECT);
	copy_until(&walk, text.len);
	return walk.rc;
}
