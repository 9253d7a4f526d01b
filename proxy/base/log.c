#include "proxy/base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "proxy/base/clock.h"

#define VALUE_BYTES_MAX 512

/* What closes a line that grew too long; room for it is always kept. */
#define CUT_NOTE " cut=true\n"

/* How long a line waits for room in a pipe that nobody reads, before it is lost. */
#define ROOM_WAIT_MS 100

static struct {
	int fd;
	enum log_level level;
	int64_t lost; /* lines, since one was written */
} sink = { .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

/*
 * One line under construction. What does not fit is noted, not written. Up to
 * PIPE_BUF bytes, a pipe never mixes one write with another's.
 */
struct line {
	char bytes[PIPE_BUF];
	size_t len;
	bool is_full;
};

void log_open(int fd, enum log_level level)
{
	sink.fd = fd;
	sink.level = level;
}

static void line_add(struct line *line, struct slice bytes)
{
	size_t room = sizeof(line->bytes) - sizeof(CUT_NOTE) - line->len;

	if (bytes.len > room) {
		line->is_full = true;
		return;
	}
	if (bytes.len)
		memcpy(line->bytes + line->len, bytes.data, bytes.len);
	line->len += bytes.len;
}

/* A byte that may stand in a value without quotes. */
static bool is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
}

static bool wants_quotes(struct slice value)
{
	for (size_t i = 0; i < value.len; i++)
		if (!is_plain(value.data[i]))
			return true;
	return value.len == 0 || value.len > VALUE_BYTES_MAX;
}

/*
 * Whatever is not printable ASCII is written as an escape: a name from outside
 * can neither start a line nor command a terminal.
 */
static void line_add_escaped(struct line *line, char c)
{
	char escape[8];

	if (c == '"' || c == '\\')
		snprintf(escape, sizeof(escape), "\\%c", c);
	else if (c == '\n')
		snprintf(escape, sizeof(escape), "\\n");
	else if (c >= ' ' && c < 0x7f)
		snprintf(escape, sizeof(escape), "%c", c);
	else
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned char)c);
	line_add(line, slice_of(escape));
}

static void line_add_quoted(struct line *line, struct slice value)
{
	line_add(line, SLICE_LITERAL("\""));
	for (size_t i = 0; i < value.len && i < VALUE_BYTES_MAX; i++)
		line_add_escaped(line, value.data[i]);
	if (value.len > VALUE_BYTES_MAX)
		line_add(line, SLICE_LITERAL("..."));
	line_add(line, SLICE_LITERAL("\""));
}

static void line_add_field(struct line *line, const char *key, struct slice value)
{
	size_t len = line->len;

	if (len)
		line_add(line, SLICE_LITERAL(" "));
	line_add(line, slice_of(key));
	line_add(line, SLICE_LITERAL("="));
	if (wants_quotes(value))
		line_add_quoted(line, value);
	else
		line_add(line, value);
	if (line->is_full)
		line->len = len;
}

static void line_add_fields(struct line *line, const struct log_field *fields)
{
	char digits[24];

	for (; fields->key && !line->is_full; fields++) {
		struct slice value = fields->text;

		if (fields->is_number) {
			snprintf(digits, sizeof(digits), "%lld",
				 (long long)fields->number);
			value = slice_of(digits);
		}
		line_add_field(line, fields->key, value);
	}
}

/*
 * Whether a line can be written without a wait: the program must not stand still with
 * whoever reads its log. Where one has waited in vain, no other waits.
 */
static bool has_room(void)
{
	struct pollfd out = { .fd = sink.fd, .events = POLLOUT };
	int n;

	do
		n = poll(&out, 1, sink.lost > 0 ? 0 : ROOM_WAIT_MS);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

/* Lost where the log is closed or broken: there is no other place to say so. */
static bool line_write(struct line *line)
{
	struct slice end = line->is_full ? SLICE_LITERAL(CUT_NOTE)
					 : SLICE_LITERAL("\n");
	ssize_t n;

	if (!has_room())
		return false;
	memcpy(line->bytes + line->len, end.data, end.len);
	line->len += end.len;
	do
		n = write(sink.fd, line->bytes, line->len);
	while (n < 0 && errno == EINTR);
	return true;
}

static bool line_make_and_write(enum log_level level, const char *module,
				const char *message, const struct log_field *fields)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char now[CLOCK_WALL_BYTES];
	struct line line;

	line.len = 0;
	line.is_full = false;
	clock_wall_text(now);
	line_add_field(&line, "time", slice_of(now));
	line_add_field(&line, "level", slice_of(names[level]));
	line_add_field(&line, "module", slice_of(module));
	line_add_field(&line, "msg", slice_of(message));
	line_add_fields(&line, fields);
	return line_write(&line);
}

void log_write(enum log_level level, const char *module, const char *message,
	       const struct log_field *fields)
{
	const struct log_field lost[] = { log_int("lines", sink.lost), { 0 } };

	if (level < sink.level)
		return;
	if (sink.lost > 0 &&
	    line_make_and_write(LOG_LEVEL_WARN, "log",
				"lines are lost, as nobody read them", lost))
		sink.lost = 0;
	if (sink.lost > 0 || !line_make_and_write(level, module, message, fields))
		sink.lost++;
}
