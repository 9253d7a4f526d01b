#include "proxy/kube/json_scan.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

size_t json_scan_skip(struct slice text, size_t at)
{
	while (at < text.len && is_space(text.data[at]))
		at++;
	return at;
}

/* Behind the string whose opening quote is at `at`; 0: it does not end. */
static size_t string_end(struct slice text, size_t at)
{
	for (at++; at < text.len; at++) {
		if (text.data[at] == '\\')
			at++;
		else if (text.data[at] == '"')
			return at + 1;
	}
	return 0;
}

static size_t container_end(struct slice text, size_t at)
{
	size_t depth = 0;

	while (at > 0 && at < text.len) {
		char c = text.data[at];

		if (c == '"') {
			at = string_end(text, at);
			continue;
		}
		at++;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return at;
	}
	return 0;
}

/* A number, true, false or null. */
static size_t word_end(struct slice text, size_t at)
{
	size_t start = at;

	while (at < text.len && !is_space(text.data[at]) &&
	       !memchr(",:]}[{\"", text.data[at], 7))
		at++;
	return at > start ? at : 0;
}

/* Behind the value that begins at `at`; 0: it does not end, or there is none. */
static size_t value_end(struct slice text, size_t at)
{
	if (at == 0 || at >= text.len)
		return 0;
	if (text.data[at] == '"')
		return string_end(text, at);
	if (text.data[at] == '{' || text.data[at] == '[')
		return container_end(text, at);
	return word_end(text, at);
}

void json_scan_open(struct json_scan *scan, struct slice text, size_t at)
{
	*scan = (struct json_scan){ .text = text, .at = at + 1 };
	scan->is_broken = at >= text.len || text.data[at] != '{';
}

static bool has(const struct json_scan *scan, char c)
{
	return scan->at < scan->text.len && scan->text.data[scan->at] == c;
}

/* The value at member->value, and what stands behind it: a comma or the end. */
static bool read_value(struct json_scan *scan, struct json_member *member, char end)
{
	member->end = value_end(scan->text, member->value);
	if (member->end == 0)
		return false;
	scan->at = json_scan_skip(scan->text, member->end);
	if (has(scan, ','))
		scan->at++;
	else if (!has(scan, end))
		return false;
	return true;
}

static bool read_member(struct json_scan *scan, struct json_member *out)
{
	struct json_member member = { .start = scan->at };

	if (!has(scan, '"') || (scan->at = string_end(scan->text, scan->at)) == 0)
		return false;
	scan->at = json_scan_skip(scan->text, scan->at);
	if (!has(scan, ':'))
		return false;
	member.value = json_scan_skip(scan->text, scan->at + 1);
	if (!read_value(scan, &member, '}'))
		return false;
	*out = member;
	return true;
}

bool json_scan_next(struct json_scan *scan, struct json_member *out)
{
	if (scan->is_broken)
		return false;
	scan->at = json_scan_skip(scan->text, scan->at);
	if (has(scan, '}'))
		return false;
	scan->is_broken = !read_member(scan, out);
	return !scan->is_broken;
}

void json_scan_open_list(struct json_scan *scan, struct slice text, size_t at)
{
	*scan = (struct json_scan){ .text = text, .at = at + 1 };
	scan->is_broken = at >= text.len || text.data[at] != '[';
}

bool json_scan_next_item(struct json_scan *scan, struct json_member *out)
{
	struct json_member item;

	if (scan->is_broken)
		return false;
	scan->at = json_scan_skip(scan->text, scan->at);
	if (has(scan, ']'))
		return false;
	item.start = item.value = scan->at;
	scan->is_broken = !read_value(scan, &item, ']');
	if (!scan->is_broken)
		*out = item;
	return !scan->is_broken;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes one character out of a raw string; -1 for one that no key of ours has. */
static int take_char(struct slice *rest)
{
	size_t n = 1;
	int c = (unsigned char)rest->data[0];

	if (c == '\\' && rest->len >= 2) {
		c = (unsigned char)rest->data[1];
		n = 2;
		if (c == 'u' && rest->len >= 6) {
			c = 0;
			for (n = 2; n < 6; n++) {
				int digit = hex_digit(rest->data[n]);

				c = c < 0 || digit < 0 ? -1 : c * 16 + digit;
			}
		} else if (c != '"' && c != '\\' && c != '/') {
			c = -1;
		}
	}
	*rest = slice_from(*rest, n);
	return c;
}

bool json_scan_key_is(struct slice text, const struct json_member *member,
		      struct slice key)
{
	size_t end = string_end(text, member->start);
	struct slice rest =
		slice_make(text.data + member->start + 1, end - member->start - 2);

	while (rest.len > 0 && key.len > 0) {
		if (take_char(&rest) != (unsigned char)key.data[0])
			return false;
		key = slice_from(key, 1);
	}
	return rest.len == 0 && key.len == 0;
}

size_t json_scan_find(struct slice text, size_t at, struct slice key,
		      struct json_member *out)
{
	struct json_member member, found = { 0 };
	struct json_scan scan;
	size_t n = 0;

	json_scan_open(&scan, text, at);
	while (json_scan_next(&scan, &member)) {
		if (!json_scan_key_is(text, &member, key))
			continue;
		found = member;
		n++;
	}
	if (scan.is_broken || n == 0)
		return 0;
	*out = found;
	return n;
}
