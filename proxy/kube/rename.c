#include "proxy/kube/rename.h"

#include <errno.h>

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.';
}

/* Whether the word stands at `at` and no name goes on around it. */
static bool is_word_at(struct slice text, size_t at, struct slice word)
{
	size_t end = at + word.len;

	if (end > text.len || memcmp(text.data + at, word.data, word.len) != 0 ||
	    (at > 0 && is_of_name(text.data[at - 1])))
		return false;
	/* A full stop may end a sentence. */
	if (end < text.len && text.data[end] == '.')
		end++;
	return end == text.len || !is_of_name(text.data[end]);
}

int rename_text(struct buf *out, struct slice text, const struct rename *rename)
{
	size_t copied = 0;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < text.len; at++) {
		if (!is_word_at(text, at, rename->from))
			continue;
		rc = buf_append(out, slice_make(text.data + copied, at - copied));
		if (rc == 0)
			rc = buf_append(out, rename->to);
		copied = at + rename->from.len;
		at = copied - 1;
	}
	return rc < 0 ? rc : buf_append(out, slice_from(text, copied));
}

static int explain(struct err *err, int rc)
{
	if (rc == -EMSGSIZE)
		return err_set(err, rc, "it is too large");
	if (rc < 0)
		return err_set(err, rc, "expected an object of Kubernetes");
	return rc;
}

static int refuse(struct err *err)
{
	return err_set(err, -ENOTSUP, "expected JSON or protobuf");
}

static bool is_json(enum kube_encoding encoding)
{
	return encoding == KUBE_JSON || encoding == KUBE_YAML;
}

int rename_body(struct buf *out, enum kube_encoding encoding, struct slice body,
		const struct rename *rename, struct err *err)
{
	if (is_json(encoding))
		return explain(err, rename_json(out, body, rename));
	if (encoding == KUBE_PROTOBUF)
		return explain(err, rename_pb_body(out, body, rename));
	return refuse(err);
}

int rename_frame(struct buf *out, enum kube_encoding encoding, struct slice frame,
		 const struct rename *rename, struct err *err)
{
	if (encoding == KUBE_JSON)
		return explain(err, rename_json(out, frame, rename));
	if (encoding == KUBE_PROTOBUF)
		return explain(err, rename_pb_frame(out, frame, rename));
	return refuse(err);
}
