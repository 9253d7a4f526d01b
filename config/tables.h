/*
 * All option tables of the program as one numbered row of options: 0, 1, 2, ...
 * The number is what loading remembers an option's origin by.
 */
#ifndef RINGSIDE_CONFIG_TABLES_H
#define RINGSIDE_CONFIG_TABLES_H

#include "config/config.h"

/* How many there are. */
size_t tables_count(void);

/*
 * The option of that number, or NULL behind the last one. *offset (may be NULL)
 * is where its module's values lie in struct config.
 */
const struct opt *tables_option(size_t number, size_t *offset);

/* Number of the option of that name; tables_count() when there is none. */
size_t tables_find(struct slice name);

/* opt_set on the option's place in config. */
int tables_set(struct config *config, size_t number, struct slice text,
	       struct err *err);

/* Sets every option's default. */
void tables_set_defaults(struct config *config);

/* Whether both have the same value in this option. */
bool tables_is_equal(size_t number, const struct config *a, const struct config *b);

#endif
