/*
 * Errors as values. A function that can fail returns 0 or a negative errno
 * code and, where a person will read the reason, fills the `struct err *` that
 * is its last parameter. Outputs are written only on success.
 *
 * The text says what was expected and where (file:line:column, field, request);
 * it never contains tokens, keys or bodies.
 */
#ifndef RINGSIDE_BASE_ERR_H
#define RINGSIDE_BASE_ERR_H

struct err {
	char text[512];
};

/* Formats err->text (cut at its end; err may be NULL) and returns code. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "<formatted>: " in front of err->text and returns code. */
int err_wrap(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
