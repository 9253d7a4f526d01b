#include "proxy/net/learn.h"

#include "proxy/net/server.h"
#include "tests/unit/net/locate_story.h"

#define PATH "/apis/g/v1/namespaces/ns/foos"
#define LABELLED OBJECT("f", "uf", LABEL("17"))

static const struct header json = { SLICE_LITERAL("Content-Type"),
				    SLICE_LITERAL("application/json") };
static const struct header gzip = { SLICE_LITERAL("Content-Encoding"),
				    SLICE_LITERAL("gzip") };

struct row {
	const char *method, *target;
	int status;
	const char *answer;
	const struct header *header;
	bool is_learned;
};

/* An answer to that request, in two parts. */
static void hear(struct story *story, const struct row *row)
{
	struct server server = { .locator = story->locator };
	struct exchange exchange = { .server = &server,
				     .arena = arena_create(),
				     .resource = &story->ring.spec.resources[FOOS],
				     .sent_ms = loop_now_ms(story->fake->api.loop) };
	struct upstream_head head = { .status = row->status,
				      .headers = row->header,
				      .headers_n = 1 };
	struct slice answer = slice_of(row->answer);

	kube_request_parse(&exchange.kube, exchange.arena, slice_of(row->method),
			   slice_of(row->target));
	exchange.query = query_parse(exchange.arena, exchange.kube.query);
	learn_begin(&exchange, &head);
	learn_more(&exchange, slice_make(answer.data, answer.len / 2));
	learn_more(&exchange, slice_from(answer, answer.len / 2));
	learn_end(&exchange);
	ck_assert_uint_eq(exchange.answer.size, 0);
	arena_destroy(exchange.arena);
}

static char *long_answer(void)
{
	static char text[LEARN_BYTES_MAX + 64];

	memset(text, ' ', sizeof(text) - 1);
	memcpy(text, LABELLED, strlen(LABELLED));
	return text;
}

START_TEST(learn_notes_the_object_that_a_write_is_answered_with_and_nothing_else)
{
	const struct row rows[] = {
		{ "PUT", PATH "/f", 200, LABELLED, &json, true },
		{ "PUT", PATH "/f/status", 200, LABELLED, &json, true },
		{ "PATCH", PATH "/f", 200, LABELLED, &json, true },
		{ "POST", PATH, 201, LABELLED, &json, true },
		{ "POST", PATH "?dryRun=All", 201, LABELLED, &json, false },
		{ "PUT", PATH "/f", 409, LABELLED, &json, false },
		{ "GET", PATH "/f", 200, LABELLED, &json, false },
		{ "DELETE", PATH "/f", 200, LABELLED, &json, false },
		{ "PUT", PATH "/f", 200, LABELLED, &gzip, false },
		{ "PUT", PATH "/f", 200, "k8s\\0nonsense", &json, false },
		{ "PUT", PATH "/f", 200, long_answer(), &json, false },
		/* Another object, and one without a label: a Scale, say. */
		{ "PUT", PATH "/other", 200, LABELLED, &json, false },
		{ "PUT", PATH "/f/scale", 200, OBJECT("f", "uf", ""), &json, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct story story;
		struct reply reply;

		story_begin(&story);
		hear(&story, &rows[i]);
		ask(&story, &reply, FOOS, "f", "uf");
		if (!rows[i].is_learned)
			answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("18")));
		expect_placed(&story, &reply, PLACED_AT, rows[i].is_learned ? 17 : 18);
		story_end(&story);
	}
}
END_TEST

UNIT_MAIN("net/learn",
	  learn_notes_the_object_that_a_write_is_answered_with_and_nothing_else)
