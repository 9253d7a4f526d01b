/*
 * Sentences as lines of at most 80 columns, for people who read --help and the
 * manual in a terminal.
 */
#ifndef RINGSIDE_CONFIG_WRAP_H
#define RINGSIDE_CONFIG_WRAP_H

#include "proxy/base/buf.h"

#define WRAP_COLUMNS 80

/*
 * Appends the words of text with a line break at the end, each line indented. A
 * word that is longer than a line stands alone. 0 or -EMSGSIZE.
 */
int wrap_write(struct buf *out, const char *text, int indent);

#endif
