#include "proxy/base/metric.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const struct metric requests[] = {
	{ "ringside_requests_total", "verb=\"get\"", METRIC_COUNTER,
	  "Requests by verb." },
	{ "ringside_requests_total", "verb=\"list\"", METRIC_COUNTER, NULL },
	{ "ringside_up", NULL, METRIC_GAUGE, "1 while the ring is served." },
};

static const char requests_page[] =
	"# HELP ringside_requests_total Requests by verb.\n"
	"# TYPE ringside_requests_total counter\n"
	"ringside_requests_total{verb=\"get\"} 3\n"
	"ringside_requests_total{verb=\"list\"} 9223372036854775807\n"
	"# HELP ringside_up 1 while the ring is served.\n"
	"# TYPE ringside_up gauge\n"
	"ringside_up -1\n";

START_TEST(metrics_without_tables_print_an_empty_page)
{
	struct metrics *metrics = metrics_create();
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(metrics_print(metrics, &out), 0);
	ck_assert_slice(buf_slice(&out), "");
	buf_finish(&out);
	metrics_destroy(metrics);
}
END_TEST

START_TEST(metrics_print_each_name_once_above_its_rows)
{
	struct metrics *metrics = metrics_create();
	int64_t values[] = { 3, INT64_MAX, -1 };
	struct buf out;

	buf_init(&out, 1000);
	metrics_add(metrics, requests, values, 3);
	ck_assert_int_eq(metrics_print(metrics, &out), 0);
	ck_assert_slice(buf_slice(&out), requests_page);
	buf_finish(&out);
	metrics_destroy(metrics);
}
END_TEST

START_TEST(metrics_print_the_values_of_now_in_the_order_of_adding)
{
	static const struct metric rows[] = {
		{ "a", NULL, METRIC_GAUGE, "A." },
		{ "b", NULL, METRIC_GAUGE, "B." },
	};
	struct metrics *metrics = metrics_create();
	int64_t values[] = { 1, 2 };
	struct buf out;

	buf_init(&out, 1000);
	metrics_add(metrics, &rows[1], &values[1], 1);
	metrics_add(metrics, &rows[0], &values[0], 1);
	values[0]++;
	ck_assert_int_eq(metrics_print(metrics, &out), 0);
	ck_assert_slice(buf_slice(&out), "# HELP b B.\n# TYPE b gauge\nb 2\n"
					 "# HELP a A.\n# TYPE a gauge\na 2\n");
	buf_finish(&out);
	metrics_destroy(metrics);
}
END_TEST

static void add_one(void *arg)
{
	++*(int64_t *)arg;
}

START_TEST(metrics_refresh_runs_before_every_print)
{
	static const struct metric row = { "a", NULL, METRIC_GAUGE, "A." };
	struct metrics *metrics = metrics_create();
	int64_t value = 0;
	struct buf out;

	buf_init(&out, 1000);
	metrics_add(metrics, &row, &value, 1);
	metrics_on_print(metrics, add_one, &value);
	metrics_on_print(metrics, NULL, NULL);
	ck_assert_int_eq(value, 0);
	metrics_print(metrics, &out);
	buf_clear(&out);
	metrics_print(metrics, &out);
	ck_assert_slice(buf_slice(&out), "# HELP a A.\n# TYPE a gauge\na 2\n");
	buf_finish(&out);
	metrics_destroy(metrics);
}
END_TEST

START_TEST(metrics_page_that_does_not_fit_is_not_begun)
{
	struct metrics *metrics = metrics_create();
	int64_t values[] = { 3, INT64_MAX, -1 };

	metrics_add(metrics, requests, values, 3);
	for (size_t cap = 5; cap < 5 + sizeof(requests_page) - 1; cap++) {
		struct buf out;

		buf_init(&out, cap);
		buf_append_text(&out, "head\n");
		ck_assert_int_eq(metrics_print(metrics, &out), -EMSGSIZE);
		ck_assert_slice(buf_slice(&out), "head\n");
		buf_finish(&out);
	}
	metrics_destroy(metrics);
}
END_TEST

START_TEST(metrics_destroy_takes_null)
{
	metrics_destroy(NULL);
}
END_TEST

UNIT_MAIN("base/metric", metrics_without_tables_print_an_empty_page,
	  metrics_print_each_name_once_above_its_rows,
	  metrics_print_the_values_of_now_in_the_order_of_adding,
	  metrics_refresh_runs_before_every_print,
	  metrics_page_that_does_not_fit_is_not_begun, metrics_destroy_takes_null)
