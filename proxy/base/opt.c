#include "proxy/base/opt.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>

#include "proxy/base/units.h"

/* A parsed value, before its bounds are checked and it is stored. */
struct value {
	int64_t number;
	struct slice text;
};

/*
 * A type: how it is read, how a bound is written, how much of the module's
 * struct it takes. 0 bytes: a text, copied to the arena.
 */
struct type {
	const char *name;
	const char *expected; /* completed by bounds or choices, if it has them */
	int (*parse)(const struct opt *row, struct slice text, struct value *out);
	int (*write_bound)(struct buf *out, int64_t bound);
	size_t bytes;
};

static int parse_text(const struct opt *row, struct slice text, struct value *out)
{
	if (slice_find(text, '\0') >= 0)
		return -EINVAL;
	out->text = text;
	return 0;
}

static int parse_bool(const struct opt *row, struct slice text, struct value *out)
{
	if (!slice_is(text, "true") && !slice_is(text, "false"))
		return -EINVAL;
	out->number = slice_is(text, "true");
	return 0;
}

static int parse_int(const struct opt *row, struct slice text, struct value *out)
{
	bool is_negative = slice_starts_with(text, "-");
	uint64_t magnitude;
	int rc = slice_to_u64(slice_from(text, is_negative), &magnitude);

	if (rc < 0)
		return rc;
	if (magnitude > INT64_MAX)
		return -ERANGE;
	out->number = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return 0;
}

static int parse_duration(const struct opt *row, struct slice text, struct value *out)
{
	return units_parse_duration(text, &out->number);
}

static int parse_size(const struct opt *row, struct slice text, struct value *out)
{
	return units_parse_size(text, &out->number);
}

static int parse_choice(const struct opt *row, struct slice text, struct value *out)
{
	for (int i = 0; row->choices[i]; i++)
		if (slice_is(text, row->choices[i])) {
			out->number = i;
			return 0;
		}
	return -EINVAL;
}

/* An IPv6 address, without the brackets that it has before a port. */
static bool is_ipv6(struct slice host)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (host.len >= sizeof(text) || slice_find(host, '\0') >= 0)
		return false;
	memcpy(text, host.data, host.len);
	text[host.len] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_host(struct slice host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		return is_ipv6(slice_make(host.data + 1, host.len - 2));
	for (size_t i = 0; i < host.len; i++)
		if (!memchr(allowed, host.data[i], sizeof(allowed) - 1))
			return false;
	return host.len > 0;
}

static int parse_address(const struct opt *row, struct slice text, struct value *out)
{
	const char *colon = text.len ? memrchr(text.data, ':', text.len) : NULL;
	uint64_t port;

	out->text = text;
	if (slice_is(text, "off"))
		return 0;
	if (!colon)
		return -EINVAL;
	size_t host_len = (size_t)(colon - text.data);

	if (!is_host(slice_make(text.data, host_len)) ||
	    slice_to_u64(slice_from(text, host_len + 1), &port) < 0 || port > 65535)
		return -EINVAL;
	return 0;
}

static int write_int(struct buf *out, int64_t bound)
{
	return buf_printf(out, "%lld", (long long)bound);
}

static const struct type types[] = {
	[OPT_TEXT] = { .name = "text",
		       .expected = "text without NUL bytes",
		       .parse = parse_text },
	[OPT_BOOL] = { .name = "bool",
		       .expected = "true or false",
		       .parse = parse_bool,
		       .bytes = sizeof(bool) },
	[OPT_INT] = { .name = "int",
		      .expected = "a whole number",
		      .parse = parse_int,
		      .write_bound = write_int,
		      .bytes = sizeof(int64_t) },
	[OPT_DURATION] = { .name = "duration",
			   .expected = "a duration such as 15s",
			   .parse = parse_duration,
			   .write_bound = units_write_duration,
			   .bytes = sizeof(int64_t) },
	[OPT_SIZE] = { .name = "size",
		       .expected = "a size such as 64Ki",
		       .parse = parse_size,
		       .write_bound = units_write_size,
		       .bytes = sizeof(int64_t) },
	[OPT_CHOICE] = { .name = "choice",
			 .expected = "one of",
			 .parse = parse_choice,
			 .bytes = sizeof(int) },
	[OPT_ADDRESS] = { .name = "address",
			  .expected = "an address such as 127.0.0.1:8443 or [::1]:0, "
				      "or off",
			  .parse = parse_address },
};

const char *opt_type_name(enum opt_type type)
{
	return types[type].name;
}

/* " between 1s and 1h", or " of at least 1s" when there is no upper bound. */
static int write_bounds(const struct opt *row, struct buf *out)
{
	int (*write_bound)(struct buf *, int64_t) = types[row->type].write_bound;
	bool has_max = row->max != INT64_MAX;
	int rc = buf_append_text(out, has_max ? " between " : " of at least ");

	if (rc == 0)
		rc = write_bound(out, row->min);
	if (rc == 0 && has_max)
		rc = buf_append_text(out, " and ");
	if (rc == 0 && has_max)
		rc = write_bound(out, row->max);
	return rc;
}

static int write_choices(const struct opt *row, struct buf *out)
{
	int rc = 0;

	for (int i = 0; row->choices[i] && rc == 0; i++)
		rc = buf_printf(out, "%s%s", i ? ", " : " ", row->choices[i]);
	return rc;
}

int opt_write_expected(const struct opt *row, struct buf *out)
{
	size_t len = out->len;
	int rc = buf_append_text(out, types[row->type].expected);

	if (rc == 0 && types[row->type].write_bound)
		rc = write_bounds(row, out);
	if (rc == 0 && row->type == OPT_CHOICE)
		rc = write_choices(row, out);
	if (rc < 0)
		out->len = len;
	return rc;
}

static int set_mismatch(const struct opt *row, struct slice text, struct err *err)
{
	struct buf expected;
	bool is_cut = text.len > 64;

	if (is_cut)
		text.len = 64;
	buf_init(&expected, sizeof(err->text));
	if (opt_write_expected(row, &expected) < 0)
		buf_append_text(&expected, "another value");
	err_set(err, -EINVAL, "expected %.*s, got '%.*s%s'",
		SLICE_ARGS(buf_slice(&expected)), SLICE_ARGS(text),
		is_cut ? "..." : "");
	buf_finish(&expected);
	return -EINVAL;
}

/* Within [min, max], if the type has bounds. */
static bool is_within(const struct opt *row, const struct value *value)
{
	return !types[row->type].write_bound ||
	       (value->number >= row->min && value->number <= row->max);
}

static void store(const struct opt *row, void *conf, struct arena *arena,
		  const struct value *value)
{
	void *at = (char *)conf + row->offset;

	switch (row->type) {
	case OPT_TEXT:
	case OPT_ADDRESS:
		*(const char **)at = arena_text(arena, value->text);
		break;
	case OPT_BOOL:
		*(bool *)at = value->number;
		break;
	case OPT_CHOICE:
		*(int *)at = (int)value->number;
		break;
	case OPT_INT:
	case OPT_DURATION:
	case OPT_SIZE:
		*(int64_t *)at = value->number;
		break;
	}
}

int opt_set(const struct opt *row, void *conf, struct arena *arena, struct slice text,
	    struct err *err)
{
	struct value value = { 0 };

	if (types[row->type].parse(row, text, &value) < 0 || !is_within(row, &value))
		return set_mismatch(row, text, err);
	store(row, conf, arena, &value);
	return 0;
}

void opt_set_defaults(const struct opt *rows, size_t n, void *conf, struct arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		int rc = opt_set(&rows[i], conf, arena, slice_of(rows[i].value), NULL);

		assert(rc == 0 && "every default parses");
	}
}

const struct opt *opt_find(const struct opt *rows, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, rows[i].name))
			return &rows[i];
	return NULL;
}

bool opt_is_equal(const struct opt *row, const void *a, const void *b)
{
	const char *at_a = (const char *)a + row->offset;
	const char *at_b = (const char *)b + row->offset;
	size_t bytes = types[row->type].bytes;

	if (bytes)
		return memcmp(at_a, at_b, bytes) == 0;
	return slice_eq(slice_of(*(const char *const *)(const void *)at_a),
			slice_of(*(const char *const *)(const void *)at_b));
}
