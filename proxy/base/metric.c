#include "proxy/base/metric.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "proxy/base/list.h"

struct table {
	struct list node;
	const struct metric *rows;
	const int64_t *values;
	size_t n;
};

struct hook {
	struct list node;
	void (*refresh)(void *arg);
	void *arg;
};

struct metrics {
	struct list tables;
	struct list hooks;
};

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

struct metrics *metrics_create(void)
{
	struct metrics *metrics = allocate(sizeof(*metrics));

	list_init(&metrics->tables);
	list_init(&metrics->hooks);
	return metrics;
}

void metrics_destroy(struct metrics *metrics)
{
	if (!metrics)
		return;
	LIST_EACH(node, &metrics->tables)
		free(LIST_OWNER(node, struct table, node));
	LIST_EACH(node, &metrics->hooks)
		free(LIST_OWNER(node, struct hook, node));
	free(metrics);
}

void metrics_add(struct metrics *metrics, const struct metric *rows,
		 const int64_t *values, size_t n)
{
	struct table *table = allocate(sizeof(*table));

	table->rows = rows;
	table->values = values;
	table->n = n;
	list_add(&metrics->tables, &table->node);
}

void metrics_on_print(struct metrics *metrics, void (*refresh)(void *arg), void *arg)
{
	struct hook *hook;

	if (!refresh)
		return;
	hook = allocate(sizeof(*hook));
	hook->refresh = refresh;
	hook->arg = arg;
	list_add(&metrics->hooks, &hook->node);
}

static int print_head(const struct metric *row, struct buf *out)
{
	const char *type = row->type == METRIC_COUNTER ? "counter" : "gauge";

	assert(row->help && "the first row of a name has the help");
	return buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help,
			  row->name, type);
}

static int print_value(const struct metric *row, int64_t value, struct buf *out)
{
	if (row->labels)
		return buf_printf(out, "%s{%s} %lld\n", row->name, row->labels,
				  (long long)value);
	return buf_printf(out, "%s %lld\n", row->name, (long long)value);
}

static int print_table(const struct table *table, struct buf *out)
{
	const char *name = "";
	int rc = 0;

	for (size_t i = 0; i < table->n && rc == 0; i++) {
		const struct metric *row = &table->rows[i];

		if (strcmp(row->name, name) != 0)
			rc = print_head(row, out);
		if (rc == 0)
			rc = print_value(row, table->values[i], out);
		name = row->name;
	}
	return rc;
}

int metrics_print(struct metrics *metrics, struct buf *out)
{
	size_t len = out->len;

	LIST_EACH(node, &metrics->hooks) {
		struct hook *hook = LIST_OWNER(node, struct hook, node);

		hook->refresh(hook->arg);
	}
	LIST_EACH(node, &metrics->tables)
		if (print_table(LIST_OWNER(node, struct table, node), out) < 0) {
			out->len = len;
			return -EMSGSIZE;
		}
	return 0;
}
