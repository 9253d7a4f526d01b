/*
 * The doubts about the clients of one resource, by key: path, selectors, encoding
 * and program, which a client does not change between two WATCHes of one cache.
 */
#ifndef RINGSIDE_SESSION_DOUBTS_H
#define RINGSIDE_SESSION_DOUBTS_H

#include "proxy/net/relay.h"
#include "proxy/ring/past.h"

/* Of one resource: as many kinds of clients as can be moved. */
#define DOUBTS_MAX 1024

struct doubts;

struct doubts *doubts_create(void);
void doubts_destroy(struct doubts *doubts);

/* The doubt about clients that ask like this; NULL: there is none. */
struct doubt *doubts_find(const struct doubts *doubts,
			  const struct relay_request *request);

/* The same, made if there is none. NULL: there are too many, or it asks too much. */
struct doubt *doubts_get(struct doubts *doubts, const struct relay_request *request);

size_t doubts_count(const struct doubts *doubts);

/*
 * From which position on whoever stands there holds the view, with no key in doubt; no
 * answer is made from it any more.
 */
uint64_t doubts_certain_from(const struct doubts *doubts, const struct view *view);

/*
 * Positions below this are known under no view any more: forgets the doubts that
 * say nothing about others. No move that notes in one of them is under way.
 */
void doubts_sweep(struct doubts *doubts, uint64_t oldest);

#endif
