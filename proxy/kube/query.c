#include "proxy/kube/query.h"

#include "proxy/kube/percent.h"

/* Go's net/url (1.26) reads a query of more pairs as if it were empty. */
#define PAIRS_MAX 10000

struct pair {
	struct pair *next;
	struct slice text; /* as it is written */
	struct slice key;  /* decoded, as is the value */
	struct slice value;
	bool is_dropped; /* by Go: it has no key then */
};

struct query {
	struct arena *arena;
	struct pair *first;
	bool is_certain;
};

static struct pair *parse_pair(struct arena *arena, struct slice text)
{
	struct pair *pair = arena_alloc(arena, sizeof(*pair));
	ptrdiff_t equals = slice_find(text, '=');
	size_t key_len = equals < 0 ? text.len : (size_t)equals;
	size_t value_at = equals < 0 ? text.len : key_len + 1;
	struct slice key = slice_make(text.data, key_len);
	bool is_valid = slice_find(text, ';') < 0;

	pair->text = text;
	is_valid &= percent_decode(arena, key, PERCENT_QUERY, &pair->key);
	is_valid &= percent_decode(arena, slice_from(text, value_at), PERCENT_QUERY,
				   &pair->value);
	pair->is_dropped = !is_valid || text.len == 0;
	return pair;
}

static void add_pair(struct query *query, struct pair ***last, struct slice text)
{
	struct pair *pair = parse_pair(query->arena, text);

	if (pair->is_dropped && text.len > 0)
		query->is_certain = false;
	**last = pair;
	*last = &pair->next;
}

struct query *query_parse(struct arena *arena, struct slice text)
{
	struct query *query = arena_alloc(arena, sizeof(*query));
	struct pair **last = &query->first;
	ptrdiff_t end = text.len > 0 ? 0 : -1;
	size_t n = 0;

	query->arena = arena;
	query->is_certain = true;
	for (; end >= 0; n++) {
		end = slice_find(text, '&');
		if (end < 0) {
			add_pair(query, &last, text);
		} else {
			add_pair(query, &last, slice_make(text.data, (size_t)end));
			text = slice_from(text, (size_t)end + 1);
		}
	}
	if (n > PAIRS_MAX)
		query->is_certain = false;
	return query;
}

bool query_is_certain(const struct query *query)
{
	return query->is_certain;
}

static bool has_key(const struct pair *pair, const char *key)
{
	return !pair->is_dropped && slice_is(pair->key, key);
}

bool query_get(const struct query *query, const char *key, struct slice *value)
{
	for (const struct pair *pair = query->first; pair; pair = pair->next) {
		if (!has_key(pair, key))
			continue;
		*value = pair->value;
		return true;
	}
	return false;
}

/* Go's strings.EqualFold takes the long s, U+017F, for an s. */
static bool is_false(struct slice value)
{
	return slice_is(value, "0") || slice_is_nocase(value, "false") ||
	       slice_is_nocase(value, "fal\xc5\xbf"
				      "e");
}

bool query_get_bool(const struct query *query, const char *key)
{
	struct slice value;

	return query_get(query, key, &value) && !is_false(value);
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
}

int query_escape(struct buf *out, struct slice value)
{
	size_t start = out->len;
	int rc = 0;

	for (size_t i = 0; i < value.len && rc == 0; i++) {
		if (is_unreserved(value.data[i]))
			rc = buf_append(out, slice_make(&value.data[i], 1));
		else
			rc = buf_printf(out, "%%%02X", (unsigned char)value.data[i]);
	}
	if (rc < 0)
		out->len = start;
	return rc;
}

/* key is one of Kubernetes' parameters and needs no escapes. */
static struct pair *make_pair(struct arena *arena, const char *key, struct slice value)
{
	struct pair *pair = arena_alloc(arena, sizeof(*pair));
	struct buf text;

	buf_init(&text, strlen(key) + 1 + 3 * value.len);
	buf_append_text(&text, key);
	buf_append_text(&text, "=");
	query_escape(&text, value);
	pair->text = arena_copy(arena, buf_slice(&text));
	pair->key = arena_copy(arena, slice_of(key));
	pair->value = arena_copy(arena, value);
	buf_finish(&text);
	return pair;
}

/* Unlinks the pairs of the key from *link on. */
static void remove_from(struct pair **link, const char *key)
{
	while (*link) {
		if (has_key(*link, key))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
}

void query_set(struct query *query, const char *key, struct slice value)
{
	struct pair *made = make_pair(query->arena, key, value);
	struct pair **link = &query->first;

	while (*link && !has_key(*link, key))
		link = &(*link)->next;
	remove_from(link, key);
	made->next = *link;
	*link = made;
}

void query_remove(struct query *query, const char *key)
{
	remove_from(&query->first, key);
}

int query_write(const struct query *query, struct buf *out)
{
	size_t start = out->len;
	int rc = 0;

	for (const struct pair *pair = query->first; pair && rc == 0;
	     pair = pair->next) {
		if (pair != query->first)
			rc = buf_append_text(out, "&");
		if (rc == 0)
			rc = buf_append(out, pair->text);
	}
	if (rc < 0)
		out->len = start;
	return rc;
}
