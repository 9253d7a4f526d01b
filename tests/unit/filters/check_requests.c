/* Walks the table of filters/REQUESTS.md: the manual says what the filters do. */
#include <stdio.h>

#include "proxy/base/file.h"
#include "tests/unit/filters/desk.h"

#define TABLE "filters/REQUESTS.md"
#define ROWS_MIN 90
#define BODIES_MIN 25
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
		return call->reply.code == 400   ? "refused"
		       : call->reply.code == 410 ? "expired"
						 : "?";
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

/*
 * The next cell of a row; of one that begins with a backquote what is between that
 * and the next. No filter looks at the header that may stand behind it.
 */
static struct slice take_cell(struct slice *row)
{
	struct slice cell = { 0 }, quoted;

	(void)slice_split(row, '|', &cell);
	cell = slice_trim(cell);
	if (!slice_starts_with(cell, "`"))
		return cell;
	cell = slice_from(cell, 1);
	(void)slice_split(&cell, '`', &quoted);
	return quoted;
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

/* What becomes of the label in a body that is about a Foo in bucket 1. */
static const char *label_outcome(struct desk *desk, struct slice body)
{
	static const struct meta_keys keys = { .label = SLICE_LITERAL(L) };
	static const struct slice others[] = { SLICE_LITERAL("a") };
	struct filter_call *call = &desk->call;
	struct object_meta meta;
	struct err err;

	call->bytes = body;
	call->object = (struct evidence){ PLACED_AT, 1 };
	call->label_keys = others;
	call->label_keys_n = COUNT(others);
	if (encoding_patch_of(call->content_type) != KUBE_PATCH_JSON) {
		call->is_body_unreadable =
			meta_parse(&meta, desk->arena,
				   encoding_of_content_type(call->content_type), body,
				   &keys, &err) < 0;
		call->body = call->is_body_unreadable ? NULL : &meta;
	}
	if (filter_label.on_request(call) == FILTER_REPLY)
		return call->reply.code == 415 ? "unsupported" : "refused";
	if (!call->is_edited)
		return "kept";
	return strstr(arena_text(desk->arena, call->edited), "\"1\"") ? "set" : "?";
}

static void check_body(struct arena *arena, struct slice row)
{
	struct slice body, of, label, method;
	const char *found;
	struct desk desk;

	(void)take_cell(&row);
	body = take_cell(&row);
	of = take_cell(&row);
	label = take_cell(&row);
	ck_assert(slice_split(&of, ' ', &method));
	desk_open(&desk, arena_text(arena, method), FOOS "/x");
	desk.call.content_type = of;
	found = label_outcome(&desk, body);
	ck_assert_msg(slice_is(label, found), "%.*s of %.*s is %s, the table says %.*s",
		      SLICE_ARGS(body), SLICE_ARGS(of), found, SLICE_ARGS(label));
	desk_close(&desk);
}

/* Calls check with each row; of the first table, or of the one below "## Bodies". */
static void walk(bool is_about_bodies, int rows_min,
		 void (*check)(struct arena *arena, struct slice row))
{
	struct arena *arena = arena_create();
	struct slice text, line;
	bool is_below = false;
	struct err err;
	int rows = 0;

	ck_assert_msg(file_read(&text, arena, TABLE, 1 << 20, &err) == 0, "%s",
		      err.text);
	while (slice_split(&text, '\n', &line)) {
		is_below |= slice_is(line, "## Bodies");
		if (!slice_starts_with(line, "| `") || is_below != is_about_bodies)
			continue;
		check(arena, line);
		rows++;
	}
	ck_assert_int_ge(rows, rows_min);
	arena_destroy(arena);
}

START_TEST(what_happens_to_each_form_of_request_is_what_the_manual_says)
{
	walk(false, ROWS_MIN, check_row);
}
END_TEST

START_TEST(what_becomes_of_the_label_in_each_form_of_body_is_what_the_manual_says)
{
	walk(true, BODIES_MIN, check_body);
}
END_TEST

UNIT_MAIN("filters/requests",
	  what_happens_to_each_form_of_request_is_what_the_manual_says,
	  what_becomes_of_the_label_in_each_form_of_body_is_what_the_manual_says)
