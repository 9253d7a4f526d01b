/* Walks the table of filters/REQUESTS.md: the manual says what the filters do. */
#include <stdio.h>

#include "proxy/base/file.h"
#include "tests/unit/filters/desk.h"

#define TABLE "filters/REQUESTS.md"
#define ROWS_MIN 50
#define FOREIGN_BUCKET 5

static const struct filter *const chain[] = { &filter_election, &filter_narrow,
					      &filter_label, &filter_fence, NULL };

/* What the chain as a whole does to a request, in the manual's words. */
static const char *outcome(struct desk *desk)
{
	struct filter_call *call = &desk->call;
	char *query = arena_text(desk->arena, slice_of(desk_query(desk)));
	bool is_labelled = filter_label.wants(call) != FILTER_NEEDS_NOTHING;
	bool is_looked_up = filter_chain_wants(chain, call) != FILTER_NEEDS_NOTHING;

	call->bytes = SLICE_LITERAL("{}");
	if (filter_election.on_request(call) == FILTER_PASS && call->lock)
		return "renamed";
	if (filter_narrow.on_request(call) == FILTER_REPLY)
		return call->reply.code == 400 ? "refused" : "?";
	if (strcmp(desk_query(desk), query) != 0)
		return strstr(desk_query(desk), "bucket.ringside.dev") ? "narrowed"
								       : "?";
	call->object = (struct evidence){ PLACED_AT, FOREIGN_BUCKET };
	call->owner = call->object;
	call->label = is_labelled ? FOREIGN_BUCKET : BUCKET_NONE;
	if (filter_fence.on_send(call) == FILTER_REPLY)
		return call->reply.code != 409 ? "?"
		       : is_labelled           ? "labelled"
					       : "fenced";
	if (is_looked_up)
		return is_labelled ? "labelled" : "fenced";
	return "untouched";
}

/* The next cell of a row, without the backquotes around it. */
static struct slice take_cell(struct slice *row)
{
	struct slice cell = { 0 };

	(void)slice_split(row, '|', &cell);
	cell = slice_trim(cell);
	if (cell.len >= 2 && cell.data[0] == '`')
		cell = slice_make(cell.data + 1, cell.len - 2);
	return cell;
}

static void check_row(struct arena *arena, struct slice row)
{
	struct slice request, method, happens;
	const char *found;
	struct desk desk;

	(void)take_cell(&row); /* before the first "|" */
	request = take_cell(&row);
	happens = take_cell(&row);
	ck_assert(slice_split(&request, ' ', &method));
	desk_open(&desk, arena_text(arena, method), arena_text(arena, request));
	if (desk.request.verb == KUBE_VERB_PATCH)
		desk.call.content_type = SLICE_LITERAL("application/merge-patch+json");
	found = outcome(&desk);
	ck_assert_msg(slice_is(happens, found), "%.*s %.*s is %s, the table says %.*s",
		      SLICE_ARGS(method), SLICE_ARGS(request), found,
		      SLICE_ARGS(happens));
	desk_close(&desk);
}

START_TEST(what_happens_to_each_form_of_request_is_what_the_manual_says)
{
	struct arena *arena = arena_create();
	struct slice text, line;
	struct err err;
	int rows = 0;

	ck_assert_msg(file_read(&text, arena, TABLE, 1 << 20, &err) == 0, "%s",
		      err.text);
	while (slice_split(&text, '\n', &line)) {
		if (!slice_starts_with(line, "| `"))
			continue;
		check_row(arena, line);
		rows++;
	}
	ck_assert_int_ge(rows, ROWS_MIN);
	arena_destroy(arena);
}
END_TEST

UNIT_MAIN("filters/requests",
	  what_happens_to_each_form_of_request_is_what_the_manual_says)
