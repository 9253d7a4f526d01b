#include "proxy/kube/field.h"

struct term {
	struct slice text; /* whole */
	struct slice field;
	struct slice value; /* with its escapes */
	bool is_negated;
};

/* Takes the next term out of *rest: terms end at a comma without a backslash. */
static bool take_term(struct slice *rest, struct slice *out)
{
	bool is_escaped = false;
	size_t len = 0;

	if (rest->len == 0)
		return false;
	for (; len < rest->len; len++) {
		if (rest->data[len] == ',' && !is_escaped)
			break;
		is_escaped = rest->data[len] == '\\' && !is_escaped;
	}
	*out = slice_make(rest->data, len);
	*rest = slice_from(*rest, len < rest->len ? len + 1 : len);
	return true;
}

/* The operator is the first of "!=", "==" and "=" in the term. */
static bool split_term(struct slice text, struct term *out)
{
	ptrdiff_t equals = slice_find(text, '=');

	if (equals < 0)
		return false;
	out->text = text;
	out->is_negated = equals > 0 && text.data[equals - 1] == '!';
	out->field = slice_make(text.data, (size_t)equals - out->is_negated);
	out->value = slice_from(text, (size_t)equals + 1);
	if (!out->is_negated && slice_starts_with(out->value, "="))
		out->value = slice_from(out->value, 1);
	return true;
}

/* "\\", "\," and "\=" are the escapes, and those characters need them. */
static bool unescape(struct arena *arena, struct slice text, struct slice *out)
{
	char *value = arena_alloc(arena, text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		bool is_escape = text.data[i] == '\\';

		if (!is_escape && (text.data[i] == ',' || text.data[i] == '='))
			return false;
		i += is_escape;
		if (is_escape && (i == text.len || !memchr("\\,=", text.data[i], 3)))
			return false;
		value[len++] = text.data[i];
	}
	*out = slice_make(value, len);
	return true;
}

static bool is_less(struct slice a, struct slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	return order < 0 || (order == 0 && a.len < b.len);
}

bool field_requires(struct arena *arena, struct slice selector, const char *field,
		    struct slice *value)
{
	struct term term, found = { 0 };
	struct slice text, read, found_value = { 0 };

	while (take_term(&selector, &text)) {
		if (text.len == 0)
			continue;
		if (!split_term(text, &term) || !unescape(arena, term.value, &read))
			return false;
		if (term.is_negated || !slice_is(term.field, field))
			continue;
		/* Go sorts the terms before it looks for the first. */
		if (found.text.len > 0 && !is_less(term.text, found.text))
			continue;
		found = term;
		found_value = read;
	}
	if (found.text.len == 0)
		return false;
	*value = found_value;
	return true;
}
