#include "config/suggest.h"

#include "tests/unit/unit.h"

START_TEST(suggest_distance_counts_slips)
{
	static const struct {
		const char *a, *b;
		int distance;
	} cases[] = {
		{ "", "", 0 },
		{ "shards", "shards", 0 },
		{ "shrads", "shards", 1 },
		{ "shard", "shards", 1 },
		{ "shardss", "shards", 1 },
		{ "shirds", "shards", 1 },
		{ "Shards", "sHARDS", 0 },
		{ "", "abc", 3 },
		{ "kitten", "sitting", 3 },
		{ "ca", "abc", 3 },
		{ "lease", "listen", 4 },
		{ "abcdef", "badcfe", 3 },
		{ "duration", "drutaion", 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice a = slice_of(cases[i].a), b = slice_of(cases[i].b);

		ck_assert_msg(suggest_distance(a, b) == cases[i].distance, "%s %s: %d",
			      cases[i].a, cases[i].b, suggest_distance(a, b));
		ck_assert_int_eq(suggest_distance(b, a), cases[i].distance);
	}
}
END_TEST

/* What is said about a word among ring, shards, buckets. */
static const char *said_of(struct suggest *suggest, const char *word)
{
	static const char *const words[] = { "ring", "shards", "buckets" };

	suggest_init(suggest, slice_of(word));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		suggest_offer(suggest, slice_of(words[i]), slice_of(words[i]));
	return suggest_text(suggest);
}

START_TEST(suggest_text_names_the_nearest_or_else_all)
{
	static const char all[] = "; expected one of ring, shards, buckets";
	static const struct {
		const char *word, *text;
	} cases[] = {
		{ "shrads", "; did you mean 'shards'?" },
		{ "rings", "; did you mean 'ring'?" },
		{ "BUCKET", "; did you mean 'buckets'?" },
		{ "wing", "; did you mean 'ring'?" },
		{ "kind", all },
		{ "", all },
		{ "x", all },
	};
	struct suggest suggest;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(said_of(&suggest, cases[i].word), cases[i].text);
}
END_TEST

START_TEST(suggest_takes_words_of_any_length)
{
	char word[10000];
	struct suggest suggest;

	memset(word, 'r', sizeof(word));
	suggest_init(&suggest, slice_make(word, sizeof(word)));
	ck_assert_str_eq(suggest_text(&suggest), "");
	suggest_offer(&suggest, slice_of("ring"), slice_of("ring"));
	ck_assert_str_eq(suggest_text(&suggest), "; expected one of ring");
	suggest_init(&suggest, slice_of("ring"));
	for (int i = 0; i < 100; i++)
		suggest_offer(&suggest, slice_make(word, 65), slice_make(word, 65));
	ck_assert_uint_eq(strlen(suggest_text(&suggest)),
			  strlen("; expected one of ") + 4 * 65 + 3 * 2);
}
END_TEST

UNIT_MAIN("config/suggest", suggest_distance_counts_slips,
	  suggest_text_names_the_nearest_or_else_all, suggest_takes_words_of_any_length)
