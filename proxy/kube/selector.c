#include "proxy/kube/selector.h"

static int write_set(struct buf *out, struct slice key, const char *operator,
		     const uint16_t * values, size_t n)
{
	size_t start = out->len;
	int rc = buf_append(out, key);

	if (rc == 0)
		rc = buf_append_text(out, operator);
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = buf_printf(out, "%s%u", i == 0 ? "" : ",", values[i]);
	if (rc == 0)
		rc = buf_append_text(out, ")");
	if (rc < 0)
		out->len = start;
	return rc;
}

int selector_write_in(struct buf *out, struct slice key, const uint16_t *values,
		      size_t n)
{
	return write_set(out, key, " in (", values, n);
}

int selector_write_notin(struct buf *out, struct slice key, const uint16_t *values,
			 size_t n)
{
	return write_set(out, key, " notin (", values, n);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trim_end(struct slice text)
{
	while (text.len > 0 && is_blank(text.data[text.len - 1]))
		text.len--;
	return text;
}

static bool is_balanced(struct slice text)
{
	bool is_open = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] != '(' && text.data[i] != ')')
			continue;
		if (is_open == (text.data[i] == '('))
			return false;
		is_open = !is_open;
	}
	return !is_open;
}

bool selector_is_joinable(struct slice selector)
{
	struct slice text = trim_end(selector);

	if (selector.len == 0)
		return true;
	return text.len > 0 && slice_find(text, '\0') < 0 && is_balanced(text) &&
	       !memchr(",!<>", text.data[text.len - 1], 4);
}
