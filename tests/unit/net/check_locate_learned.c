/* What the locator learns from answers to writes; check_locate.c has the rest. */
#include "tests/unit/net/locate_story.h"

/* What the answer to a write said, so long ago. */
static void learn(struct story *story, const char *uid, const char *label,
		  int64_t ago_ms)
{
	const struct object_meta meta = { .name = slice_of("f"),
					  .uid = slice_of(uid),
					  .label = slice_of(label),
					  .has_label = label[0] != '\0' };
	const struct owned object = { .resource = &story->ring.spec.resources[FOOS],
				      .namespace = slice_of("ns"),
				      .meta = &meta };

	locator_learn(story->locator, &object,
		      loop_now_ms(story->fake->api.loop) - ago_ms);
}

static void ask_aged(struct story *story, struct reply *reply, const char *uid)
{
	const struct locate_question question = {
		.resource = &story->ring.spec.resources[FOOS],
		.namespace = slice_of("ns"),
		.name = slice_of("f"),
		.uid = slice_of(uid),
		.takes_aged = true,
	};

	*reply = (struct reply){ .is_there = false };
	(void)locate_object(story->locator, &question, on_done, reply);
}

START_TEST(locate_learns_from_answers_and_takes_the_uid_for_longer)
{
	struct story story;
	struct reply reply;

	story_begin(&story);
	learn(&story, "uf", "17", 0);
	ask(&story, &reply, FOOS, "f", "");
	expect_placed(&story, &reply, PLACED_AT, 17);
	ck_assert(!reply.evidence.is_aged);
	/* No label, no uid, older: nothing is learned from that. */
	learn(&story, "uf", "", 0);
	learn(&story, "", "18", 0);
	learn(&story, "uf", "18", LOCATE_AGE_MS + 1000);
	ask(&story, &reply, FOOS, "f", "");
	expect_placed(&story, &reply, PLACED_AT, 17);
	story_end(&story);

	story_begin(&story);
	learn(&story, "uf", "18", LOCATE_AGE_MS + 1000);
	ask_aged(&story, &reply, "uf");
	expect_placed(&story, &reply, PLACED_AT, 18);
	ck_assert(reply.evidence.is_aged);
	/* Who does not say that this will do asks; by the name alone it never does. */
	ask(&story, &reply, FOOS, "f", "uf");
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("19")));
	expect_placed(&story, &reply, PLACED_AT, 19);
	ck_assert(!reply.evidence.is_aged);
	story_end(&story);

	story_begin(&story);
	learn(&story, "uf", "18", LOCATE_AGE_MS + 1000);
	ask_aged(&story, &reply, "");
	answer(&story, FOO_LINE, OBJECT("f", "uf", LABEL("19")));
	expect_placed(&story, &reply, PLACED_AT, 19);
	story_end(&story);
}
END_TEST

UNIT_MAIN("net/locate_learned", locate_learns_from_answers_and_takes_the_uid_for_longer)
