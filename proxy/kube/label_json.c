/* The label in JSON: of an object, a merge patch, a strategic merge patch. */
#include <errno.h>

#include "proxy/kube/json.h"
#include "proxy/kube/json_scan.h"
#include "proxy/kube/label_body.h"

#define METADATA SLICE_LITERAL("metadata")
#define LABELS SLICE_LITERAL("labels")
#define DIRECTIVE SLICE_LITERAL("$patch")
#define RETAIN SLICE_LITERAL("$retainKeys")
#define LEVELS_N 3

/* Where the label stands, level by level: metadata, labels, the label. */
struct site {
	struct slice text;
	size_t root; /* of the document's "{" */
	int found_n; /* how many of the levels are there */
	struct json_member levels[LEVELS_N];
	bool is_twice; /* metadata or labels come more than once */
};

static bool is_object_at(struct slice text, size_t at)
{
	return at < text.len && text.data[at] == '{';
}

static void site_find(struct site *site, const struct label_edit *edit)
{
	const struct slice path[LEVELS_N] = { METADATA, LABELS, edit->key };
	size_t at = json_scan_skip(edit->body, 0);

	*site = (struct site){ .text = edit->body, .root = at };
	for (int i = 0; i < LEVELS_N && is_object_at(site->text, at); i++) {
		size_t n = json_scan_find(site->text, at, path[i], &site->levels[i]);

		if (n == 0)
			break;
		site->is_twice |= n > 1 && i < LEVELS_N - 1;
		site->found_n = i + 1;
		at = site->levels[i].value;
	}
}

/* The "{" of the object that holds level i. */
static size_t site_holder(const struct site *site, int i)
{
	return i == 0 ? site->root : site->levels[i - 1].value;
}

static bool is_null_at(const struct site *site, int level)
{
	return site->found_n > level &&
	       site->text.data[site->levels[level].value] == 'n';
}

/* --- writing --- */

static int write_part(struct buf *out, struct slice text, size_t from, size_t to)
{
	return buf_append(out, slice_make(text.data + from, to - from));
}

/* `"key":"value"`, or `"key":null`. */
static int write_label(struct buf *out, const struct label_edit *edit)
{
	int rc = json_write_string(out, edit->key);

	if (rc == 0)
		rc = buf_append_text(out, ":");
	if (rc == 0)
		rc = edit->value.data ? json_write_string(out, edit->value)
				      : buf_append_text(out, "null");
	return rc;
}

/* What stands at level i when nothing below it does: `"labels":{"key":"value"}`. */
static int write_member(struct buf *out, const struct label_edit *edit, int i)
{
	static const char *const opening[LEVELS_N] = { "\"metadata\":{\"labels\":{",
						       "\"labels\":{", "" };
	static const char *const closing[LEVELS_N] = { "}}", "}", "" };
	int rc = buf_append_text(out, opening[i]);

	if (rc == 0)
		rc = write_label(out, edit);
	return rc == 0 ? buf_append_text(out, closing[i]) : rc;
}

/* As the first member of the object that would hold level i. */
static int insert_member(struct buf *out, const struct label_edit *edit,
			 const struct site *site, int i)
{
	size_t at = site_holder(site, i) + 1;
	size_t next = json_scan_skip(site->text, at);
	bool is_empty = next < site->text.len && site->text.data[next] == '}';
	int rc = write_part(out, site->text, 0, at);

	if (rc == 0)
		rc = write_member(out, edit, i);
	if (rc == 0 && !is_empty)
		rc = buf_append_text(out, ",");
	return rc == 0 ? write_part(out, site->text, at, site->text.len) : rc;
}

/* In the place of a member that is no object, or is the label. */
static int replace_member(struct buf *out, const struct label_edit *edit,
			  const struct site *site, int i)
{
	const struct json_member *member = &site->levels[i];
	int rc = write_part(out, site->text, 0, member->start);

	if (rc == 0)
		rc = write_member(out, edit, i);
	return rc == 0 ? write_part(out, site->text, member->end, site->text.len) : rc;
}

static bool is_set_already(const struct label_edit *edit, const struct site *site)
{
	const struct json_member *label = &site->levels[LEVELS_N - 1];
	struct slice value;

	if (site->found_n < LEVELS_N || !edit->value.data ||
	    label->end - label->value < 2 || site->text.data[label->value] != '"')
		return false;
	value = slice_make(site->text.data + label->value + 1,
			   label->end - label->value - 2);
	return slice_eq(value, edit->value);
}

static int set(struct buf *out, const struct label_edit *edit, const struct site *site)
{
	if (is_set_already(edit, site))
		return buf_append(out, edit->body);
	if (site->found_n == LEVELS_N ||
	    (site->found_n > 0 &&
	     !is_object_at(site->text, site_holder(site, site->found_n))))
		return replace_member(out, edit, site, site->found_n - 1);
	return insert_member(out, edit, site, site->found_n);
}

/* --- taking out of an object --- */

static int write_others(struct buf *out, const struct label_edit *edit,
			const struct site *site)
{
	struct json_member member;
	struct json_scan scan;
	bool is_first = true;
	int rc = buf_append_text(out, "{");

	json_scan_open(&scan, site->text, site->levels[1].value);
	while (rc == 0 && json_scan_next(&scan, &member)) {
		if (json_scan_key_is(site->text, &member, edit->key))
			continue;
		if (!is_first)
			rc = buf_append_text(out, ",");
		if (rc == 0)
			rc = write_part(out, site->text, member.start, member.end);
		is_first = false;
	}
	return rc == 0 ? buf_append_text(out, "}") : rc;
}

static int take_out(struct buf *out, const struct label_edit *edit,
		    const struct site *site, struct err *err)
{
	const struct json_member *labels = &site->levels[1];
	int rc;

	if (site->is_twice)
		return err_set(err, -ENOTSUP, "metadata or labels stand there twice");
	if (site->found_n < LEVELS_N)
		return buf_append(out, edit->body);
	rc = write_part(out, site->text, 0, labels->value);
	if (rc == 0)
		rc = write_others(out, edit, site);
	return rc == 0 ? write_part(out, site->text, labels->end, site->text.len) : rc;
}

/* --- patches --- */

/* Whether the patch, as it is, could change the label. */
static bool touches(const struct label_edit *edit, const struct site *site)
{
	struct json_member directive;

	if (site->found_n == LEVELS_N || is_null_at(site, 1))
		return true;
	if (edit->form != LABEL_IN_STRATEGIC_PATCH)
		return false;
	for (int i = 0; i < LEVELS_N && i <= site->found_n; i++)
		if (is_object_at(site->text, site_holder(site, i)) &&
		    json_scan_find(site->text, site_holder(site, i), DIRECTIVE,
				   &directive) > 0)
			return true;
	return false;
}

/* k8s.io/apimachinery strategicpatch: keeps the keys that it names, no others. */
static bool retains(const struct site *site)
{
	struct json_member directive;

	for (int i = 1; i < LEVELS_N && i <= site->found_n; i++)
		if (is_object_at(site->text, site_holder(site, i)) &&
		    json_scan_find(site->text, site_holder(site, i), RETAIN,
				   &directive) > 0)
			return true;
	return false;
}

static bool drops_labels(const struct site *site)
{
	struct json_member directive;
	struct slice value;

	if (is_null_at(site, 1))
		return true;
	if (site->found_n < 2 || json_scan_find(site->text, site->levels[1].value,
						DIRECTIVE, &directive) == 0)
		return false;
	value = slice_make(site->text.data + directive.value,
			   directive.end - directive.value);
	return slice_is(value, "\"delete\"");
}

/* A merge patch: all labels that the object has are named, as null. */
static int write_nulls(struct buf *out, const struct label_edit *edit)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < edit->keys_n; i++) {
		if (slice_eq(edit->keys[i], edit->key))
			continue;
		rc = json_write_string(out, edit->keys[i]);
		if (rc == 0)
			rc = buf_append_text(out, ":null,");
	}
	return rc;
}

/* `"labels":null`, and yet our own label shall stay. */
static int drop_others(struct buf *out, const struct label_edit *edit,
		       const struct site *site)
{
	const struct json_member *labels = &site->levels[1];
	int rc = write_part(out, site->text, 0, labels->value);

	if (rc == 0)
		rc = buf_append_text(out, edit->form == LABEL_IN_STRATEGIC_PATCH
						  ? "{\"$patch\":\"replace\","
						  : "{");
	if (rc == 0 && edit->form == LABEL_IN_MERGE_PATCH)
		rc = write_nulls(out, edit);
	if (rc == 0)
		rc = write_label(out, edit);
	if (rc == 0)
		rc = buf_append_text(out, "}");
	return rc == 0 ? write_part(out, site->text, labels->end, site->text.len) : rc;
}

static int edit_patch(struct buf *out, const struct label_edit *edit,
		      const struct site *site, struct err *err)
{
	/* Without a name nobody can say what is patched: refused by the API server. */
	if (is_null_at(site, 0))
		return buf_append(out, edit->body);
	if (edit->form == LABEL_IN_STRATEGIC_PATCH && retains(site))
		return err_set(err, -ENOTSUP, "$retainKeys of metadata or labels");
	if (!edit->value.data && site->found_n < LEVELS_N)
		return buf_append(out, edit->body);
	if (!edit->is_forced && !touches(edit, site))
		return buf_append(out, edit->body);
	if (edit->value.data && drops_labels(site))
		return drop_others(out, edit, site);
	return set(out, edit, site);
}

int label_json_edit(struct buf *out, const struct label_edit *edit, struct err *err)
{
	struct site site;

	site_find(&site, edit);
	if (!is_object_at(site.text, site.root))
		return err_set(err, -EINVAL, "expected an object");
	if (edit->form != LABEL_IN_OBJECT)
		return edit_patch(out, edit, &site, err);
	if (!edit->value.data)
		return take_out(out, edit, &site, err);
	return set(out, edit, &site);
}

bool label_body_drops_all(struct slice merge_patch)
{
	const struct label_edit edit = { .body = merge_patch,
					 .form = LABEL_IN_MERGE_PATCH };
	struct site site;

	site_find(&site, &edit);
	return is_null_at(&site, 1);
}
