#include "config/suggest.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

static int least(int a, int b)
{
	return a < b ? a : b;
}

static bool is_same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The optimal string alignment form: distance(i, j) of the first i bytes of a
 * and the first j of b from the three neighbours before, and the one two back
 * for a swap. Three rows are enough.
 */
int suggest_distance(struct slice a, struct slice b)
{
	int rows[3][SUGGEST_BYTES_MAX + 1];
	int *two_back = rows[0], *back = rows[1], *row = rows[2];

	assert(a.len <= SUGGEST_BYTES_MAX && b.len <= SUGGEST_BYTES_MAX);
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= a.len; i++) {
		int *spare = two_back;

		two_back = back;
		back = row;
		row = spare;
		row[0] = (int)i;
		for (size_t j = 1; j <= b.len; j++) {
			char x = a.data[i - 1], y = b.data[j - 1];

			row[j] = least(back[j], row[j - 1]) + 1;
			row[j] = least(row[j], back[j - 1] + !is_same(x, y));
			if (i > 1 && j > 1 && is_same(x, b.data[j - 2]) &&
			    is_same(a.data[i - 2], y))
				row[j] = least(row[j], two_back[j - 2] + 1);
		}
	}
	return row[b.len];
}

void suggest_init(struct suggest *suggest, struct slice word)
{
	suggest->word = word;
	suggest->best = slice_make(NULL, 0);
	/* Up to a third of the letters may be wrong. */
	suggest->distance = word.len > SUGGEST_BYTES_MAX ? 0 : (int)word.len / 3 + 1;
	suggest->text_len = 0;
	suggest->text[0] = '\0';
}

/* Keeps "; expected one of a, b" growing, for the case that nothing is near. */
static void remember(struct suggest *suggest, struct slice shown)
{
	size_t room = sizeof(suggest->text) - suggest->text_len;
	int n;

	n = snprintf(suggest->text + suggest->text_len, room, "%s%.*s",
		     suggest->text_len ? ", " : "; expected one of ",
		     SLICE_ARGS(shown));
	if ((size_t)n < room)
		suggest->text_len += (size_t)n;
	else
		suggest->text[suggest->text_len] = '\0';
}

void suggest_offer(struct suggest *suggest, struct slice candidate, struct slice shown)
{
	int distance;

	remember(suggest, shown);
	if (candidate.len > SUGGEST_BYTES_MAX || suggest->word.len > SUGGEST_BYTES_MAX)
		return;
	distance = suggest_distance(suggest->word, candidate);
	if (distance >= suggest->distance)
		return;
	suggest->distance = distance;
	suggest->best = shown;
}

const char *suggest_text(struct suggest *suggest)
{
	if (suggest->best.len > 0)
		snprintf(suggest->text, sizeof(suggest->text), "; did you mean '%.*s'?",
			 SLICE_ARGS(suggest->best));
	return suggest->text;
}
