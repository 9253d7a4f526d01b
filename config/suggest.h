/*
 * "did you mean 'shards'?": finds, among the words that would have been right,
 * the one that was probably meant. Near is what few typing slips away from it
 * (Damerau-Levenshtein: a letter too many, too few, wrong, or swapped with its
 * neighbour), case aside.
 */
#ifndef RINGSIDE_CONFIG_SUGGEST_H
#define RINGSIDE_CONFIG_SUGGEST_H

#include "proxy/base/slice.h"

/* Longer words are near nothing. */
#define SUGGEST_BYTES_MAX 64

struct suggest {
	struct slice word;
	struct slice best; /* nothing was near enough: empty */
	int distance;      /* of best, or one too many */
	size_t text_len;
	char text[320];
};

/* word is borrowed, and so is all that is offered, until the text is made. */
void suggest_init(struct suggest *suggest, struct slice word);

/* Compares with candidate; shown is what to call it. */
void suggest_offer(struct suggest *suggest, struct slice candidate, struct slice shown);

/*
 * The end of a sentence, in suggest: "; did you mean 'shards'?", or when nothing
 * was near "; expected one of ring, shards" (as far as it fits), or "".
 */
const char *suggest_text(struct suggest *suggest);

/* How many slips a is from b. Both at most SUGGEST_BYTES_MAX long. */
int suggest_distance(struct slice a, struct slice b);

#endif
