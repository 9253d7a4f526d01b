/*
 * The keys of the YAML that are no options: the ring's identity and its
 * resources, which have structure and which all members must agree on. One row
 * a key: the loader walks the table, and so does the manual.
 */
#ifndef RINGSIDE_CONFIG_FIELDS_H
#define RINGSIDE_CONFIG_FIELDS_H

#include "config/config.h"
#include "config/node.h"

#define RING_BYTES_MAX 40
/* "<name>.<member>" is a name, too. */
#define LOCK_NAME_BYTES_MAX (DNS_SUBDOMAIN_BYTES_MAX - 1 - DNS_LABEL_BYTES_MAX)

/* A file on its way into a config. */
struct loader {
	struct config *config;
	struct arena *scratch; /* what only loading needs: the tree, origins */
	const char **origins;  /* by option number, "file:1:2" or "--member"; NULL is
				  the default */
	struct ring_resource *resource;          /* the one being filled */
	struct ring_lock *lock;                  /* the same */
	struct place places[SPEC_RESOURCES_MAX]; /* of config->spec.resources */
};

struct field {
	const char *name;
	const char *expected; /* "a list of namespaces" */
	const char *value;    /* the default as it would be written; NULL: required */
	const char *help;
	/* Checks the node (never null) and stores it. 0 or -EINVAL. */
	int (*load)(struct loader *loader, const struct node *node, struct err *err);
};

extern const struct field ring_fields[]; /* at the root of the file */
extern const size_t ring_fields_n;

extern const struct field resource_fields[]; /* of an entry of `resources`, `owns` */
extern const size_t resource_fields_n;

extern const struct field lock_fields[]; /* of an entry of `locks` */
extern const size_t lock_fields_n;

/* The field of that name, or NULL. */
const struct field *fields_find(const struct field *fields, size_t n,
				struct slice name);

/*
 * Loads the fields that stand in the mapping, in the table's order; -EINVAL also
 * when a required one is missing. Other keys are not looked at.
 */
int fields_load(const struct field *fields, size_t n, struct loader *loader,
		const struct node *mapping, struct err *err);

/* Loads the defaults of ring_fields; one that does not load is a bug: asserts. */
void ring_fields_set_defaults(struct loader *loader);

/* Refuses keys that are no field; says which one was probably meant. */
int fields_check_keys(const struct field *fields, size_t n, const struct node *mapping,
		      struct err *err);

/* The field `locks`. */
int locks_load(struct loader *loader, const struct node *node, struct err *err);

/* The field `resources`. */
int resources_load(struct loader *loader, const struct node *node, struct err *err);

#endif
