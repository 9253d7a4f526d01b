#include "proxy/kube/json.h"
#include "proxy/kube/label_body.h"
#include "proxy/kube/meta.h"
#include "tests/fuzz/fuzz.h"

#define KEY SLICE_LITERAL("bucket.ringside.dev/r")
#define VALUE SLICE_LITERAL("12")

static const struct meta_keys keys = { .label =
					       SLICE_LITERAL("bucket.ringside.dev/r") };

/* As the exchange does: what is edited has been read before. */
static bool is_read(struct arena *arena, const struct label_edit *edit)
{
	struct object_meta meta;
	struct json *json;
	struct err err;

	if (edit->form == LABEL_IN_JSON_PATCH)
		return json_parse(&json, arena, edit->body, NULL, &err) == 0;
	return meta_parse(&meta, arena, edit->encoding, edit->body, &keys, &err) == 0;
}

/* An object bears the label afterwards, or no more. */
static void check_object(struct arena *arena, const struct label_edit *edit,
			 struct slice edited)
{
	struct object_meta meta;
	struct err err;

	FUZZ_ASSERT(meta_parse(&meta, arena, edit->encoding, edited, &keys, &err) == 0);
	if (edit->value.data != NULL)
		FUZZ_ASSERT(meta.has_label && slice_eq(meta.label, VALUE));
	else
		FUZZ_ASSERT(!meta.has_label);
}

/* A body that was edited is still one, and a second edit changes nothing. */
void fuzz_one(struct arena *arena, struct slice input)
{
	static const enum kube_encoding encodings[] = { KUBE_JSON, KUBE_PROTOBUF };
	struct label_edit edit = { .key = KEY };
	struct slice once, twice;
	struct err err;

	edit.encoding = encodings[fuzz_choice(&input, 2)];
	edit.form = (enum label_form)fuzz_choice(&input, 4);
	edit.is_forced = fuzz_choice(&input, 2) != 0;
	if (fuzz_choice(&input, 4) > 0)
		edit.value = VALUE;
	edit.body = input;
	if (!is_read(arena, &edit))
		return;
	if (edit.encoding == KUBE_JSON)
		(void)label_body_drops_all(input);
	if (label_body_edit(&once, arena, &edit, &err) != 0)
		return;
	if (edit.form == LABEL_IN_OBJECT)
		check_object(arena, &edit, once);
	edit.body = once;
	FUZZ_ASSERT(is_read(arena, &edit));
	FUZZ_ASSERT(label_body_edit(&twice, arena, &edit, &err) == 0);
	/* In protobuf the label is appended, whatever is there. */
	if (edit.form == LABEL_IN_OBJECT && edit.encoding == KUBE_JSON)
		FUZZ_ASSERT(slice_eq(once, twice));
}
