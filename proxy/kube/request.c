#include "proxy/kube/request.h"

#include "proxy/kube/field.h"
#include "proxy/kube/percent.h"
#include "proxy/kube/query.h"

/* The segments of a path, decoded. */
struct path {
	struct slice *parts;
	size_t n;
	bool is_ambiguous;
};

static const char *const verb_names[] = {
	[KUBE_VERB_NONE] = "",
	[KUBE_VERB_GET] = "get",
	[KUBE_VERB_LIST] = "list",
	[KUBE_VERB_WATCH] = "watch",
	[KUBE_VERB_CREATE] = "create",
	[KUBE_VERB_UPDATE] = "update",
	[KUBE_VERB_PATCH] = "patch",
	[KUBE_VERB_DELETE] = "delete",
	[KUBE_VERB_DELETECOLLECTION] = "deletecollection",
	[KUBE_VERB_CONNECT] = "connect",
	[KUBE_VERB_OTHER] = "other",
};

const char *kube_verb_name(enum kube_verb verb)
{
	return verb_names[verb];
}

bool kube_verb_is_mutating(enum kube_verb verb)
{
	return verb >= KUBE_VERB_CREATE && verb <= KUBE_VERB_CONNECT;
}

static enum kube_verb verb_of_method(struct slice method)
{
	static const struct {
		const char *method;
		enum kube_verb verb;
	} rows[] = {
		{ "GET", KUBE_VERB_GET },     { "HEAD", KUBE_VERB_GET },
		{ "POST", KUBE_VERB_CREATE }, { "PUT", KUBE_VERB_UPDATE },
		{ "PATCH", KUBE_VERB_PATCH }, { "DELETE", KUBE_VERB_DELETE },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (slice_is(method, rows[i].method))
			return rows[i].verb;
	return KUBE_VERB_OTHER;
}

/*
 * Splits target at its first "?". An absolute-form target, which Go's server
 * reads like any other, is reduced to what stands behind the authority.
 */
static void split_target(struct kube_request *out, struct slice target,
			 struct slice *origin)
{
	ptrdiff_t question = slice_find(target, '?');
	size_t len = question < 0 ? target.len : (size_t)question;

	out->path = slice_make(target.data, len);
	out->query = slice_from(target, question < 0 ? len : len + 1);
	*origin = out->path;
	if (slice_starts_with(out->path, "/") || slice_is(out->path, "*"))
		return;
	out->is_ambiguous = true;

	ptrdiff_t colon = slice_find(out->path, ':');

	if (colon < 0 ||
	    !slice_starts_with(slice_from(out->path, (size_t)colon), "://"))
		return;
	*origin = slice_from(out->path, (size_t)colon + 3);

	ptrdiff_t slash = slice_find(*origin, '/');

	*origin = slice_from(*origin, slash < 0 ? origin->len : (size_t)slash);
}

static bool has_control_bytes(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
			return true;
	return false;
}

/* One slash at the beginning and one at the end belong to no segment. */
static struct slice trim_slashes(struct slice text)
{
	if (slice_starts_with(text, "/"))
		text = slice_from(text, 1);
	if (text.len > 0 && text.data[text.len - 1] == '/')
		text.len--;
	return text;
}

/* Takes one segment as cleaning would: drops empty ones and ".", obeys "..". */
static void add_part(struct path *path, struct slice part)
{
	bool is_up = slice_is(part, "..");

	if (part.len > 0 && !slice_is(part, ".") && !is_up) {
		path->parts[path->n++] = part;
		return;
	}
	path->is_ambiguous = true;
	if (is_up && path->n > 0)
		path->n--;
}

static void split_path(struct path *out, struct arena *arena, struct slice encoded)
{
	struct slice text, rest, part;
	size_t slashes = 0;

	*out = (struct path){ 0 };
	out->is_ambiguous = !percent_decode(arena, encoded, PERCENT_PATH, &text);
	out->is_ambiguous |= has_control_bytes(text);
	rest = trim_slashes(text);
	for (size_t i = 0; i < rest.len; i++)
		slashes += rest.data[i] == '/';
	out->parts = arena_alloc(arena, (slashes + 1) * sizeof(*out->parts));
	while (slice_split(&rest, '/', &part))
		add_part(out, part);
	/* slice_split ends at a separator: "a//" had an empty segment, too. */
	if (text.len > 1 && text.data[text.len - 1] == '/' &&
	    text.data[text.len - 2] == '/')
		out->is_ambiguous = true;
}

static void drop_parts(struct path *path, size_t n)
{
	path->parts += n;
	path->n -= n;
}

/* Takes /api/<version> or /apis/<group>/<version>. False: no resource follows. */
static bool take_group_version(struct kube_request *out, struct path *path)
{
	bool is_core = path->n >= 3 && slice_is(path->parts[0], "api");
	bool is_group = path->n >= 4 && slice_is(path->parts[0], "apis");

	if (!is_core && !is_group)
		return false;
	drop_parts(path, 1);
	if (is_group) {
		out->group = path->parts[0];
		drop_parts(path, 1);
	}
	out->version = path->parts[0];
	drop_parts(path, 1);
	return true;
}

/* The old /watch/ and /proxy/ before the resource say the verb. */
static bool take_verb(struct kube_request *out, struct path *path)
{
	bool is_watch = slice_is(path->parts[0], "watch");
	bool is_proxy = slice_is(path->parts[0], "proxy");

	out->verb = is_watch   ? KUBE_VERB_WATCH
		    : is_proxy ? KUBE_VERB_CONNECT
			       : verb_of_method(out->method);
	if (!is_watch && !is_proxy)
		return true;
	out->is_deprecated_watch = is_watch;
	drop_parts(path, 1);
	return path->n > 0;
}

/*
 * /namespaces/<namespace>/<resource>/...; but /namespaces/<name> is the
 * resource namespaces, and so are its subresources.
 */
static void take_namespace(struct kube_request *out, struct path *path)
{
	if (path->n < 2 || !slice_is(path->parts[0], "namespaces"))
		return;
	out->namespace = path->parts[1];
	if (path->n > 2 && !slice_is(path->parts[2], "status") &&
	    !slice_is(path->parts[2], "finalize"))
		drop_parts(path, 2);
}

/* The subresources that k8s.io/kubernetes serves with Connect. */
static bool is_connect(const struct kube_request *request)
{
	static const char *const rows[][2] = {
		{ "pods", "exec" },  { "pods", "attach" },    { "pods", "portforward" },
		{ "pods", "proxy" }, { "services", "proxy" }, { "nodes", "proxy" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (request->group.len == 0 &&
		    slice_is(request->resource, rows[i][0]) &&
		    slice_is(request->subresource, rows[i][1]))
			return true;
	return false;
}

static void take_resource(struct kube_request *out, const struct path *path)
{
	bool is_proxy = out->verb == KUBE_VERB_CONNECT;

	out->resource = path->parts[0];
	if (path->n >= 2)
		out->name = path->parts[1];
	if (path->n >= 3 && !is_proxy)
		out->subresource = path->parts[2];
	if (is_connect(out))
		out->verb = KUBE_VERB_CONNECT;
}

/* Of a name that cannot stand in a path, RequestInfo makes nothing. */
static bool is_path_segment(struct slice name)
{
	return slice_find(name, '/') < 0 && slice_find(name, '%') < 0 &&
	       !slice_is(name, ".") && !slice_is(name, "..");
}

/* A GET without a name: the query says whether it lists or watches. */
static void take_list_options(struct kube_request *out, struct arena *arena)
{
	struct query *query = query_parse(arena, out->query);
	struct slice selector, name;

	out->is_ambiguous |= !query_is_certain(query);
	out->verb = query_get_bool(query, "watch") ? KUBE_VERB_WATCH : KUBE_VERB_LIST;
	if (query_get(query, "fieldSelector", &selector) &&
	    field_requires(arena, selector, "metadata.name", &name) &&
	    is_path_segment(name)) {
		out->name = name;
		out->is_named_by_selector = true;
	}
}

/* The order of the steps is that of NewRequestInfo in requestinfo.go. */
static void take_request(struct kube_request *out, struct arena *arena,
			 struct path *path)
{
	if (!take_group_version(out, path))
		return;
	if (!take_verb(out, path)) {
		/* /api/v1/watch: the API server answers that it knows no kind. */
		out->verb = KUBE_VERB_NONE;
		out->is_deprecated_watch = false;
		return;
	}
	take_namespace(out, path);
	take_resource(out, path);
	if (out->name.len == 0 && out->verb == KUBE_VERB_GET)
		take_list_options(out, arena);
	if (out->name.len == 0 && out->verb == KUBE_VERB_DELETE)
		out->verb = KUBE_VERB_DELETECOLLECTION;
}

void kube_request_parse(struct kube_request *out, struct arena *arena,
			struct slice method, struct slice target)
{
	struct slice origin;
	struct path path;

	*out = (struct kube_request){ .method = method };
	split_target(out, target, &origin);
	split_path(&path, arena, origin);
	out->is_ambiguous |= path.is_ambiguous;
	take_request(out, arena, &path);
}
