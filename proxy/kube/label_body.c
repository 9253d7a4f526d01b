#include "proxy/kube/label_body.h"

#include <errno.h>

/* What an edit may add besides key and value, each of which may be escaped. */
#define FRAME_BYTES 256
#define ESCAPE_FACTOR 6

static size_t room(const struct label_edit *edit)
{
	size_t texts = edit->key.len + edit->value.len;

	for (size_t i = 0; i < edit->keys_n; i++)
		texts += edit->keys[i].len + FRAME_BYTES;
	return edit->body.len + ESCAPE_FACTOR * texts + FRAME_BYTES;
}

static int edit_by_form(struct buf *out, const struct label_edit *edit, struct err *err)
{
	if (edit->encoding == KUBE_PROTOBUF && edit->form == LABEL_IN_OBJECT)
		return label_pb_edit(out, edit, err);
	if (edit->encoding != KUBE_JSON && edit->encoding != KUBE_YAML)
		return err_set(err, -ENOTSUP, "expected JSON or protobuf");
	if (edit->form == LABEL_IN_JSON_PATCH)
		return label_json_patch_edit(out, edit, err);
	return label_json_edit(out, edit, err);
}

int label_body_edit(struct slice *out, struct arena *arena,
		    const struct label_edit *edit, struct err *err)
{
	struct buf edited;
	int rc;

	buf_init(&edited, room(edit));
	rc = edit_by_form(&edited, edit, err);
	if (rc == 0)
		*out = slice_eq(buf_slice(&edited), edit->body)
			       ? edit->body
			       : arena_copy(arena, buf_slice(&edited));
	buf_finish(&edited);
	return rc;
}
