/*
 * The log: one line per decision, `key=value` (logfmt) on standard error, made
 * where the decision is taken: what happened, what it means, what we do.
 * Floors base, kube, ring and filters never log; they return errors.
 *
 *	log_info("lease", "renewed", log_text("lease", name), log_int("age_ms", n));
 *
 * Values are quoted where they need it and cut at 512 bytes. No token, key or
 * body is ever a value. A line that nobody reads is lost rather than waited for, and
 * the next one that is written says how many were. The sink is the program's only
 * global state.
 */
#ifndef RINGSIDE_BASE_LOG_H
#define RINGSIDE_BASE_LOG_H

#include "proxy/base/slice.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
	const char *key; /* NULL ends a list */
	struct slice text;
	int64_t number;
	bool is_number;
};

static inline struct log_field log_slice(const char *key, struct slice value)
{
	return (struct log_field){ .key = key, .text = value };
}

static inline struct log_field log_text(const char *key, const char *value)
{
	return log_slice(key, slice_of(value));
}

static inline struct log_field log_int(const char *key, int64_t value)
{
	return (struct log_field){ .key = key, .number = value, .is_number = true };
}

/* Lines below the level are dropped. fd is borrowed for the process's life. */
void log_open(int fd, enum log_level level);

/* A line; fields end with a NULL key. Use the macros. */
void log_write(enum log_level level, const char *module, const char *message,
	       const struct log_field *fields);

#define LOG_AT(level, module, ...) LOG_FIELDS_(level, module, __VA_ARGS__, { 0 })
#define LOG_FIELDS_(level, module, message, ...) \
	log_write(level, module, message, (const struct log_field[]){ __VA_ARGS__ })

#define log_debug(...) LOG_AT(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) LOG_AT(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) LOG_AT(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) LOG_AT(LOG_LEVEL_ERROR, __VA_ARGS__)

#endif
