#include "proxy/net/strict.h"

#include <string.h>

bool strict_is_token(struct slice text)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		bool is_alphanumeric = (c >= 'a' && c <= 'z') ||
				       (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!is_alphanumeric && (c == '\0' || strchr(marks, c) == NULL))
			return false;
	}
	return text.len > 0;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

bool strict_is_target(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_control(text.data[i]) || text.data[i] == ' ')
			return false;
	return text.len > 0;
}

static bool is_value(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_control(text.data[i]) && text.data[i] != '\t')
			return false;
	return true;
}

bool strict_are_fields(const struct header *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strict_is_token(fields[i].name) || !is_value(fields[i].value))
			return false;
	return true;
}

struct framing {
	struct slice length; /* "" where none is said */
	bool has_length;
	bool is_chunked;
};

static bool take_field(struct framing *framing, struct slice name, struct slice value)
{
	value = slice_trim(value);
	if (slice_is_nocase(name, "content-length")) {
		if (framing->has_length && !slice_eq(framing->length, value))
			return false;
		framing->has_length = true;
		framing->length = value;
	} else if (slice_is_nocase(name, "transfer-encoding")) {
		if (framing->is_chunked || !slice_is_nocase(value, "chunked"))
			return false;
		framing->is_chunked = true;
	}
	return true;
}

bool strict_is_framing(struct slice head, bool is_1_0)
{
	struct framing framing = { .has_length = false };
	struct slice line, name;

	/* Empty lines may come before a request (RFC 9112, 2.2). */
	while (head.len > 0 && (head.data[0] == '\r' || head.data[0] == '\n'))
		head = slice_from(head, 1);
	(void)slice_split(&head, '\n', &line);
	while (slice_split(&head, '\n', &line)) {
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			break;
		if (slice_split(&line, ':', &name) && !take_field(&framing, name, line))
			return false;
	}
	return !framing.is_chunked || !(framing.has_length || is_1_0);
}
