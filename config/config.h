/*
 * The YAML file, loaded: what all members of a ring share (one file serves all
 * replicas), with what differs per replica laid over it from environment and
 * flags, flags last. Loading checks everything that can be checked without the
 * cluster and says file:line:column, what was expected and, for an unknown key,
 * which one was probably meant.
 */
#ifndef RINGSIDE_CONFIG_CONFIG_H
#define RINGSIDE_CONFIG_CONFIG_H

#include "proxy/base/log.h"
#include "proxy/member/conf.h"
#include "proxy/net/conf.h"
#include "proxy/ring/spec.h"
#include "proxy/session/conf.h"

/* Files larger than this are refused. */
#define CONFIG_BYTES_MAX (1 << 20)

struct config_conf {
	int log_level; /* enum log_level */
};

struct config {
	struct arena *arena; /* owns all below */
	const char *file;
	struct ring_spec spec;
	const char *const *namespaces; /* NULL-terminated; empty: all */
	struct config_conf conf;
	struct net_conf net;
	struct session_conf session;
	struct member_conf member;
};

/* One table of options and where its values lie in struct config. */
struct config_table {
	const char *title; /* of its chapter in the manual */
	const struct opt *rows;
	const size_t *rows_n;
	size_t offset;
};

extern const struct config_table config_tables[];
extern const size_t config_tables_n;

/* "name=value" strings as in environ, and name/value pairs of flags. */
struct config_override {
	const char *option; /* dotted name */
	const char *value;
	const char *source; /* "--member", "RINGSIDE_MEMBER": for messages */
};

/*
 * Loads file and lays overrides over it (later ones win). *out is a new config,
 * to be destroyed. -EINVAL or -errno of the file, with the whole message.
 */
int config_load(struct config **out, const char *file,
		const struct config_override *overrides, size_t overrides_n,
		struct err *err);

void config_destroy(struct config *config);

/*
 * Whether `next` may replace `now` in a running process: only rows marked
 * reload differ. -EPERM names the first that may not.
 */
int config_can_reload(const struct config *now, const struct config *next,
		      struct err *err);

/* Appends the reference manual, Markdown, made from the tables. */
int config_describe(struct buf *out);

#endif
