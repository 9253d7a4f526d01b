#include "proxy/kube/json_span.h"

static void scan_string(struct json_scan *scan, char c)
{
	if (scan->is_escaped)
		scan->is_escaped = false;
	else if (c == '\\')
		scan->is_escaped = true;
	else if (c == '"')
		scan->is_in_string = false;
}

/* Of a byte outside of strings: whether the value ends before it. */
static bool scan_plain(struct json_scan *scan, char c)
{
	switch (c) {
	case '"':
		scan->is_in_string = true;
		return false;
	case '{':
	case '[':
		scan->depth++;
		return false;
	case '}':
	case ']':
		if (scan->depth == 0)
			return true;
		scan->depth--;
		return false;
	case ',':
		return scan->depth == 0;
	default:
		return scan->depth == 0 && json_is_space(c);
	}
}

size_t json_scan(struct json_scan *scan, struct slice bytes, bool *is_end)
{
	*is_end = false;
	for (size_t i = 0; i < bytes.len; i++) {
		char c = bytes.data[i];
		bool closes = c == '"' || c == '}' || c == ']';

		if (scan->is_in_string)
			scan_string(scan, c);
		else if ((*is_end = scan_plain(scan, c)))
			return i;
		else if (c == '"')
			closes = false; /* a string begins */
		*is_end = closes && scan->depth == 0 && !scan->is_in_string;
		if (*is_end)
			return i + 1;
	}
	return bytes.len;
}

static struct slice skip_space(struct slice text)
{
	while (text.len > 0 && json_is_space(text.data[0]))
		text = slice_from(text, 1);
	return text;
}

/* Takes c, and the space before it. */
static bool take(struct slice *rest, char c)
{
	*rest = skip_space(*rest);
	if (rest->len == 0 || rest->data[0] != c)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

static bool take_value(struct slice *rest, struct slice *value)
{
	struct json_scan scan = { 0 };
	bool is_end;
	size_t n;

	*rest = skip_space(*rest);
	n = json_scan(&scan, *rest, &is_end);
	*value = slice_make(rest->data, n);
	*rest = slice_from(*rest, n);
	return is_end && n > 0;
}

static bool unquote(struct slice value, struct slice *text)
{
	if (value.len < 2 || value.data[0] != '"')
		return false;
	*text = slice_make(value.data + 1, value.len - 2);
	return slice_find(*text, '\\') < 0;
}

bool json_span(struct slice object, const char *key, struct slice *value)
{
	struct slice name, found;
	bool is_found = false;

	if (!take(&object, '{'))
		return false;
	do {
		if (!take_value(&object, &name) || !take(&object, ':') ||
		    !take_value(&object, &found))
			break;
		if (!unquote(name, &name) || !slice_is(name, key))
			continue;
		*value = found;
		is_found = true;
	} while (take(&object, ','));
	return is_found;
}

bool json_span_text(struct slice object, const char *key, struct slice *text)
{
	struct slice value;

	return json_span(object, key, &value) && unquote(value, text);
}
