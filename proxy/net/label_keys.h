/*
 * The keys of the labels that an object has now, read with our own identity: a
 * merge patch that drops all labels but one must name the others.
 */
#ifndef RINGSIDE_NET_LABEL_KEYS_H
#define RINGSIDE_NET_LABEL_KEYS_H

#include "proxy/net/catalog.h"
#include "proxy/net/locate.h"

struct label_keys_call;

/* keys are borrowed; none for an object that is not there. failure: NULL, or why
 * they are not known. */
typedef void label_keys_done(void *arg, const struct slice *keys, size_t keys_n,
			     const struct err *failure);

/* done comes from the loop, once, unless cancelled. question: its uid is not used. */
struct label_keys_call *label_keys_start(const struct api *api,
					 const struct catalog *catalog,
					 const struct locate_question *question,
					 label_keys_done *done, void *arg);

/* done will not come. NULL is fine. */
void label_keys_cancel(struct label_keys_call *call);

#endif
