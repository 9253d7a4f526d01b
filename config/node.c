#include "config/node.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

struct reader {
	yaml_parser_t yaml;
	struct arena *arena;
	const char *file;
	struct slice text;
	int depth;
	int nodes;
	struct err *err;
};

static struct place place_of(const struct reader *reader, yaml_mark_t mark)
{
	return (struct place){ reader->file, (int)mark.line + 1, (int)mark.column + 1 };
}

int place_error(const struct place *place, struct err *err, const char *format, ...)
{
	struct err message;
	va_list args;

	va_start(args, format);
	vsnprintf(message.text, sizeof(message.text), format, args);
	va_end(args);
	/* A message is one line, also when it quotes. */
	for (char *c = message.text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return err_set(err, -EINVAL, "%s:%d:%d: %s", place->file, place->line,
		       place->column, message.text);
}

/* libyaml gives errors of encoding no line, only how many bytes came before. */
static struct place place_of_offset(const struct reader *reader, size_t offset)
{
	struct place place = { reader->file, 1, 1 };

	for (size_t i = 0; i < offset && i < reader->text.len; i++) {
		place.column++;
		if (reader->text.data[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}

static int syntax_error(const struct reader *reader)
{
	const yaml_parser_t *yaml = &reader->yaml;
	const char *problem = yaml->problem ? yaml->problem : "cannot be parsed";
	struct place place;

	if (yaml->error == YAML_READER_ERROR)
		place = place_of_offset(reader, yaml->problem_offset);
	else
		place = place_of(reader, yaml->problem_mark);
	return place_error(&place, reader->err, "not valid YAML: %s", problem);
}

static int next_event(struct reader *reader, yaml_event_t *event)
{
	if (!yaml_parser_parse(&reader->yaml, event))
		return syntax_error(reader);
	return 0;
}

static bool is_null_text(struct slice text)
{
	return text.len == 0 || slice_is(text, "~") || slice_is(text, "null");
}

static int read_scalar(struct reader *reader, const yaml_event_t *event,
		       struct node *node)
{
	struct slice text = slice_make((const char *)event->data.scalar.value,
				       event->data.scalar.length);

	if (slice_find(text, '\0') >= 0)
		return place_error(&node->place, reader->err,
				   "a text with a zero byte in it");
	node->type = NODE_SCALAR;
	node->text = arena_copy(reader->arena, text);
	node->is_null = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			is_null_text(text);
	return 0;
}

static int read_node(struct reader *reader, const yaml_event_t *event,
		     struct node **out);

/* What stands before `end`: items of a list. */
static int read_items(struct reader *reader, struct node *list)
{
	struct node **tail = &list->first;
	yaml_event_t event;
	int rc;

	for (;;) {
		if ((rc = next_event(reader, &event)) < 0)
			return rc;
		if (event.type == YAML_SEQUENCE_END_EVENT)
			break;
		rc = read_node(reader, &event, tail);
		yaml_event_delete(&event);
		if (rc < 0)
			return rc;
		tail = &(*tail)->next;
	}
	yaml_event_delete(&event);
	return 0;
}

static int check_key(const struct reader *reader, const struct node *mapping,
		     const struct node *key)
{
	int keys = 0;

	if (key->type != NODE_SCALAR)
		return place_error(&key->place, reader->err, "expected a key, found %s",
				   node_type_name(key));
	for (const struct node *other = mapping->first; other; other = other->next) {
		if (slice_eq(other->key, key->text))
			return place_error(&key->place, reader->err,
					   "a key that already stands at %d:%d",
					   other->key_place.line,
					   other->key_place.column);
		if (++keys == NODE_KEYS_MAX)
			return place_error(&key->place, reader->err,
					   "more than %d keys in one mapping", keys);
	}
	return 0;
}

/* event: the key. Its value follows. */
static int read_entry(struct reader *reader, const yaml_event_t *event,
		      const struct node *mapping, struct node **out)
{
	struct node *key, *value;
	yaml_event_t value_event;
	int rc;

	if ((rc = read_node(reader, event, &key)) < 0 ||
	    (rc = check_key(reader, mapping, key)) < 0 ||
	    (rc = next_event(reader, &value_event)) < 0)
		return rc;
	rc = read_node(reader, &value_event, &value);
	yaml_event_delete(&value_event);
	if (rc < 0)
		return rc;
	value->key = key->text;
	value->key_place = key->place;
	*out = value;
	return 0;
}

static int read_entries(struct reader *reader, struct node *mapping)
{
	struct node **tail = &mapping->first;
	yaml_event_t event;
	int rc;

	for (;;) {
		if ((rc = next_event(reader, &event)) < 0)
			return rc;
		if (event.type == YAML_MAPPING_END_EVENT)
			break;
		rc = read_entry(reader, &event, mapping, tail);
		yaml_event_delete(&event);
		if (rc < 0)
			return rc;
		tail = &(*tail)->next;
	}
	yaml_event_delete(&event);
	return 0;
}

static int read_children(struct reader *reader, struct node *node)
{
	int rc;

	if (++reader->depth > NODE_DEPTH_MAX)
		return place_error(&node->place, reader->err,
				   "nested more than %d deep", NODE_DEPTH_MAX);
	rc = node->type == NODE_LIST ? read_items(reader, node)
				     : read_entries(reader, node);
	reader->depth--;
	return rc;
}

static bool has_tag(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT:
		return event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT:
		return event->data.mapping_start.tag;
	default:
		return false;
	}
}

/* *out is written at once, so that a list's tail is right while it grows. */
static int read_node(struct reader *reader, const yaml_event_t *event,
		     struct node **out)
{
	struct place place = place_of(reader, event->start_mark);
	struct node *node;

	if (++reader->nodes > NODE_COUNT_MAX)
		return place_error(&place, reader->err, "more than %d values",
				   NODE_COUNT_MAX);
	if (event->type == YAML_ALIAS_EVENT)
		return place_error(&place, reader->err,
				   "an alias; they are not supported");
	if (has_tag(event))
		return place_error(&place, reader->err,
				   "a tag; they are not supported");
	node = arena_alloc(reader->arena, sizeof(*node));
	node->place = place;
	*out = node;
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(reader, event, node);
	node->type = event->type == YAML_SEQUENCE_START_EVENT ? NODE_LIST
							      : NODE_MAPPING;
	return read_children(reader, node);
}

static struct node *make_null(const struct reader *reader)
{
	struct node *node = arena_alloc(reader->arena, sizeof(*node));

	node->place = (struct place){ reader->file, 1, 1 };
	node->is_null = true;
	return node;
}

/* The stream is: start, (document start, a node, document end)*, end. */
static int read_stream(struct reader *reader, struct node **out)
{
	struct node *root = NULL;
	yaml_event_t event;
	int rc = 0;

	for (bool is_end = false; !is_end && rc == 0;) {
		if ((rc = next_event(reader, &event)) < 0)
			return rc;
		if (event.type == YAML_STREAM_END_EVENT)
			is_end = true;
		else if (event.type == YAML_DOCUMENT_START_EVENT && root)
			rc = place_error(
				&(struct place){ reader->file,
						 (int)event.start_mark.line + 1, 1 },
				reader->err, "a second document; expected one");
		else if (event.type != YAML_STREAM_START_EVENT &&
			 event.type != YAML_DOCUMENT_START_EVENT &&
			 event.type != YAML_DOCUMENT_END_EVENT)
			rc = read_node(reader, &event, &root);
		yaml_event_delete(&event);
	}
	if (rc == 0)
		*out = root ? root : make_null(reader);
	return rc;
}

int node_parse(struct node **out, struct arena *arena, const char *file,
	       struct slice text, struct err *err)
{
	struct reader reader = {
		.arena = arena, .file = file, .text = text, .err = err
	};
	int rc;

	if (!yaml_parser_initialize(&reader.yaml))
		return err_set(err, -ENOMEM, "%s: out of memory", file);
	/* libyaml asserts that there is a text, be it empty. */
	yaml_parser_set_input_string(
		&reader.yaml, (const unsigned char *)(text.data ? text.data : ""),
		text.len);
	rc = read_stream(&reader, out);
	yaml_parser_delete(&reader.yaml);
	return rc;
}

const struct node *node_get(const struct node *node, const char *key)
{
	if (node->type != NODE_MAPPING)
		return NULL;
	for (const struct node *child = node->first; child; child = child->next)
		if (slice_is(child->key, key))
			return child;
	return NULL;
}

const char *node_type_name(const struct node *node)
{
	switch (node->type) {
	case NODE_LIST:
		return "a list";
	case NODE_MAPPING:
		return "a mapping";
	default:
		return node->is_null ? "nothing" : "text";
	}
}

int node_expect(const struct node *node, enum node_type type, struct err *err)
{
	struct node expected = { .type = type };

	if (node->type == type || (node->is_null && type != NODE_SCALAR))
		return 0;
	return place_error(&node->place, err, "%.*s%sexpected %s, found %s",
			   SLICE_ARGS(node->key), node->key.len ? ": " : "",
			   node_type_name(&expected), node_type_name(node));
}
