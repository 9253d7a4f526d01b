#include "proxy/base/units.h"

#include <assert.h>
#include <errno.h>

struct unit {
	const char *name;
	int64_t worth;
};

/* The largest first; NULL ends a table. */
static const struct unit durations[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};

static const struct unit sizes[] = {
	{ "Gi", 1 << 30 }, { "Mi", 1 << 20 }, { "Ki", 1 << 10 }, { "", 1 }, { NULL, 0 },
};

/* Takes what is made of digits, or is not, from the front of *text. */
static struct slice take_while(struct slice *text, bool is_digit)
{
	size_t n = 0;

	while (n < text->len &&
	       (text->data[n] >= '0' && text->data[n] <= '9') == is_digit)
		n++;
	struct slice taken = slice_make(text->data, n);

	*text = slice_from(*text, n);
	return taken;
}

static const struct unit *unit_find(const struct unit *units, struct slice name)
{
	for (; units->name; units++)
		if (slice_is(name, units->name))
			return units;
	return NULL;
}

/*
 * Takes a number and its unit from the front of *text and adds them to *sum.
 * *units moves behind that unit: only smaller ones may follow.
 */
static int take_part(struct slice *text, const struct unit **units, int64_t *sum)
{
	uint64_t number;
	int64_t product;
	int rc = slice_to_u64(take_while(text, true), &number);
	const struct unit *unit = unit_find(*units, take_while(text, false));

	if (rc < 0)
		return rc;
	if (!unit)
		return -EINVAL;
	*units = unit + 1;
	if (__builtin_mul_overflow(number, unit->worth, &product) ||
	    __builtin_add_overflow(*sum, product, sum))
		return -ERANGE;
	return 0;
}

int units_parse_duration(struct slice text, int64_t *out_ms)
{
	const struct unit *units = durations;
	int64_t sum = 0;

	if (slice_is(text, "0"))
		text = SLICE_LITERAL("0s");
	do {
		int rc = take_part(&text, &units, &sum);

		if (rc < 0)
			return rc;
	} while (text.len);
	*out_ms = sum;
	return 0;
}

int units_parse_size(struct slice text, int64_t *out_bytes)
{
	const struct unit *units = sizes;
	int64_t sum = 0;
	int rc = take_part(&text, &units, &sum);

	if (rc < 0)
		return rc;
	if (text.len)
		return -EINVAL;
	*out_bytes = sum;
	return 0;
}

int units_write_duration(struct buf *out, int64_t ms)
{
	size_t len = out->len;
	int rc = 0;

	assert(ms >= 0 && "no duration is negative");
	if (ms == 0)
		return buf_append_text(out, "0s");
	for (const struct unit *unit = durations; unit->name && rc == 0; unit++) {
		if (ms >= unit->worth)
			rc = buf_printf(out, "%lld%s", (long long)(ms / unit->worth),
					unit->name);
		ms %= unit->worth;
	}
	if (rc < 0)
		out->len = len;
	return rc;
}

int units_write_size(struct buf *out, int64_t bytes)
{
	const struct unit *unit = sizes;

	assert(bytes >= 0 && "no size is negative");
	while (unit->worth > 1 && (bytes < unit->worth || bytes % unit->worth))
		unit++;
	return buf_printf(out, "%lld%s", (long long)(bytes / unit->worth), unit->name);
}
