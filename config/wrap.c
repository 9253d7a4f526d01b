#include "config/wrap.h"

int wrap_write(struct buf *out, const char *text, int indent)
{
	struct slice rest = slice_of(text), word;
	size_t column = 0;
	int rc = 0;

	while (rc == 0 && slice_split(&rest, ' ', &word)) {
		bool is_first = column == 0;

		if (!is_first && column + 1 + word.len > WRAP_COLUMNS) {
			rc = buf_append_text(out, "\n");
			is_first = true;
		}
		column = is_first ? (size_t)indent : column + 1;
		column += word.len;
		if (rc == 0)
			rc = buf_printf(out, "%*s%.*s", is_first ? indent : 1, "",
					SLICE_ARGS(word));
	}
	return rc < 0 ? rc : buf_append_text(out, "\n");
}
