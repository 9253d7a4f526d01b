#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "proxy/net/exchange.h"
#include "tests/unit/unit.h"

/* Unit tests run at the top of the tree. */
#define HEADER "proxy/net/exchange.h"
#define ROWS_MAX 64
#define COLUMNS_MAX 128

/* The comment's text, as it stands on the page. */
static char page[ROWS_MAX][COLUMNS_MAX];
static bool drawn[EXCHANGE_STEPS_N][EXCHANGE_STEPS_N];

static void page_read(void)
{
	FILE *file = fopen(HEADER, "r");
	char line[COLUMNS_MAX];

	ck_assert_msg(file != NULL, "%s is not there", HEADER);
	for (int row = 0; row < ROWS_MAX && fgets(line, sizeof(line), file) != NULL;) {
		if (strstr(line, "*/") != NULL)
			break;
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, " *\t", 3) == 0)
			snprintf(page[row++], COLUMNS_MAX, "%s", line + 3);
	}
	fclose(file);
}

static char at(int row, int column)
{
	if (row < 0 || row >= ROWS_MAX || column < 0 || column >= COLUMNS_MAX)
		return ' ';
	return page[row][column] != '\0' ? page[row][column] : ' ';
}

/* The step whose name begins or ends here, or -1. */
static int step_at(int row, int column)
{
	for (int step = 0; step < EXCHANGE_STEPS_N; step++) {
		const char *name = exchange_step_name((enum exchange_step)step);
		int n = (int)strlen(name), i = 0;

		while (i < n && at(row, column + i) == toupper(name[i]))
			i++;
		if (i == n && !isalpha(at(row, column + n)) &&
		    !isalpha(at(row, column - 1)))
			return step;
	}
	return -1;
}

/* Along an arrow to the right: "--> NAME", with corners of others on its way. */
static void follow_right(int from, int row, int column)
{
	int to;

	while (at(row, column) == '-' || at(row, column) == '+')
		column++;
	if (at(row, column) != '>')
		return;
	to = step_at(row, column + 2);
	ck_assert_msg(to >= 0, "an arrow to nowhere: %s", page[row]);
	drawn[from][to] = true;
}

/* Along a line up or down, to its corner and then right. */
static void follow_line(int from, int row, int column, int way)
{
	row += way;
	while (at(row, column) == '|')
		row += way;
	if (at(row, column) == '+')
		follow_right(from, row, column + 1);
}

static void follow_name(int from, int row, int column)
{
	int n = (int)strlen(exchange_step_name((enum exchange_step)from));

	if (at(row, column + n + 1) == '-')
		follow_right(from, row, column + n + 1);
	for (int i = 0; i < n; i++) {
		if (at(row - 1, column + i) == '|')
			follow_line(from, row, column + i, -1);
		if (at(row + 1, column + i) == '|')
			follow_line(from, row, column + i, 1);
	}
}

static void diagram_read(void)
{
	page_read();
	for (int row = 0; row < ROWS_MAX; row++)
		for (int column = 0; column < COLUMNS_MAX; column++)
			if (step_at(row, column) >= 0)
				follow_name(step_at(row, column), row, column);
}

START_TEST(exchange_steps_are_as_the_diagram_in_the_header_draws_them)
{
	int edges = 0;

	diagram_read();
	for (int from = 0; from < EXCHANGE_STEPS_N; from++) {
		for (int to = 0; to < EXCHANGE_STEPS_N; to++) {
			bool is_drawn = drawn[from][to] ||
					(to == EXCHANGE_ABORT && from != EXCHANGE_END &&
					 from != to);

			ck_assert_msg(exchange_step_is_edge((enum exchange_step)from,
							    (enum exchange_step)to) ==
					      is_drawn,
				      "%s --> %s is in one of the two only: %s",
				      exchange_step_name((enum exchange_step)from),
				      exchange_step_name((enum exchange_step)to),
				      is_drawn ? "the diagram" : "the table");
			edges += drawn[from][to];
		}
	}
	/* Were nothing read, the test would prove nothing. */
	ck_assert_int_eq(edges, 15);
}
END_TEST

START_TEST(exchange_can_always_end_and_never_leaves_its_end)
{
	for (int from = 0; from < EXCHANGE_STEPS_N; from++) {
		ck_assert(
			!exchange_step_is_edge(EXCHANGE_END, (enum exchange_step)from));
		if (from == EXCHANGE_END || from == EXCHANGE_ABORT)
			continue;
		ck_assert(exchange_step_is_edge((enum exchange_step)from,
						EXCHANGE_ABORT));
	}
	ck_assert(exchange_step_is_edge(EXCHANGE_ABORT, EXCHANGE_END));
}
END_TEST

UNIT_MAIN("net/exchange", exchange_steps_are_as_the_diagram_in_the_header_draws_them,
	  exchange_can_always_end_and_never_leaves_its_end)
