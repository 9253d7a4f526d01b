/*
 * Sets one label in the body of a write, or takes it out, and leaves every byte
 * that need not change as it was: a splice, no re-encoding.
 *
 * JSON (and YAML content types that carry it): in the last `labels` of the last
 * `metadata`, which is what counts where keys come twice, whether the API server
 * merges them (built-in types) or lets the last one win (custom resources).
 * Protobuf: a second `metadata` that holds the label alone is appended to the raw
 * object in the "k8s\0" envelope; parts of a message merge, and of map entries the
 * last one counts (protobuf encoding guide). Only raw's length changes.
 */
#ifndef RINGSIDE_KUBE_LABEL_BODY_H
#define RINGSIDE_KUBE_LABEL_BODY_H

#include "proxy/base/arena.h"
#include "proxy/base/buf.h"
#include "proxy/base/err.h"
#include "proxy/kube/encoding.h"

/* What the body is. */
enum label_form {
	LABEL_IN_OBJECT,      /* of a POST, a PUT or an apply: the whole truth */
	LABEL_IN_MERGE_PATCH, /* RFC 7386 */
	LABEL_IN_STRATEGIC_PATCH,
	LABEL_IN_JSON_PATCH, /* RFC 6902 */
};

struct label_edit {
	struct slice body; /* that json_parse, or meta_parse, has read */
	enum kube_encoding encoding;
	enum label_form form;
	struct slice key;
	struct slice value; /* without data: the label is taken out */
	/*
	 * Of a patch: sets the label even where the patch would leave it as it is. A
	 * JSON patch that does not touch it stays as it is all the same.
	 */
	bool is_forced;
	/* Of a merge patch that drops all labels: the keys that the object has. */
	const struct slice *keys;
	size_t keys_n;
};

/*
 * *out: the edited body, in the arena; the body itself where nothing need change.
 * -EINVAL for what is no such body, -ENOTSUP for what cannot be edited with
 * certainty; the text says what, and quotes nothing.
 */
int label_body_edit(struct slice *out, struct arena *arena,
		    const struct label_edit *edit, struct err *err);

/*
 * Whether a merge patch drops all labels at once ("labels": null): that cannot be
 * said together with a label that stays, unless the others are named.
 */
bool label_body_drops_all(struct slice merge_patch);

/* --- between the files of the module --- */

int label_json_edit(struct buf *out, const struct label_edit *edit, struct err *err);
int label_json_patch_edit(struct buf *out, const struct label_edit *edit,
			  struct err *err);
int label_pb_edit(struct buf *out, const struct label_edit *edit, struct err *err);

#endif
