#include "proxy/kube/list_reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define TOKEN_BYTES_MAX (16u << 10)

void list_reader_init(struct list_reader *reader, enum kube_encoding encoding)
{
	assert((encoding == KUBE_JSON || encoding == KUBE_PROTOBUF) &&
	       "lists are read in these");
	*reader = (struct list_reader){ .encoding = encoding };
	buf_init(&reader->value, LIST_ITEM_BYTES_MAX);
	buf_init(&reader->next, TOKEN_BYTES_MAX);
}

void list_reader_finish(struct list_reader *reader)
{
	buf_finish(&reader->value);
	buf_finish(&reader->next);
}

int list_reader_next(struct list_reader *reader, struct slice bytes, size_t *consumed,
		     struct err *err)
{
	size_t at = 0;
	int rc;

	if (reader->has_item)
		buf_clear(&reader->value);
	reader->has_item = false;
	rc = reader->encoding == KUBE_JSON ? list_json_next(reader, bytes, &at, err)
					   : list_pb_next(reader, bytes, &at, err);
	if (rc < 0)
		return rc;
	reader->has_item = rc == 1;
	*consumed = at;
	return rc;
}

struct slice list_reader_item(const struct list_reader *reader)
{
	assert(reader->has_item && "list_reader_next has said so");
	return buf_slice(&reader->value);
}

bool list_reader_is_complete(const struct list_reader *reader)
{
	return reader->encoding == KUBE_JSON ? list_json_is_complete(reader)
					     : list_pb_is_complete(reader);
}

bool list_reader_copy(char *to, size_t size, struct slice text)
{
	if (text.len >= size)
		return false;
	if (text.len > 0)
		memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return true;
}
