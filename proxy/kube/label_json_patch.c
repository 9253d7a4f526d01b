/*
 * The label in a JSON patch (RFC 6902): its operations come one after the other,
 * so one more behind them has the last word. Which one it must be follows from
 * what they leave of `labels`.
 */
#include <errno.h>

#include "proxy/kube/json.h"
#include "proxy/kube/label_body.h"

#define TOKENS_MAX 3

/* What the operations so far have made of the labels. */
enum labels_state {
	LABELS_AS_THEY_WERE,
	LABELS_WITHOUT, /* an object without our label */
	LABELS_WITH,    /* an object with our label */
	LABELS_GONE,
	LABELS_UNCERTAIN,
};

/* How a pointer (RFC 6901) relates to our label. */
enum relation {
	ELSEWHERE,
	AT_LABEL,  /* /metadata/labels/<ours> */
	AT_LABELS, /* /metadata/labels */
	AT_METADATA,
	AT_ROOT, /* the whole document */
};

/* Takes one decoded character of a pointer's token. */
static char take_char(struct slice *rest)
{
	char c = rest->data[0];

	*rest = slice_from(*rest, 1);
	if (c != '~' || rest->len == 0)
		return c;
	c = rest->data[0] == '1' ? '/' : '~';
	*rest = slice_from(*rest, 1);
	return c;
}

static bool token_is(struct slice token, struct slice text)
{
	for (; token.len > 0 && text.len > 0; text = slice_from(text, 1))
		if (take_char(&token) != text.data[0])
			return false;
	return token.len == 0 && text.len == 0;
}

static enum relation relation_of(struct slice pointer, struct slice key)
{
	static const enum relation ends[TOKENS_MAX + 1] = { AT_ROOT, AT_METADATA,
							    AT_LABELS, AT_LABEL };
	const struct slice path[TOKENS_MAX] = { SLICE_LITERAL("metadata"),
						SLICE_LITERAL("labels"), key };
	struct slice token;
	int n = 0;

	if (pointer.len == 0)
		return AT_ROOT;
	/* As kube-apiserver's library does, whatever stands before the first "/". */
	if (!slice_split(&pointer, '/', &token) || pointer.len == 0)
		return ELSEWHERE;
	for (; slice_split(&pointer, '/', &token); n++)
		if (n == TOKENS_MAX || !token_is(token, path[n]))
			return ELSEWHERE;
	return ends[n];
}

static bool has_member(const struct json *object, struct slice key)
{
	for (const struct json *member = object->first; member; member = member->next)
		if (slice_eq(member->key, key))
			return true;
	return false;
}

static enum labels_state state_of_labels(const struct json *labels, struct slice key)
{
	if (!labels || labels->type == JSON_NULL)
		return LABELS_GONE;
	if (labels->type != JSON_OBJECT)
		return LABELS_UNCERTAIN;
	return has_member(labels, key) ? LABELS_WITH : LABELS_WITHOUT;
}

/* Without metadata there is no name: the API server refuses, and we are not sure. */
static enum labels_state state_of_metadata(const struct json *metadata,
					   struct slice key)
{
	if (!metadata || metadata->type != JSON_OBJECT)
		return LABELS_UNCERTAIN;
	return state_of_labels(json_get(metadata, "labels"), key);
}

/* A value (NULL: one that we do not know) was written at `relation`. */
static enum labels_state after_write(enum labels_state state, enum relation relation,
				     const struct json *value, struct slice key)
{
	if (relation == ELSEWHERE)
		return state;
	if (relation == AT_LABEL)
		return LABELS_WITH;
	if (!value)
		return LABELS_UNCERTAIN;
	if (relation == AT_LABELS)
		return state_of_labels(value, key);
	return state_of_metadata(
		relation == AT_METADATA ? value : json_get(value, "metadata"), key);
}

static enum labels_state after_removal(enum labels_state state, enum relation relation)
{
	static const enum labels_state states[] = {
		[AT_LABEL] = LABELS_WITHOUT,
		[AT_LABELS] = LABELS_GONE,
		[AT_METADATA] = LABELS_UNCERTAIN,
		[AT_ROOT] = LABELS_UNCERTAIN,
	};

	return relation == ELSEWHERE ? state : states[relation];
}

static enum labels_state after(enum labels_state state, const struct json *operation,
			       struct slice key)
{
	struct slice op = json_text(operation, "op");
	enum relation path = relation_of(json_text(operation, "path"), key);
	enum relation from = relation_of(json_text(operation, "from"), key);
	bool has_value = slice_is(op, "add") || slice_is(op, "replace");

	if (slice_is(op, "test"))
		return state;
	if (slice_is(op, "remove"))
		return after_removal(state, path);
	if (slice_is(op, "move"))
		state = after_removal(state, from);
	return after_write(state, path, has_value ? json_get(operation, "value") : NULL,
			   key);
}

/* A token: "/" and "~" escaped; then a JSON string's content. */
static int write_pointer(struct buf *out, struct slice key)
{
	struct buf pointer;
	int rc;

	buf_init(&pointer, 2 * key.len + 32);
	rc = buf_append_text(&pointer, "/metadata/labels/");
	for (size_t i = 0; rc == 0 && i < key.len; i++)
		rc = key.data[i] == '/' ? buf_append_text(&pointer, "~1")
		     : key.data[i] == '~'
			     ? buf_append_text(&pointer, "~0")
			     : buf_append(&pointer, slice_make(key.data + i, 1));
	if (rc == 0)
		rc = json_write_string(out, buf_slice(&pointer));
	buf_finish(&pointer);
	return rc;
}

/* {"op":"add","path":<labels>,"value":{<label>:<value>}} */
static int write_labels(struct buf *out, const struct label_edit *edit)
{
	int rc = buf_append_text(
		out, "{\"op\":\"add\",\"path\":\"/metadata/labels\",\"value\":{");

	if (rc == 0)
		rc = json_write_string(out, edit->key);
	if (rc == 0)
		rc = buf_append_text(out, ":");
	if (rc == 0)
		rc = json_write_string(out, edit->value);
	return rc == 0 ? buf_append_text(out, "}}") : rc;
}

/* {"op":"add","path":<label>,"value":<value>}, or {"op":"remove","path":<label>} */
static int write_label(struct buf *out, const struct label_edit *edit)
{
	bool is_removed = !edit->value.data;
	int rc = buf_append_text(out, is_removed ? "{\"op\":\"remove\",\"path\":"
						 : "{\"op\":\"add\",\"path\":");

	if (rc == 0)
		rc = write_pointer(out, edit->key);
	if (rc == 0 && !is_removed)
		rc = buf_append_text(out, ",\"value\":");
	if (rc == 0 && !is_removed)
		rc = json_write_string(out, edit->value);
	return rc == 0 ? buf_append_text(out, "}") : rc;
}

/* Behind the last operation: there is one, as the patch touches the labels. */
static int append(struct buf *out, const struct label_edit *edit, bool is_gone)
{
	struct slice body = edit->body;
	size_t end = body.len;
	int rc;

	while (end > 0 && body.data[end - 1] != ']')
		end--;
	rc = buf_append(out, slice_make(body.data, end - 1));
	if (rc == 0)
		rc = buf_append_text(out, ",");
	if (rc == 0)
		rc = is_gone ? write_labels(out, edit) : write_label(out, edit);
	return rc == 0 ? buf_append(out, slice_from(body, end - 1)) : rc;
}

int label_json_patch_edit(struct buf *out, const struct label_edit *edit,
			  struct err *err)
{
	enum labels_state state = LABELS_AS_THEY_WERE;
	struct arena *arena = arena_create();
	struct json *patch;
	int rc = json_parse(&patch, arena, edit->body, NULL, err);

	if (rc == 0 && patch->type != JSON_ARRAY)
		rc = err_set(err, -EINVAL, "a JSON patch: expected an array");
	for (const struct json *op = rc == 0 ? patch->first : NULL; op; op = op->next)
		state = after(state, op, edit->key);
	arena_destroy(arena);
	if (rc < 0)
		return rc;
	if (state == LABELS_UNCERTAIN)
		return err_set(err, -ENOTSUP,
			       "a JSON patch after which it cannot tell what the "
			       "metadata or the labels are");
	if (state == LABELS_AS_THEY_WERE || (!edit->value.data && state != LABELS_WITH))
		return buf_append(out, edit->body);
	return append(out, edit, state == LABELS_GONE);
}
