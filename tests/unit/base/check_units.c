#include "proxy/base/units.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define UNTOUCHED 4711

struct parse_case {
	const char *text;
	int rc;
	int64_t value;
};

static void check_parse(const struct parse_case *cases, size_t n,
			int (*parse)(struct slice text, int64_t *out))
{
	for (size_t i = 0; i < n; i++) {
		int64_t value = UNTOUCHED;
		int rc = parse(slice_of(cases[i].text), &value);

		ck_assert_msg(rc == cases[i].rc, "'%s' gives %d", cases[i].text, rc);
		ck_assert_int_eq(value, rc == 0 ? cases[i].value : UNTOUCHED);
	}
}

START_TEST(units_read_durations_with_the_larger_unit_first)
{
	static const struct parse_case cases[] = {
		{ "250ms", 0, 250 },
		{ "15s", 0, 15000 },
		{ "1m30s", 0, 90000 },
		{ "2h", 0, 7200000 },
		{ "1h2m3s4ms", 0, 3723004 },
		{ "90s", 0, 90000 },
		{ "0", 0, 0 },
		{ "0s", 0, 0 },
		{ "9223372036854775807ms", 0, INT64_MAX },
		{ "9223372036854775808ms", -ERANGE, 0 },
		{ "2562047788015h13m", -ERANGE, 0 },
		{ "99999999999999999999s", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "5", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },
		{ "1s1m", -EINVAL, 0 },
		{ "1s1s", -EINVAL, 0 },
		{ "1m30", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "1ms1", -EINVAL, 0 },
	};

	check_parse(cases, sizeof(cases) / sizeof(cases[0]), units_parse_duration);
}
END_TEST

START_TEST(units_read_sizes_in_powers_of_1024)
{
	static const struct parse_case cases[] = {
		{ "0", 0, 0 },
		{ "4096", 0, 4096 },
		{ "64Ki", 0, 65536 },
		{ "8Mi", 0, 8388608 },
		{ "1Gi", 0, 1073741824 },
		{ "8589934591Gi", 0, INT64_MAX - (1 << 30) + 1 },
		{ "8589934592Gi", -ERANGE, 0 },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "Ki", -EINVAL, 0 },
		{ "1K", -EINVAL, 0 },
		{ "1MB", -EINVAL, 0 },
		{ "1Mi5", -EINVAL, 0 },
		{ "1Mi5Ki", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1.5Mi", -EINVAL, 0 },
	};

	check_parse(cases, sizeof(cases) / sizeof(cases[0]), units_parse_size);
}
END_TEST

START_TEST(units_write_what_they_read)
{
	static const char *const durations[] = {
		"0s", "1ms", "999ms", "1s", "1s500ms", "1m30s", "1h", "1h1ms", "25h",
	};
	static const char *const sizes[] = {
		"0", "1", "1023", "1Ki", "1025", "64Ki", "8Mi", "1Gi", "1025Mi",
	};
	struct buf out;
	int64_t value;

	buf_init(&out, 100);
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		ck_assert_int_eq(units_parse_duration(slice_of(durations[i]), &value),
				 0);
		ck_assert_int_eq(units_write_duration(&out, value), 0);
		ck_assert_slice(buf_slice(&out), durations[i]);
		buf_clear(&out);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(units_parse_size(slice_of(sizes[i]), &value), 0);
		ck_assert_int_eq(units_write_size(&out, value), 0);
		ck_assert_slice(buf_slice(&out), sizes[i]);
		buf_clear(&out);
	}
	buf_finish(&out);
}
END_TEST

START_TEST(units_write_nothing_when_not_everything_fits)
{
	struct buf out;

	buf_init(&out, 4);
	ck_assert_int_eq(units_write_duration(&out, 90000), -EMSGSIZE);
	ck_assert_slice(buf_slice(&out), "");
	ck_assert_int_eq(units_write_size(&out, 10001), -EMSGSIZE);
	ck_assert_slice(buf_slice(&out), "");
	buf_finish(&out);
}
END_TEST

UNIT_MAIN("base/units", units_read_durations_with_the_larger_unit_first,
	  units_read_sizes_in_powers_of_1024, units_write_what_they_read,
	  units_write_nothing_when_not_everything_fits)
